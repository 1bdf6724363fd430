"""The sizes and contents of the training and validation subsets."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from image_folders import make_ramps

import minicnn as mc
from minicnn.callbacks import CallbackList
from minicnn.data import ImageDataGenerator, image_dataset_from_directory
from minicnn.data.validation_split import split_size
from minicnn.errors import ArgumentError
from minicnn.models.batches import batches_of
from minicnn.models.training.fit import Fit

QUIET = {"target_size": 4, "verbose": False}


@pytest.mark.parametrize(
    ("samples", "split", "train", "validation"),
    [
        # What Keras 3.15 trains on and validates with.
        (14, 0.2, 11, 3), (5, 0.5, 2, 3), (100, 0.29, 71, 29), (4, 0.2, 3, 1), (3, 0.2, 2, 1),
        (10, 0.1, 9, 1), (1000, 0.15, 850, 150),
        # Keras makes nothing of this: 1 - 0.9 is a hair below 0.1.
        (10, 0.9, 1, 9),
    ],
)  # fmt: skip
def test_validation_split_keeps_the_whole_part_to_train_with(samples, split, train, validation):
    model = mc.Sequential([mc.Input((2,)), mc.layers.Dense(1)])
    model.compile("sgd", "mse")
    fit = Fit(model, CallbackList(add_history=True, model=model), 0)
    fit.set_data(batches_of(np.ones((samples, 2), np.float32), np.zeros((samples, 1))), None)
    fit.set_validation(None, split, None)
    assert (fit.data.samples, fit.validation.samples) == (train, validation)


def test_fractions_cut_as_decimal_numbers_do():
    for percent in range(1, 100):
        for count in range(1, 200):
            assert split_size(count, percent / 100) == count * percent // 100
            assert split_size(count, 1 - percent / 100) == count * (100 - percent) // 100
    assert math.floor(0.29 * 100) == 28  # why this is not what `floor` alone does


@pytest.mark.parametrize("percent", [7, 29, 57, 58])  # of which 0.01 * 100 is a hair below each
def test_generators_validate_with_the_whole_part(tmp_path, percent):
    x, y = np.zeros((100, 4, 4, 1), np.uint8), np.arange(100) % 2
    generator = ImageDataGenerator(validation_split=percent / 100)
    parts = [generator.flow(x, y, subset=subset).n for subset in ("training", "validation")]
    assert parts == [100 - percent, percent]


def test_a_data_set_of_files_validates_with_the_whole_part(tmp_path):
    make_ramps(tmp_path, 50)
    options = {"validation_split": 0.29, "image_size": 4, "verbose": False}
    parts = [
        image_dataset_from_directory(tmp_path, subset=subset, **options).n
        for subset in ("training", "validation")
    ]
    assert parts == [71, 29]


# --- empty parts --------------------------------------------------------------------------------


@pytest.mark.parametrize("split", [0.0, 0.2])
def test_an_empty_part_of_a_folder_is_refused_when_it_is_made(tmp_path, split):
    make_ramps(tmp_path, 4)  # a fifth of 4 is no whole image
    generator = ImageDataGenerator(validation_split=split)
    with pytest.raises(ArgumentError, match=r"of 8 images leaves none for subset='validation'"):
        generator.flow_from_directory(tmp_path, subset="validation", **QUIET)
    assert generator.flow_from_directory(tmp_path, subset="training", **QUIET).n == 8


def test_an_empty_part_of_a_data_set_is_refused_when_it_is_made(tmp_path):
    make_ramps(tmp_path, 5)
    options = {"validation_split": 0.05, "seed": 1, "image_size": 4, "verbose": False}
    with pytest.raises(ArgumentError, match=r"validation_split=0\.05 of 10 images leaves none for"):
        image_dataset_from_directory(tmp_path, subset="validation", **options)
    assert image_dataset_from_directory(tmp_path, subset="training", **options).n == 10


@pytest.mark.parametrize("split", [0.0, 0.05])
def test_an_empty_part_of_arrays_is_refused_when_it_is_made(split):
    generator = ImageDataGenerator(validation_split=split)
    with pytest.raises(ArgumentError, match=r"of 10 images leaves none for subset='validation'"):
        generator.flow(np.zeros((10, 4, 4, 1), np.uint8), subset="validation")


def test_a_class_without_an_image_in_a_part_is_said(tmp_path):
    make_ramps(tmp_path, 10, classes=("a",))
    make_ramps(tmp_path, 2, classes=("b",))
    generator = ImageDataGenerator(validation_split=0.2)
    with pytest.warns(UserWarning, match="no image of 1 classes is in the validation subset.*: b"):
        part = generator.flow_from_directory(tmp_path, subset="validation", **QUIET)
    assert part.classes.tolist() == [0, 0]
    generator.flow_from_directory(tmp_path, subset="training", **QUIET)  # has all: no warning


# --- arrays sorted by class ---------------------------------------------------------------------

SORTED = {
    "numbers": np.repeat([0, 1], 10),
    "a column": np.repeat([[0], [1]], 10, axis=0),
    "floats": np.repeat([0.0, 1.0], 10),
    "one-hot": np.repeat(np.eye(2, dtype=np.float32), 10, axis=0),
}


@pytest.mark.parametrize("labels", SORTED.values(), ids=SORTED)
@pytest.mark.parametrize("subset", ["training", "validation"])
def test_arrays_sorted_by_class_are_said(labels, subset):
    x = np.zeros((20, 4, 4, 1), np.uint8)
    generator = ImageDataGenerator(validation_split=0.2)
    with pytest.warns(UserWarning, match="none of class 1: .* sorted by class. Shuffle x and y"):
        generator.flow(x, labels, subset=subset)
    mixed = np.random.default_rng(0).permutation(20)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        generator.flow(x, labels[mixed], subset=subset)
        generator.flow(x, labels)


def test_numbers_that_are_no_classes_are_not_taken_for_some():
    rng = np.random.default_rng(0)
    x = np.zeros((200, 4, 4, 1), np.uint8)
    generator = ImageDataGenerator(validation_split=0.2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for y in (np.sort(rng.random(200)), rng.integers(0, 90, 200), rng.random((200, 3))):
            generator.flow(x, y, subset="training")  # rare values are in one part alone by chance
        generator.flow(x, subset="training")
