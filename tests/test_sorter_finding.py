"""The sorter finds images by their content, with the files that belong to them."""

from __future__ import annotations

import os

import pytest
from image_folders import make_image
from sorted_trees import JPEG, contents, picture, planned

from minicnn.apps import sorter
from minicnn.apps.sorter import finding
from minicnn.apps.sorter.companions import grouped, name_key
from minicnn.data import image_files
from minicnn.data.file_kinds import HEIC, IMAGE, OTHER, kind_of

HEIC_HEAD = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"


def names(found):
    return [[path.name for path in group.files] for group in found.groups]


def write(folder, **files):
    """Write a text file for each name; `_` in a name stands for a dot."""
    for name in files:
        (folder / name.replace("_", ".")).write_text(name)


@pytest.mark.parametrize("kind", ["jpeg", "png", "bmp", "gif", "tiff", "webp", "ppm"])
def test_an_image_is_known_by_its_content_whatever_its_name(tmp_path, kind):
    make_image(0).save(tmp_path / "no picture.txt", kind)
    assert names(sorter.find(tmp_path)) == [["no picture.txt"]]


@pytest.mark.parametrize(
    "head",
    [b"", b"BM", b"BMW is a car, not a bitmap", b"P9 \n", b"\xff\xd8", b"RIFF1234WAVE", b"GIF88a"],
)
def test_what_only_looks_like_an_image_is_none(head):
    assert kind_of(head) == OTHER


def test_heads_of_formats():
    assert kind_of(HEIC_HEAD) == HEIC
    assert kind_of(b"RIFF1234WEBPVP8 ") == IMAGE
    assert kind_of(b"\0\0\0\x18ftypqt  ") == OTHER  # a video


def test_what_is_left_alone_is_counted(tmp_path):
    picture(tmp_path / "a.jpg")
    picture(tmp_path / ".hidden.jpg")
    picture(tmp_path / "__MACOSX" / "b.jpg")
    (tmp_path / "Thumbs.db").write_bytes(JPEG)
    (tmp_path / "b.jpg").write_text("a letter, not a picture")
    (tmp_path / "empty.png").touch()
    (tmp_path / "link.jpg").symlink_to(tmp_path / "a.jpg")
    (tmp_path / "nowhere.jpg").symlink_to(tmp_path / "nothing")
    (tmp_path / "raw.NEF").write_bytes(b"II*\0 a picture inside")
    os.mkfifo(tmp_path / "pipe.jpg")
    found = sorter.find(tmp_path, recursive=True)
    assert names(found) == [["a.jpg"]]
    assert found.left_alone == {
        finding.HIDDEN: 3,
        finding.NO_IMAGE: 2,
        finding.LINK: 2,
        finding.RAW_ALONE: 1,
        finding.NO_FILE: 1,
    }


def test_folders_below_are_entered_only_when_asked(tmp_path):
    for name in ("b.jpg", "sub/a.jpg", "sub/deeper/c.jpg"):
        picture(tmp_path / name)
    assert names(sorter.find(tmp_path)) == [["b.jpg"]]
    found = sorter.find(tmp_path, recursive=True)
    assert [str(one.image.relative_to(tmp_path)) for one in found.groups] == [
        "b.jpg", "sub/a.jpg", "sub/deeper/c.jpg",
    ]  # fmt: skip


def test_links_never_lead_out_or_in_circles(tmp_path):
    picture(tmp_path / "photos" / "a.jpg")
    picture(tmp_path / "elsewhere" / "b.jpg")
    (tmp_path / "photos" / "circle").symlink_to(tmp_path / "photos")
    (tmp_path / "photos" / "out").symlink_to(tmp_path / "elsewhere")
    found = sorter.find(tmp_path / "photos", recursive=True)
    assert names(found) == [["a.jpg"]]
    assert found.left_alone == {finding.LINK: 2}


def test_paths_are_absolute_and_sorted_by_their_bytes(tmp_path, monkeypatch):
    for name in (b"b.jpg", b"\xff.jpg", b"a.jpg", "ä.jpg".encode()):
        picture(tmp_path / os.fsdecode(name))
    monkeypatch.chdir(tmp_path)
    found = sorter.find(".")
    assert [os.fsencode(one.image.name) for one in found.groups] == [
        b"a.jpg", b"b.jpg", "ä.jpg".encode(), b"\xff.jpg",
    ]  # fmt: skip
    assert all(one.image.is_absolute() for one in found.groups)


@pytest.mark.parametrize(("name", "seen"), [("nothing", "no such folder"), ("a.jpg", "is a file")])
def test_what_is_no_folder(tmp_path, name, seen):
    picture(tmp_path / "a.jpg")
    with pytest.raises(FileNotFoundError, match=seen):
        sorter.find(tmp_path / name)


def test_a_folder_that_cannot_be_opened_is_counted(tmp_path, monkeypatch):
    picture(tmp_path / "locked" / "a.jpg")
    picture(tmp_path / "b.jpg")
    real = os.scandir

    def scandir(path):
        if os.fspath(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = sorter.find(tmp_path, recursive=True)
    assert names(found) == [["b.jpg"]] and found.left_alone == {finding.CLOSED: 1}
    with pytest.raises(PermissionError):
        sorter.find(tmp_path / "locked")


COMPANIONS = {
    "a side file": (["IMG_1.jpg"], ["IMG_1.xmp"], [["IMG_1.jpg", "IMG_1.xmp"]]),
    "a side file by the whole name": (
        ["a.jpg", "a.png"],
        ["a.jpg.xmp", "a.png.json"],
        [["a.jpg", "a.jpg.xmp"], ["a.png", "a.png.json"]],
    ),
    "a live photo": (["IMG_1.JPG"], ["img_1.mov"], [["IMG_1.JPG", "img_1.mov"]]),
    "RAW and JPEG": (["1.jpg"], ["1.CR2", "1.xmp"], [["1.jpg", "1.CR2", "1.xmp"]]),
    "what iPhones write": (["1.jpg"], ["1.AAE", "1.MOV"], [["1.jpg", "1.AAE", "1.MOV"]]),
    "two images and one side file": (
        ["a.jpg", "a.png"],
        ["a.xmp"],
        [["a.jpg", "a.png", "a.xmp"]],
    ),
    "two images, nothing else": (["a.jpg", "a.png"], [], [["a.jpg"], ["a.png"]]),
    "a side file of nothing": (["a.jpg"], ["b.xmp"], [["a.jpg"]]),
    "another kind of file": (["a.jpg"], ["a.txt", "a.json"], [["a.jpg"]]),
    "accents composed and not": (
        ["caf\u00e9.jpg"],
        ["cafe\u0301.MOV"],
        [["caf\u00e9.jpg", "cafe\u0301.MOV"]],
    ),
    "a dot in the name": (["a.b.jpg"], ["a.b.xmp", "a.xmp"], [["a.b.jpg", "a.b.xmp"]]),
}


@pytest.mark.parametrize(("images", "others", "groups"), COMPANIONS.values(), ids=COMPANIONS)
def test_companions(tmp_path, images, others, groups):
    found, rest = grouped([tmp_path / one for one in images], [tmp_path / one for one in others])
    assert [[path.name for path in group.files] for group in found] == groups
    together = [path.name for path in rest] + [name for group in groups for name in group]
    assert sorted(together) == sorted(images + others)


def test_companions_are_in_the_same_folder(tmp_path):
    picture(tmp_path / "a" / "1.jpg")
    picture(tmp_path / "b" / "2.jpg")
    write(tmp_path / "b", **{"1_xmp": 0})
    assert names(sorter.find(tmp_path, recursive=True)) == [["1.jpg"], ["2.jpg"]]


def test_names_that_some_disks_take_for_one():
    assert name_key("STRASSE.JPG") == name_key("straße.jpg")
    assert name_key("a.jpg") != name_key("b.jpg")


def test_what_was_sorted_earlier_is_left_alone_until_it_is_undone(tmp_path):
    for i in range(3):
        picture(tmp_path / f"{i}.jpg")
    (tmp_path / "dogs").mkdir()  # of the user: what is added to it later is found
    before = contents(tmp_path)
    outcome = sorter.apply(planned(tmp_path, lambda p: "cats" if p.stem == "0" else "dogs"))
    picture(tmp_path / "cats" / "added later.jpg")
    picture(tmp_path / "dogs" / "found.jpg")
    found = sorter.find(tmp_path, recursive=True)
    assert names(found) == [["0.jpg"], ["1.jpg"], ["2.jpg"], ["found.jpg"]]
    assert found.left_alone == {finding.SORTED: 4}
    (tmp_path / "dogs" / "found.jpg").unlink()
    sorter.undo(outcome.journal)
    found = sorter.find(tmp_path, recursive=True)
    assert names(found) == [["0.jpg"], ["1.jpg"], ["2.jpg"], ["added later.jpg"]]
    (tmp_path / "cats" / "added later.jpg").unlink()
    assert contents(tmp_path) == before


def test_a_second_sorting_does_nothing(tmp_path):
    for name in ("a.jpg", "b.jpg", "sub/a.jpg"):
        picture(tmp_path / name)
    assert sorter.apply(planned(tmp_path, recursive=True)).done == 3
    before = contents(tmp_path)
    again = planned(tmp_path, recursive=True)
    assert again.notes() == {sorter.THERE: 3}
    assert sorter.apply(again) == sorter.Outcome(0, [], skipped=3)
    assert contents(tmp_path) == before


def test_without_pillow_heif_heic_is_counted_with_the_name_of_what_it_needs(tmp_path, monkeypatch):
    (tmp_path / "1.heic").write_bytes(HEIC_HEAD)
    monkeypatch.setattr(finding, "reads_heic", lambda: False)
    found = sorter.find(tmp_path)
    assert found.groups == [] and found.left_alone == {"HEIC, which needs pillow-heif": 1}


def test_heic_is_read_with_pillow_heif(tmp_path):
    pillow_heif = pytest.importorskip("pillow_heif", reason="pip install -e '.[heic]'")
    assert image_files.reads_heic()
    pillow_heif.from_pillow(make_image(0, 64, 64)).save(tmp_path / "1.HEIC")
    (tmp_path / "1.MOV").write_bytes(b"a video")
    assert names(sorter.find(tmp_path)) == [["1.HEIC", "1.MOV"]]
    assert image_files.why_unreadable(tmp_path / "1.HEIC") is None
