"""Splitting, counting, checking and renaming folders of images."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import shutil
import zlib
from pathlib import Path

import numpy as np
import pytest
from image_folders import make_folder, make_image, save
from PIL import Image

from minicnn import random
from minicnn.data.folder_layouts import list_splits
from minicnn.data.folders import list_folder
from minicnn.data.tools import check, rename, split, split_copy, stats
from minicnn.errors import ArgumentError, FormatError

DATA = Path(os.environ.get("MINICNN_DATA", "/nowhere"))
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="MINICNN_DATA is not set")


def contents(root):
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


# --- split -----------------------------------------------------------------------------------


@pytest.mark.parametrize("total", [1, 2, 3, 7, 10, 13, 300])
def test_shares_are_off_by_less_than_an_image(total):
    shares = np.array([0.7, 0.2, 0.1])
    counts = split.whole_counts(shares, total)
    assert counts.sum() == total
    assert np.all(np.abs(counts - shares * total) < 1)


def test_each_class_is_split_in_the_same_proportions(tmp_path):
    images = list_folder(make_folder(tmp_path / "all", {"cat": 20, "dog": 30, "eel": 1}))
    plan = split.plan_split(images)
    assert split.count_table(images, plan).tolist() == [[14, 4, 2], [21, 6, 3], [1, 0, 0]]
    rows = np.concatenate([part.rows for part in plan])
    assert sorted(rows.tolist()) == list(range(51))  # each once


def test_a_plan_depends_on_the_seed_alone(tmp_path):
    images = list_folder(make_folder(tmp_path / "all", {"cat": 20, "dog": 30}))

    def rows():
        return [part.rows.tolist() for part in split.plan_split(images)]

    first = rows()
    assert rows() == first
    random.set_random_seed(1)
    assert rows() != first


def test_groups_stay_together(tmp_path):
    root = tmp_path / "all"
    for i in range(60):
        save(root / ("ill" if i % 3 else "well") / f"patient{i // 5}_{i}.png", i)
    images = list_folder(root)
    plan = split.plan_split(images, group_by=r"patient(\d+)_")
    of_part = [{images.paths[r].name.partition("_")[0] for r in part.rows} for part in plan]
    assert sum(map(len, of_part)) == 12 == len(set.union(*of_part))
    counts = split.count_table(images, plan)
    assert np.abs(counts.sum(axis=0) - [42, 12, 6]).max() <= 5  # at most a group off


def test_groups_of_one_are_split_by_their_shares(tmp_path):
    images = list_folder(make_folder(tmp_path / "all", {"cat": 50, "dog": 50}))
    plan = split.plan_split(images, group_by=r".*")
    assert split.count_table(images, plan).tolist() == [[35, 10, 5], [35, 10, 5]]


@pytest.mark.parametrize("group_by", [None, ".*"])
def test_a_split_that_leaves_a_part_empty_is_refused(tmp_path, group_by):
    images = list_folder(make_folder(tmp_path / "all", {"cat": 3, "dog": 3}))
    parts = {"train": 70, "val": 29, "test": 1}
    with pytest.raises(
        ArgumentError, match="6 images with these shares leave the split test empty"
    ):
        split.plan_split(images, parts, group_by=group_by)


@pytest.mark.parametrize("pattern", ["(", "no such name"])
def test_a_pattern_that_cannot_be_used(tmp_path, pattern):
    images = list_folder(make_folder(tmp_path / "all", {"cat": 2}))
    with pytest.raises(ArgumentError, match="group_by"):
        split.plan_split(images, group_by=pattern)


def test_copies_are_the_same_files_with_the_same_times(tmp_path):
    root = make_folder(tmp_path / "all", {"cat ü": 10, "dog": 10})
    os.utime(root / "dog" / "dog_003.jpg", (1e9, 1e9))
    before = contents(root)
    images = list_folder(root)
    assert split_copy.copy_split(images, split.plan_split(images), tmp_path / "sets") == []
    assert contents(root) == before
    copies = {Path(name).name: data for name, data in contents(tmp_path / "sets").items()}
    assert copies == {Path(name).name: data for name, data in before.items()}
    assert {p.name for p in (tmp_path / "sets").iterdir()} == {"train", "val", "test"}
    (copy,) = (tmp_path / "sets").rglob("dog_003.jpg")
    assert copy.stat().st_mtime == 1e9


def test_nothing_is_mixed_into_an_earlier_split(tmp_path):
    images = list_folder(make_folder(tmp_path / "all", {"cat": 10}))
    plan = split.plan_split(images)
    split_copy.copy_split(images, plan, tmp_path / "sets")
    before = contents(tmp_path / "sets")
    with pytest.raises(FileExistsError):
        split_copy.copy_split(images, plan, tmp_path / "sets")
    assert contents(tmp_path / "sets") == before


def test_an_interrupted_split_leaves_nothing(tmp_path):
    images = list_folder(make_folder(tmp_path / "all", {"cat": 10}))

    def interrupt(done, _total):
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        split_copy.copy_split(
            images, split.plan_split(images), tmp_path / "sets", progress=interrupt
        )
    assert list((tmp_path / "sets").iterdir()) == []


def test_a_file_that_is_gone_is_named(tmp_path):
    images = list_folder(make_folder(tmp_path / "all", {"cat": 10}))
    images.paths[3].unlink()
    failures = split_copy.copy_split(images, split.plan_split(images), tmp_path / "sets")
    assert failures == [(images.paths[3], "No such file or directory")]
    assert len(contents(tmp_path / "sets")) == 9


@pytest.mark.parametrize("text", ["", "70", "a/b", "70/0/30", "70/-1/31", "1/2/3/4", "x=1/x=2",
                                  "../x=1/y=1", "nan/1", "train=1/2"])  # fmt: skip
def test_parts_that_make_no_sense(text):
    with pytest.raises(ArgumentError):
        split.parse_shares(text)


# --- stats -----------------------------------------------------------------------------------


def test_stats_of_known_sizes(tmp_path):
    for i, (height, width) in enumerate([(10, 20), (30, 20), (20, 50)]):
        (tmp_path / "cat").mkdir(exist_ok=True)
        make_image(i, height, width).save(tmp_path / "cat" / f"{i}.png")
    (tmp_path / "cat" / ".DS_Store").write_bytes(b"x")
    (tmp_path / "cat" / "bad.jpg").write_bytes(b"not an image")
    found = stats.folder_stats(list_folder(tmp_path))
    (cat,) = found.classes
    assert (cat.heights.tolist(), cat.widths.tolist()) == ([10, 30, 20], [20, 20, 50])
    assert cat.kinds == {"PNG RGB": 3}
    assert found.failures == [
        (tmp_path / "cat" / "bad.jpg", "it is not an image in a supported format")
    ]
    assert stats.sizes_text(cat).splitlines()[:3] == [
        "Average Height: 20.0", "Max Height: 30", "Min Height: 10",
    ]  # fmt: skip


def test_colors_are_those_of_all_pixels(tmp_path):
    root = make_folder(tmp_path, {"cat": 3, "dog": 2}, ".png")
    make_image(99, 40, 10).save(root / "dog" / "tall.png")
    found = stats.folder_stats(list_folder(root), pixels=True)
    pixels = np.concatenate(
        [np.asarray(Image.open(p)).reshape(-1, 3) / 255 for p in list_folder(root).paths]
    )
    np.testing.assert_allclose(found.total.mean, pixels.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.total.std, pixels.std(axis=0), rtol=1e-9)


# --- check -----------------------------------------------------------------------------------


def kinds(root):
    report = check.check_splits(list_splits(root))
    return {kind: len(found) for kind, found in report.by_kind().items()}


def saved(file_format, seed=500, **settings):
    out = io.BytesIO()
    make_image(seed).save(out, file_format, **settings)
    return out.getvalue()


def bomb():
    """Return a PNG of a few bytes that declares 60,000 x 60,000 pixels."""
    data = bytearray(saved("PNG"))
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    return bytes(data)


def exif(orientation):
    fields = Image.Exif()
    fields[0x0112] = orientation
    return fields


def blank():
    out = io.BytesIO()
    Image.new("RGB", (40, 40), (9, 9, 9)).save(out, "PNG")
    return out.getvalue()


def sixteen_bits(seed, white=65535):
    """Write an image as an X-ray detector does: 16-bit grays up to `white`."""
    out = io.BytesIO()
    grays = np.asarray(make_image(seed).convert("L"), np.float64) / 255 * white
    Image.fromarray(grays.astype(np.uint16)).save(out, "PNG")
    return out.getvalue()


def animated():
    out = io.BytesIO()
    make_image(501).save(
        out, "GIF", save_all=True, append_images=[make_image(502), make_image(503)]
    )
    return out.getvalue()


BAD_FILES = {
    "empty": ("x.jpg", b"", "unreadable"),
    "not an image": ("x.jpg", b"<html>", "unreadable"),
    "cut off": ("x.jpg", saved("JPEG")[:-200], "unreadable"),
    "cut off at the end": ("x.png", saved("PNG")[:-40], "unreadable"),
    "bomb": ("x.png", bomb(), "unreadable"),
    "SVG": ("x.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unreadable"),
    "PNG named jpg": ("x.jpg", saved("PNG"), "wrong ending"),
    "JPEG named png": ("x.png", saved("JPEG"), "wrong ending"),
    "turned camera": ("x.jpg", saved("JPEG", exif=exif(6)), "rotated"),
    "one color": ("x.png", blank(), "blank"),
    "animated": ("x.gif", animated(), "animated"),
    "12 bits": ("x.png", sixteen_bits(601, 4095), "dark"),
    "a look-alike of 16 bits": ("x.png", sixteen_bits(1), "look-alike"),
    "a text": ("notes.txt", b"hello", "other file"),
}


@pytest.mark.parametrize(("name", "data", "kind"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_bad_file_is_named_by_kind(tmp_path, name, data, kind):
    root = make_folder(tmp_path / "set", {"cat": 3, "dog": 3})
    (root / "cat" / name).write_bytes(data)
    before = contents(root)
    assert kinds(root) == {kind: 1}
    assert contents(root) == before


def test_images_of_16_bits_are_looked_at_as_they_are_trained_with(tmp_path):
    parts = {part: make_folder(tmp_path / part, {"cat": 2, "dog": 2}) for part in ("train", "test")}
    for i, part in enumerate(parts.values()):
        for path in part.rglob("*.jpg"):
            path.unlink()
        for name in ("cat", "dog"):
            for j in range(6):
                (part / name / f"{j}.png").write_bytes(
                    sixteen_bits(800 + 100 * i + 10 * (name == "cat") + j)
                )
    assert kinds(tmp_path) == {}
    leaked = sixteen_bits(700)
    for part, more in (("train", b""), ("test", b" ")):  # another file, the same image
        (parts[part] / "cat/x.png").write_bytes(leaked + more)
    assert kinds(tmp_path) == {"look-alike in two parts": 1}


@pytest.mark.parametrize("data", [saved("JPEG", exif=exif(1)), saved("JPEG")])
def test_a_good_folder_has_no_findings(tmp_path, data):
    root = make_folder(tmp_path / "set", {"cat": 12, "dog": 12})
    (root / "cat" / "upright.jpeg").write_bytes(data)
    (root / "cat" / "Thumbs.db").write_bytes(b"x")
    assert kinds(root) == {}


def test_a_link_to_itself_is_unreadable(tmp_path):
    root = make_folder(tmp_path / "set", {"cat": 3, "dog": 3})
    (root / "cat" / "loop.jpg").symlink_to("loop.jpg")
    (root / "dog" / "nowhere.jpg").symlink_to(tmp_path / "set" / "no.jpg")
    report = check.check_splits(list_splits(root))
    assert [(f.kind, f.paths, f.text) for f in report.findings] == [
        ("unreadable", (root / "cat" / "loop.jpg",), "Too many levels of symbolic links"),
        ("unreadable", (root / "dog" / "nowhere.jpg",), "No such file or directory"),
    ]


@pytest.mark.parametrize("locked", ["dog", "cat/more"])
def test_a_locked_folder_is_unreadable(tmp_path, monkeypatch, locked):
    root = make_folder(tmp_path / "set", {"cat": 3, "dog": 3})
    save(root / "cat" / "more" / "a.jpg", 99)
    real = os.scandir

    def scandir(path):
        if os.fspath(path) == str(root / locked):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    report = check.check_splits(list_splits(root, skip_inaccessible=True))
    (finding,) = report.by_kind()["unreadable"]
    assert finding.paths == (root / locked,) and finding.text == "folder: Permission denied"
    assert report.errors == 1


def test_links_out_of_the_folder_are_noted(tmp_path):
    root = make_folder(tmp_path / "set", {"cat": 3, "dog": 3})
    target = save(tmp_path / "a.jpg", 99)
    (root / "cat" / "b.jpg").symlink_to(target)
    report = check.check_splits(list_splits(root))
    (finding,) = report.findings
    assert finding == ("link out", (root / "cat" / "b.jpg",), f"leads to {target}")
    assert not finding.is_error


def parts(tmp_path):
    root = tmp_path / "sets"
    make_folder(root / "train", {"cat": 6, "dog": 6})
    for i, name in enumerate(("cat", "dog")):
        save(root / "test" / name / "other.jpg", 900 + i)
    return root


def test_parts_are_found(tmp_path):
    root = parts(tmp_path)
    assert set(list_splits(root)) == {"train", "test"}
    assert set(list_splits(root / "train")) == {"train"}
    assert kinds(root) == {}


def test_a_leak_between_parts(tmp_path):
    root = parts(tmp_path)
    shutil.copy(root / "train" / "cat" / "cat_002.jpg", root / "test" / "cat" / "renamed.jpg")
    assert kinds(root) == {"in two parts": 1}


ALIKE = {
    "saved again": lambda image: (image, {"quality": 70}),
    "half the size": lambda image: (image.resize((image.width // 2, image.height // 2)), {}),
    "brighter": lambda image: (image.point(lambda v: min(255, v * 1.1)), {}),
}


@pytest.mark.parametrize("change", ALIKE.values(), ids=ALIKE)
def test_a_leak_by_look(tmp_path, change):
    root = parts(tmp_path)
    make_image(700, 96, 128).save(root / "train" / "cat" / "large.jpg")
    with Image.open(root / "train" / "cat" / "large.jpg") as image:
        changed, settings = change(image)
        changed.save(root / "test" / "cat" / "changed.jpg", **settings)
    assert kinds(root) == {"look-alike in two parts": 1}
    assert check.check_splits(list_splits(root)).errors == 1
    report = check.check_splits(list_splits(root), look_alikes=False)
    assert report.findings == []


def test_one_image_in_two_classes_is_an_error(tmp_path):
    root = make_folder(tmp_path / "set", {"cat": 3, "dog": 3})
    shutil.copy(root / "cat" / "cat_000.jpg", root / "dog" / "again.jpg")
    shutil.copy(root / "dog" / "dog_001.jpg", root / "dog" / "copy.jpg")
    report = check.check_splits(list_splits(root))
    assert {k: len(f) for k, f in report.by_kind().items()} == {"two classes": 1, "copy": 1}
    assert report.errors == 1


def test_classes_that_are_missing_empty_or_small(tmp_path):
    root = parts(tmp_path)
    make_folder(root / "val", {"cat": 10, "dog": 1})
    (root / "val" / "eel").mkdir()
    found = kinds(root)
    assert found["class missing"] == 2  # eel, in train and test
    assert found["empty class"] == 1
    assert found["unbalanced"] == 1


def test_blank_images_are_not_look_alikes(tmp_path):
    root = make_folder(tmp_path / "set", {"cat": 3})
    for gray in (10, 100, 200):
        Image.new("L", (30, 30), gray).save(root / "cat" / f"gray{gray}.png")
    assert kinds(root) == {"blank": 3}


def test_findings_as_csv(tmp_path):
    root = make_folder(tmp_path / "set", {"cat": 3})
    (root / "cat" / "x, y.jpg").write_bytes(b"")
    report = check.check_splits(list_splits(root))
    check.write_findings(report.findings, tmp_path / "found.csv")
    lines = (tmp_path / "found.csv").read_text().splitlines()
    assert lines == [
        "kind,level,text,paths",
        f'unreadable,error,the file is empty,"{root}/cat/x, y.jpg"',
    ]


@needs_data
def test_known_duplicates_of_the_scenes_are_found():
    report = check.check_splits(list_splits(DATA / "scenes"))
    assert report.files == 4320
    pairs = [{p.name for p in f.paths} for f in report.by_kind()["look-alike"]]
    assert {"12692.jpg", "3339.jpg"} in pairs
    assert {"6480.jpg", "9504.jpg"} in pairs


# --- rename ----------------------------------------------------------------------------------


def folder_to_rename(tmp_path):
    root = tmp_path / "photos"
    for i, name in enumerate(["IMG 7.JPG", "b.png", "a.jpg", "cat_0002.jpg", "ü.jpeg"]):
        save(root / "cat" / name, i, format="PNG" if name.endswith("png") else "JPEG")
    save(root / "dog" / "x.jpg", 50)
    return root


def test_names_are_class_and_number(tmp_path):
    root = folder_to_rename(tmp_path)
    before = sorted(contents(root).values())
    rename.apply_renames(rename.plan_renames(list_folder(root)), tmp_path / "journal.csv")
    assert sorted(contents(root)) == [
        "cat/cat_0001.jpg", "cat/cat_0002.JPG", "cat/cat_0003.jpg", "cat/cat_0004.png",
        "cat/cat_0005.jpeg", "dog/dog_0001.jpg",
    ]  # fmt: skip
    assert sorted(contents(root).values()) == before
    assert rename.plan_renames(list_folder(root)) == []


def test_undo_brings_every_name_back(tmp_path):
    root = folder_to_rename(tmp_path)
    before = contents(root)
    rename.apply_renames(rename.plan_renames(list_folder(root)), tmp_path / "journal.csv")
    assert contents(root) != before
    assert rename.undo_renames(tmp_path / "journal.csv") >= 5
    assert contents(root) == before


def interrupting(late):
    """Return an os.rename that is interrupted before its second call, or after its first."""
    real, calls = os.rename, []

    def rename_once(old, new):
        if calls:
            raise KeyboardInterrupt
        calls.append(old)
        real(old, new)
        if late:
            raise KeyboardInterrupt

    return rename_once


@pytest.mark.parametrize("stop", range(9))
def test_an_interrupted_renaming_loses_nothing_and_can_be_undone(tmp_path, monkeypatch, stop):
    root = tmp_path / "photos"
    for i in range(6):  # a circle of three, a swap, and one more
        save(root / "cat" / f"{i}.jpg", i)
    before = contents(root)
    names = [root / "cat" / f"{i}.jpg" for i in range(6)]
    new = [1, 2, 0, 4, 3, 6]
    plan = [
        rename.Rename(old, root / "cat" / f"{k}.jpg") for old, k in zip(names, new, strict=True)
    ]
    done, real = [], os.rename

    def counted(old, to):
        if len(done) == stop:
            raise KeyboardInterrupt
        done.append(old)
        real(old, to)

    monkeypatch.setattr(os, "rename", counted)
    try:
        rename.apply_renames(plan, tmp_path / "journal.csv")
    except KeyboardInterrupt:
        assert stop < 8
    else:
        assert (root / "cat" / "1.jpg").read_bytes() == before["cat/0.jpg"]
    monkeypatch.setattr(os, "rename", real)
    assert sorted(contents(root).values()) == sorted(before.values())
    # The undoing is interrupted as well, once before a renaming and once before its mark.
    for late in (False, True):
        monkeypatch.setattr(os, "rename", interrupting(late))
        with contextlib.suppress(KeyboardInterrupt):
            rename.undo_renames(tmp_path / "journal.csv")
        monkeypatch.setattr(os, "rename", real)
    rename.undo_renames(tmp_path / "journal.csv")
    assert contents(root) == before
    assert rename.undo_renames(tmp_path / "journal.csv") == 0


def test_a_name_that_belongs_to_another_file(tmp_path):
    root = folder_to_rename(tmp_path)
    (root / "cat" / "cat_0001.jpg").mkdir()  # not an image, so not in the plan
    before = contents(root)
    with pytest.raises(FileExistsError):
        rename.apply_renames(rename.plan_renames(list_folder(root)), tmp_path / "journal.csv")
    assert contents(root) == before
    assert not (tmp_path / "journal.csv").exists()


@pytest.mark.parametrize("pattern", ["{class}", "../{number}", "a/{number}", ""])
def test_patterns_that_name_no_file(tmp_path, pattern):
    with pytest.raises(ArgumentError):
        rename.plan_renames(list_folder(folder_to_rename(tmp_path)), pattern)


@pytest.mark.parametrize("content", [b"link,file\na,b\n", b"\xff\xd8a\rb\x00\n", b""])
def test_what_is_no_journal(tmp_path, content):
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(FormatError):
        rename.undo_renames(tmp_path / "x.csv")
