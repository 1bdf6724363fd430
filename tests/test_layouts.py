"""The layouts of image folders, which every command recognizes in the same way."""

from __future__ import annotations

import pytest
from image_folders import make_folder

from minicnn.apps.cli import main
from minicnn.apps.recipes import RECIPES
from minicnn.apps.runs.settings import Settings
from minicnn.apps.runs.split_files import split_files
from minicnn.apps.runs.throttled_progress import throttled_progress
from minicnn.data.folder_layouts import find_splits, list_splits
from minicnn.errors import ArgumentError

FEW = {"cat": 3, "dog": 3}


def make(root, *parts, classes=FEW):
    for part in parts:
        make_folder(root / part, classes)
    return root


LAYOUTS = {
    "classes": (["."], {}),
    "train and test": (["train", "test"], {"train": "train", "test": "test"}),
    "three parts": (["val", "test", "train"], {"train": "train", "val": "val", "test": "test"}),
    "other usual names": (
        ["seg_train/seg_train", "seg_test"],
        {"seg_train": "seg_train/seg_train", "seg_test": "seg_test"},
    ),
    "own names": (["fit", "check"], {"check": "check", "fit": "fit"}),
    "one part": (["train"], {"train": "train"}),
    "one folder of another name": (["fit"], {}),
}


@pytest.mark.parametrize(("folders", "parts"), LAYOUTS.values(), ids=LAYOUTS)
def test_parts(tmp_path, folders, parts):
    make(tmp_path, *folders)
    found = {name: str(path.relative_to(tmp_path)) for name, path in find_splits(tmp_path).items()}
    assert found == parts and list(found) == list(parts)
    if parts:
        assert {len(images.paths) for images in list_splits(tmp_path).values()} == {6}


def test_images_deeper_in_a_class_are_no_parts(tmp_path):
    make(tmp_path, "cats", "dogs", classes={"2023": 2})
    assert find_splits(tmp_path) == {}
    assert [len(images.paths) for images in list_splits(tmp_path).values()] == [4]


def test_a_class_may_be_called_train(tmp_path):
    make_folder(tmp_path, {"train": 10, "ship": 10})
    assert find_splits(tmp_path) == {}
    assert split_files(tmp_path, Settings("cifar", str(tmp_path))).train.class_names == [
        "ship", "train",
    ]  # fmt: skip


def test_a_part_may_lack_a_class(tmp_path):
    make(tmp_path, "fit", classes={"cat": 2, "dog": 2, "cow": 2})
    make(tmp_path, "check")
    assert list(find_splits(tmp_path)) == ["check", "fit"]


def test_a_training_does_not_take_parts_for_classes(tmp_path):
    make(tmp_path, "fit", "check")
    with pytest.raises(
        ArgumentError, match="split into check, fit; name the folders train and test"
    ):
        split_files(tmp_path, Settings("cifar", str(tmp_path)))


# Every recipe's classes.

WRONG = {
    "xray": ({"animals": 10, "car": 10, "food": 10}, "has the 3 classes animals, car, food"),
    "photo": (dict.fromkeys(RECIPES["scene"].classes, 10), "has the 6 classes buildings, forest"),
    "lenet": ({"cat": 10, "dog": 10}, "needs 0, 1, 2"),
}


@pytest.mark.parametrize("name", WRONG)
def test_reproduce_refuses_other_classes_before_anything_is_made(tmp_path, capsys, name):
    classes, text = WRONG[name]
    photos = make(tmp_path, "my photos", classes=classes) / "my photos"
    runs = tmp_path / "runs"
    assert main.run(["reproduce", name, "--data", str(photos), "--runs", str(runs)]) == 1
    err = capsys.readouterr().err
    assert text in err and f"minicnn train --data '{photos}' --model" in err
    assert not runs.exists()


def test_capitals_and_plurals_are_the_same_classes():
    RECIPES["catdog"].check_classes(["Cats", "DOG"], "x")
    RECIPES["xray"].check_classes(["NORMAL", "PNEUMONIA"], "x")
    with pytest.raises(ArgumentError):
        RECIPES["catdog"].check_classes(["cats"], "x")


def test_every_recipe_says_its_classes():
    assert {name: len(one.classes) for name, one in RECIPES.items()} == {
        "lenet": 10, "scene": 6, "photo": 6, "photo-small": 6, "xray": 2, "cifar": 10, "catdog": 2,
    }  # fmt: skip


def test_progress_is_throttled_and_silent_at_the_end():
    said, seconds = [], iter([0, 1, 5, 6, 11, 20])
    tell = throttled_progress(said.append, "Reading", lambda: next(seconds))
    for done in range(1, 6):
        tell(done * 1000, 5000)
    assert said == ["Reading: 2,000 of 5,000", "Reading: 4,000 of 5,000"]
