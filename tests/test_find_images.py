"""The folders of the papers' photographs: where they are found, and what is said if not."""

from __future__ import annotations

import pytest
from image_folders import make_folder

from minicnn.datasets import find_images
from minicnn.errors import ArgumentError


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MINICNN_DATA", raising=False)


def make_split(root, *names, classes=("cats", "dogs")):
    for name in names:
        make_folder(root / name, dict.fromkeys(classes, 1))
    return root


def test_it_is_found_where_it_is_named_and_in_the_usual_folder(tmp_path, monkeypatch):
    root = make_split(tmp_path / "data/catdog", "train", "test")
    expected = (root, root / "train", None, root / "test", None)
    assert find_images("catdog", root) == expected
    assert find_images("catdog", str(tmp_path / "data")) == expected
    assert find_images("catdog").train.resolve() == root / "train"
    moved = (tmp_path / "data").rename(tmp_path / "elsewhere")
    monkeypatch.setenv("MINICNN_DATA", str(moved))
    assert find_images("catdog").test == moved / "catdog/test"


def test_archives_of_kaggle_are_understood(tmp_path):
    root = make_split(tmp_path / "intel", "seg_train/seg_train", "seg_test/seg_test", "val")
    (root / "seg_pred/seg_pred").mkdir(parents=True)
    found = find_images("scenes", root)
    assert found.train == root / "seg_train/seg_train"
    assert found.validation == root / "val"
    assert found.unlabeled == root / "seg_pred/seg_pred"


def test_photographs_are_not_split_yet(tmp_path):
    root = make_folder(tmp_path / "photos", {"cats": 1, "dogs": 1})
    assert find_images("photos", root) == (root, None, None, None, None)
    make_split(tmp_path / "sets", "train", "test")
    with pytest.raises(ArgumentError, match="is split already, into train, test"):
        find_images("photos", tmp_path / "sets")


SOURCES = {"scenes": "Intel", "xray": "Kermany", "catdog": "Kaggle", "photos": "minicnn data fetch"}


@pytest.mark.parametrize(("name", "source"), SOURCES.items())
def test_what_is_missing_is_said_with_the_layout_and_the_source(name, source):
    with pytest.raises(FileNotFoundError) as caught:
        find_images(name)
    text = caught.value.strerror
    assert caught.value.filename == f"data/{name}"
    for words in ("no such folder", "CLASS/", source, "set MINICNN_DATA", f"contains {name}/"):
        assert words in text
    assert ("test/CLASS/" in text) == (name != "photos")


def test_a_folder_with_something_else_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="has no train/ and test/ with one folder of"):
        find_images("scenes", make_folder(tmp_path / "a", {"cats": 1, "dogs": 1}))
    with pytest.raises(FileNotFoundError, match="has no test/ with one folder of images"):
        find_images("scenes", make_split(tmp_path / "b", "train"))
    (tmp_path / "c").mkdir()
    with pytest.raises(FileNotFoundError, match="has no folders of images"):
        find_images("photos", tmp_path / "c")
    (tmp_path / "d").write_text("")
    with pytest.raises(FileNotFoundError, match="is a file"):
        find_images("photos", tmp_path / "d")
    with pytest.raises(ArgumentError, match="name must be one of"):
        find_images("flowers")


def test_classes_that_do_not_match_are_refused(tmp_path):
    root = make_split(tmp_path / "a", "train")
    make_split(root, "test", classes=("cats", "cows"))
    with pytest.raises(ArgumentError, match=r"the classes \['cats', 'dogs'\], but .*'cows'"):
        find_images("catdog", root)
    one = make_split(tmp_path / "b", "train", "test", classes=("cats",))
    with pytest.raises(ArgumentError, match="one class, 'cats'"):
        find_images("catdog", one)
    with pytest.raises(ArgumentError, match="one class, 'cats'"):
        find_images("photos", make_folder(tmp_path / "c", {"cats": 1}))
