"""Listing labeled image files in folders and text files."""

from __future__ import annotations

import errno
import os

import pytest
from image_folders import make_ramps, save_ramp

from minicnn.data import found_text, image_list, list_folder, read_list
from minicnn.errors import ArgumentError, FormatError


def test_classes_and_files_are_sorted_as_text(tmp_path):
    make_ramps(tmp_path, classes=("b", "10", "9", "Z"))
    images = list_folder(tmp_path)
    assert images.class_names == ["10", "9", "Z", "b"]
    assert images.labels.tolist() == [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3
    assert images.filenames[:4] == ["10/0.png", "10/1.png", "10/2.png", "9/0.png"]
    assert images.class_indices == {"10": 0, "9": 1, "Z": 2, "b": 3}
    assert found_text(images) == "Found 12 images belonging to 4 classes."


def test_what_systems_leave_behind_is_passed_over(tmp_path):
    make_ramps(tmp_path, count=1)
    for name in ("cats/.hidden.png", "cats/__MACOSX/a.png", "@eaDir/a.png", ".git/a.png"):
        save_ramp(tmp_path / name)
    for name in ("cats/Thumbs.db", "cats/notes.txt", "a.png.part"):
        (tmp_path / name).write_bytes(b"")
    save_ramp(tmp_path / "cats/deeper/B.JPG")
    images = list_folder(tmp_path)
    assert images.class_names == ["cats", "dogs"]
    assert images.filenames == ["cats/0.png", "cats/deeper/B.JPG", "dogs/0.png"]


def test_chosen_classes_keep_their_order(tmp_path):
    make_ramps(tmp_path, count=1, classes=("a", "b", "c"))
    images = list_folder(tmp_path, ["c", "a"])
    assert images.class_names == ["c", "a"] and images.filenames == ["c/0.png", "a/0.png"]
    with pytest.raises(FileNotFoundError, match="no folder for the class 'x'"):
        list_folder(tmp_path, ["a", "x"])
    with pytest.raises(ArgumentError):
        list_folder(tmp_path, ["a", "a"])


def test_an_empty_class_keeps_its_number(tmp_path):
    make_ramps(tmp_path, count=1, classes=("a", "c"))
    (tmp_path / "b").mkdir()
    with pytest.warns(UserWarning, match="1 classes have no images: b"):
        images = list_folder(tmp_path)
    assert images.class_names == ["a", "b", "c"] and images.labels.tolist() == [0, 2]


def test_folders_that_cannot_be_used_say_why(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such folder"):
        list_folder(tmp_path / "none")
    with pytest.raises(FileNotFoundError, match="no class folders"):
        list_folder(tmp_path)
    (tmp_path / "cats").mkdir()
    (tmp_path / "cats" / "a.txt").write_text("")
    with pytest.raises(FileNotFoundError, match=r"Found 0 of 1 files with a known image type"):
        list_folder(tmp_path)


def test_links_to_folders_are_followed_on_request(tmp_path):
    make_ramps(tmp_path / "data", count=1)
    (tmp_path / "data/cats/more").symlink_to(make_ramps(tmp_path / "other", count=1) / "dogs")
    assert len(list_folder(tmp_path / "data").paths) == 2
    assert len(list_folder(tmp_path / "data", follow_links=True).paths) == 3


@pytest.mark.parametrize("target", [".", "..", "deeper"])
def test_a_link_that_leads_back_counts_nothing_twice(tmp_path, target):
    make_ramps(tmp_path, count=2)
    save_ramp(tmp_path / "cats/deeper/2.png")
    expected = list_folder(tmp_path).filenames
    (tmp_path / "cats/loop").symlink_to(target, target_is_directory=True)
    assert list_folder(tmp_path, follow_links=True).filenames == expected


@pytest.mark.parametrize("target", [".", ".."])
def test_a_link_to_the_folder_itself_is_no_class(tmp_path, target):
    make_ramps(tmp_path / "data", count=1)
    (tmp_path / "data/all").symlink_to(target, target_is_directory=True)
    assert list_folder(tmp_path / "data").class_names == ["cats", "dogs"]
    (tmp_path / "data/wolves").symlink_to(tmp_path / "data/dogs", target_is_directory=True)
    assert list_folder(tmp_path / "data").class_names == ["cats", "dogs", "wolves"]


# --- lists ----------------------------------------------------------------------------------------


def test_a_list_of_numbers(tmp_path):
    (tmp_path / "train.txt").write_text("# a comment\nzero/a b.png 0\n\ntwo/c.png   2\n", "utf-8")
    images = read_list(tmp_path / "train.txt")
    assert images.filenames == ["zero/a b.png", "two/c.png"]
    assert images.labels.tolist() == [0, 2] and images.class_names == ["0", "1", "2"]


def test_a_list_of_names_and_another_root(tmp_path):
    (tmp_path / "train.txt").write_text("\ufeffa.png dog\nb.png cat\n", "utf-8")
    images = read_list(tmp_path / "train.txt", tmp_path / "images")
    assert images.paths[0] == tmp_path / "images" / "a.png"
    assert images.class_names == ["cat", "dog"] and images.labels.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "names no images"),
        ("a.png 0\nb.png\n", "line 2"),
        ("a.png 99999999", "class index 99999999 in 1 lines"),
        ("a.png 1234567890123456789012345", "class index 1234567890123456789012345 in 1 lines"),
        (f"a.png {'9' * 5000}", "class index 9999"),
        (f"a.png 0\n{'b' * 100_000}\n", "line 2 must be a path and a label; got 'bbb"),
        ("a.png 0\nb\xe9.png 1\n", "line 2 has the byte 0xe9, which is not valid UTF-8"),
    ],
)
def test_wrong_lists(tmp_path, text, message):
    (tmp_path / "list.txt").write_bytes(text.encode("latin-1"))
    with pytest.raises(FormatError, match=message) as caught:
        read_list(tmp_path / "list.txt")
    assert len(caught.value.reason) < 300


def test_numbers_of_classes_with_zeros_in_front(tmp_path):
    (tmp_path / "list.txt").write_text(f"a.png 007\nb.png {'0' * 30}9\n")
    assert read_list(tmp_path / "list.txt").labels.tolist() == [7, 9]


def test_a_list_that_is_a_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "list.txt")
    with pytest.raises(FormatError, match="is a device, a pipe or a socket"):
        read_list(tmp_path / "list.txt")


class Compared(str):
    """A label that counts how often it is compared."""

    comparisons = 0

    def __eq__(self, other):
        Compared.comparisons += 1
        return super().__eq__(other)

    __hash__ = str.__hash__


def test_a_list_of_many_classes_compares_each_label_a_few_times(tmp_path, monkeypatch):
    count = 3000
    rows = [(f"{i}.png", Compared(f"class {i}")) for i in range(count)]
    monkeypatch.setattr(image_list, "_rows", lambda _: rows)
    Compared.comparisons = 0
    assert len(read_list(tmp_path / "list.txt").class_names) == count
    assert Compared.comparisons < 10 * count


def locking(monkeypatch, folder):
    """Make a folder inaccessible, even if the tests run as a user who may open everything."""
    real = os.scandir

    def scandir(path):
        if os.fspath(path) == str(folder):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)


@pytest.mark.filterwarnings("ignore:1 classes have no images")
def test_a_folder_that_cannot_be_looked_into_is_not_taken_for_an_empty_one(tmp_path, monkeypatch):
    make_ramps(tmp_path)
    save_ramp(tmp_path / "cats" / "more" / "a.png")
    for folder in (tmp_path / "cats", tmp_path / "cats" / "more"):
        with monkeypatch.context() as patch:
            locking(patch, folder)
            with pytest.raises(PermissionError) as caught:
                list_folder(tmp_path)
            assert caught.value.filename == str(folder)
            found = len(list_folder(tmp_path, skip_inaccessible=True).paths)
            assert found == (6 if folder.name == "more" else 3)


def test_links_that_lead_to_themselves_are_no_classes(tmp_path):
    make_ramps(tmp_path)
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "cats" / "loop").symlink_to("loop")
    assert list_folder(tmp_path).class_names == ["cats", "dogs"]
