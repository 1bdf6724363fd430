"""What a library notices of folders: new, changed, moved and deleted pictures."""

from __future__ import annotations

import os
from pathlib import Path

import library_tools
import pytest

pytest.importorskip("django", reason="Django is missing: pip install -e '.[dev]'")

from minicnn.apps.library import listing
from minicnn.apps.library.indexing import index
from minicnn.apps.library.listing import list_pictures
from minicnn.apps.library.models import Features, Folder, Picture
from minicnn.apps.library.scanning import scan
from minicnn.data import image_files


@pytest.fixture
def photos(tmp_path):
    library_tools.make_pictures(tmp_path / "photos", 5)
    library_tools.make_pictures(tmp_path / "photos" / "may", 4, start=10)
    return tmp_path / "photos"


@pytest.fixture
def filled(library, photos):
    """A library that has the photos."""
    index(library, [photos], [library_tools.Shades()])
    return library


def counts(found):
    return found.new, found.changed, found.moved, found.deleted


def keys(library):
    """Return {absolute path: key of the row}."""
    rows = Picture.objects.using(library.alias).select_related("folder")
    return {os.path.join(one.folder.path, one.path): one.pk for one in rows}


def check(library, photos):
    library_tools.check_complete(library, photos, [library_tools.Shades()])


def test_new_pictures_become_rows(library, photos):
    assert counts(scan(library, [photos])) == (9, 0, 0, 0)
    found = keys(library)
    assert sorted(found, key=found.__getitem__) == sorted(map(str, photos.rglob("*.png")))
    assert counts(scan(library, [photos])) == (0, 0, 0, 0)


def test_unchanged_pictures_are_not_opened(filled, photos, monkeypatch):
    def opened(path):
        raise AssertionError(path)

    monkeypatch.setattr(listing, "kind_of_file", opened)
    assert counts(scan(filled, [photos])) == (0, 0, 0, 0)


def test_a_changed_picture_is_indexed_again(filled, photos):
    path = photos / "0001.png"
    before = keys(filled)
    path.write_bytes((photos / "0002.png").read_bytes() + b"more")
    extractor = library_tools.Shades()
    done = index(filled, [photos], [extractor])
    assert counts(done.scan) == (0, 1, 0, 0)
    assert (done.described, extractor.seen) == (1, 1)
    assert keys(filled) == before
    check(filled, photos)


def test_a_changed_content_of_the_same_size_is_noticed_by_its_time(filled, photos):
    path = photos / "0001.png"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(1, 1))
    assert counts(scan(filled, [photos])) == (0, 1, 0, 0)


def test_another_time_with_the_same_content_costs_nothing(filled, photos):
    os.utime(photos / "0001.png", ns=(10**18, 10**18))
    extractor = library_tools.Shades()
    done = index(filled, [photos], [extractor])
    assert counts(done.scan) == (0, 0, 0, 0)
    assert extractor.seen == 0
    assert Picture.objects.using(filled.alias).get(path="0001.png").modified == 10**18


def test_a_moved_picture_keeps_its_row_and_features(filled, photos):
    before = keys(filled)
    new = photos / "june" / "renamed.png"
    new.parent.mkdir()
    (photos / "0001.png").rename(new)
    extractor = library_tools.Shades()
    done = index(filled, [photos], [extractor])
    assert counts(done.scan) == (0, 0, 1, 0)
    assert extractor.seen == 0
    assert keys(filled)[str(new)] == before[str(photos / "0001.png")]
    check(filled, photos)


def test_a_renamed_folder_is_moved_pictures(filled, photos):
    (photos / "may").rename(photos / "june")
    assert counts(scan(filled, [photos])) == (0, 0, 4, 0)
    check(filled, photos)


def test_pictures_move_between_folders_of_one_run(filled, photos, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (photos / "0001.png").rename(other / "0001.png")
    assert counts(scan(filled, [photos, other])) == (0, 0, 1, 0)


def test_a_copy_is_new_and_its_origin_stays(filled, photos):
    (photos / "copy.png").write_bytes((photos / "0001.png").read_bytes())
    assert counts(scan(filled, [photos])) == (1, 0, 0, 0)


def test_pictures_with_the_same_content_move_to_one_row_each(library, photos):
    for name in ("a.png", "b.png"):
        (photos / name).write_bytes((photos / "0001.png").read_bytes())
    index(library, [photos], [library_tools.Shades()])
    for name in ("a.png", "b.png", "0001.png"):
        (photos / name).rename(photos / f"new-{name}")
    (photos / "fourth.png").write_bytes((photos / "new-a.png").read_bytes())
    assert counts(scan(library, [photos])) == (1, 0, 3, 0)


def test_deleted_pictures_leave_no_rows(filled, photos):
    (photos / "0001.png").unlink()
    assert counts(scan(filled, [photos])) == (0, 0, 0, 1)
    check(filled, photos)
    assert Features.objects.using(filled.alias).count() == 8


def test_a_folder_without_any_picture_left_is_refused(filled, photos):
    """As when a disk is not mounted: the library would lose everything."""
    for path in photos.rglob("*.png"):
        path.unlink()
    with pytest.raises(FileNotFoundError, match=r"has 9 of this folder.*--force"):
        scan(filled, [photos])
    assert Picture.objects.using(filled.alias).count() == 9
    assert counts(scan(filled, [photos], force=True)) == (0, 0, 0, 9)


def test_pictures_in_a_folder_that_cannot_be_opened_are_kept(filled, photos, monkeypatch):
    real = os.scandir

    def closed(path):
        if Path(path).name == "may":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", closed)
    found = scan(filled, [photos])
    assert counts(found) == (0, 0, 0, 0)
    assert found.left_out == {listing.CLOSED: 1}


def test_a_missing_folder_changes_nothing(filled, photos, tmp_path):
    (photos / "0001.png").unlink()
    with pytest.raises(FileNotFoundError, match="no such folder; give a folder of pictures"):
        scan(filled, [photos, tmp_path / "missing"])
    with pytest.raises(FileNotFoundError, match="is a file"):
        scan(filled, [photos / "0002.png"])
    assert Picture.objects.using(filled.alias).count() == 9


def test_a_folder_inside_one_of_the_library_is_a_part_of_it(filled, photos):
    (photos / "may" / "0010.png").unlink()
    (photos / "0001.png").unlink()  # not below, so it is not looked for
    library_tools.make_pictures(photos / "may" / "sub", 1, start=50)
    assert counts(scan(filled, [photos / "may"])) == (1, 0, 0, 1)
    assert Folder.objects.using(filled.alias).count() == 1
    assert counts(scan(filled, [photos])) == (0, 0, 0, 1)


def test_a_folder_that_contains_one_of_the_library_takes_it_over(library, photos):
    index(library, [photos / "may"], [library_tools.Shades()])
    before = keys(library)
    extractor = library_tools.Shades()
    done = index(library, [photos], [extractor])
    assert counts(done.scan) == (5, 0, 0, 0)
    assert extractor.seen == 5
    assert Folder.objects.using(library.alias).get().path == str(photos)
    assert before.items() <= keys(library).items()
    check(library, photos)


def test_folders_given_twice_are_searched_once(library, photos, tmp_path):
    (tmp_path / "link").symlink_to(photos)
    given = [photos / "may", photos, tmp_path / "link", f"{photos}/may/.."]
    assert counts(scan(library, given)) == (9, 0, 0, 0)
    assert Folder.objects.using(library.alias).get().path == str(photos)


def test_a_name_that_begins_like_a_folder_is_not_inside_it(library, photos, tmp_path):
    library_tools.make_pictures(tmp_path / "photos 2", 2, start=70)
    assert scan(library, [photos]).new == 9
    assert scan(library, [tmp_path / "photos 2"]).new == 2
    assert Folder.objects.using(library.alias).count() == 2


def test_upper_and_lower_case_are_different_folders(library, tmp_path):
    library_tools.make_pictures(tmp_path / "a" / "May", 2)
    library_tools.make_pictures(tmp_path / "a" / "may", 2, start=5)
    if len(list((tmp_path / "a").iterdir())) < 2:
        pytest.skip("this disk ignores upper and lower case")
    scan(library, [tmp_path / "a"])
    (tmp_path / "a" / "May" / "0000.png").unlink()
    assert counts(scan(library, [tmp_path / "a" / "may"])) == (0, 0, 0, 0)
    assert counts(scan(library, [tmp_path / "a" / "May"])) == (0, 0, 0, 1)


def test_what_is_left_out_is_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(listing, "reads_heic", lambda: False)
    folder = tmp_path / "photos"
    picture = library_tools.make_pictures(folder, 1)[0].read_bytes()
    for name in (
        ".hidden.png",
        "Thumbs.db",
        "raw.nef",
        b"caf\xe9.png".decode(errors="surrogateescape"),
    ):
        (folder / name).write_bytes(picture)
    (folder / "notes.txt").write_text("no image")
    (folder / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(20))
    (folder / "link.png").symlink_to(folder / "0000.png")
    (folder / "folder").symlink_to(tmp_path)
    (folder / "content.dat").write_bytes(picture)
    (folder / "damaged.png").write_bytes(b"not a picture")
    (folder / ".minicnn-library.sqlite3").write_bytes(b"")
    os.mkfifo(folder / "pipe.png")
    found = list_pictures(str(folder), {})
    assert set(found.files) == {"0000.png", "content.dat", "damaged.png"}
    assert found.left_out == {
        listing.HIDDEN: 2, listing.RAW_FILE: 1, listing.NOT_UNICODE: 1, listing.NO_IMAGE: 1,
        listing.NEEDS_HEIC: 1, listing.LINK: 2, listing.NO_FILE: 1,
    }  # fmt: skip


def test_two_scans_at_once_agree(filled, photos, monkeypatch):
    """The second one compared the folder before the first one wrote what it had found."""
    from minicnn.apps.library import scanning

    (photos / "0001.png").rename(photos / "moved.png")
    (photos / "0002.png").unlink()
    (photos / "0003.png").write_bytes(b"damaged")
    library_tools.make_pictures(photos, 1, start=90)
    real, found = scanning._apply, []

    def after_the_other(library, changes):
        found.append(changes)
        if len(found) == 1:
            assert counts(scan(library, [photos])) == (1, 1, 1, 1)
        real(library, changes)

    monkeypatch.setattr(scanning, "_apply", after_the_other)
    assert counts(scan(filled, [photos])) == (1, 1, 1, 1)
    assert set(keys(filled)) == set(map(str, photos.rglob("*.png")))
    assert len(found) == 2


def test_heic_is_listed_where_it_can_be_read(tmp_path):
    if not image_files.reads_heic():
        pytest.skip("pillow-heif is missing: pip install -e '.[dev]'")
    (tmp_path / "phone.dat").write_bytes(b"\0\0\0\x18ftypheic" + bytes(20))
    assert set(list_pictures(str(tmp_path), {}).files) == {"phone.dat"}
