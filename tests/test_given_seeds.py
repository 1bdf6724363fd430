"""Results depend on a given seed alone, not on the global seed, threads or earlier draws."""

from __future__ import annotations

import numpy as np
import pytest
from image_folders import make_ramps

from minicnn import random
from minicnn.data import ImageDataGenerator, image_dataset_from_directory
from minicnn.errors import ArgumentError

X = np.random.default_rng(0).integers(0, 256, (9, 8, 6, 3), dtype=np.uint8)
WILD = ImageDataGenerator(rotation_range=30, zoom_range=0.3, horizontal_flip=True)


def flow(_folder, seed):
    return np.concatenate(list(WILD.flow(X, batch_size=4, seed=seed).for_epoch(1)))


def one_change(_folder, seed):
    return np.array([*map(float, list(WILD.get_random_transform((8, 6, 3), seed).values())[:6])])


def one_image(_folder, seed):
    return WILD.random_transform(X[0], seed)


def learned(_folder, seed):
    generator = ImageDataGenerator(featurewise_center=True, rotation_range=30, fill_mode="constant")
    generator.fit(X, augment=True, seed=seed)
    return generator.whitening.mean


def of_folder(folder, seed):
    batches = WILD.flow_from_directory(folder, (6, 5), class_mode=None, seed=seed, verbose=False)
    return next(batches)


def part(folder, seed):
    options = {"validation_split": 0.3, "subset": "validation", "verbose": False}
    return np.array(image_dataset_from_directory(folder, seed=seed, **options).filenames)


USERS = {
    f.__name__.replace("_", " "): f for f in (flow, one_change, one_image, learned, of_folder, part)
}


@pytest.mark.parametrize("use", USERS.values(), ids=USERS)
def test_a_given_seed_decides_alone(tmp_path, use):
    make_ramps(tmp_path, 10)
    results = {}
    for global_seed in (1, 2):
        random.set_random_seed(global_seed)
        for seed in (5, np.int64(5), 2**63):
            results[global_seed, int(seed)] = use(tmp_path, seed)
    np.testing.assert_array_equal(results[1, 5], results[2, 5])
    np.testing.assert_array_equal(results[1, 2**63], results[2, 2**63])
    assert not np.array_equal(results[1, 5], results[1, 2**63])
    for wrong in (-1, 0.5, "5", 2**64):
        with pytest.raises(ArgumentError, match=r"seed must be an integer in 0\.\.\.2\*\*64 - 1"):
            use(tmp_path, wrong)


@pytest.mark.parametrize("use", [flow, learned, of_folder, part])
def test_without_a_seed_the_global_seed_decides(tmp_path, use):
    make_ramps(tmp_path, 10)
    results = []
    for global_seed in (1, 2, 1):
        random.set_random_seed(global_seed)
        results.append(use(tmp_path, None))
    np.testing.assert_array_equal(results[0], results[2])
    assert not np.array_equal(results[0], results[1])
    # A given seed has the same effect as a global seed of the same value.
    np.testing.assert_array_equal(results[0], use(tmp_path, 1))


def test_subsets_of_a_folder_are_disjoint_in_programs_with_different_seeds(tmp_path):
    make_ramps(tmp_path, 50)
    options = {"validation_split": 0.2, "seed": 123, "verbose": False}
    random.set_random_seed(1)
    training = image_dataset_from_directory(tmp_path, subset="training", **options).filenames
    random.set_random_seed(2)
    validation = image_dataset_from_directory(tmp_path, subset="validation", **options).filenames
    assert len(training) == 80 and len(validation) == 20 and not {*training} & {*validation}
