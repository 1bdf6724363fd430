"""The images of each fold: what trains, what chooses the epoch and what tests."""

from __future__ import annotations

import re

import numpy as np
import pytest
from image_folders import make_colored, save_colored
from test_runs import idx
from tiny_folds import FOLDS, IMAGES, make_settings, quiet

from minicnn.apps.runs import cross_validation
from minicnn.apps.runs.load_images import load_images
from minicnn.apps.runs.networks import input_preprocess
from minicnn.apps.runs.settings import Settings
from minicnn.errors import ArgumentError


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return make_settings(tmp_path_factory.mktemp("colors"))


def images_of(settings, fold, say=quiet):
    one = cross_validation.fold_settings(settings, fold)
    return load_images(one, input_preprocess(one), say)


def test_every_image_is_tested_once_and_chooses_no_epoch_of_its_fold(settings):
    tested = []
    for fold in range(1, FOLDS + 1):
        images = images_of(settings, fold)
        parts = [set(one.files) for one in (images.train, images.validation, images.test)]
        assert sum(map(len, parts)) == len(set.union(*parts)) == IMAGES
        assert np.bincount(images.validation.labels).tolist() == [1] * 3  # a tenth of 11 or 12
        assert not images.shared
        tested += images.test.files
    assert len(set(tested)) == len(tested) == IMAGES


def test_groups_stay_together_in_all_three_parts(tmp_path):
    for number in range(60):
        name = f"patient{number // 3:02d}-{number}.png"
        save_colored(tmp_path / ("ill" if number % 2 else "well") / name, (9, 9, 9), number)
    settings = Settings(model="cifar", data=str(tmp_path), folds=4, group_by=r"patient(\d+)")
    for fold in range(1, 5):
        parts = images_of(settings, fold)[:3]
        patients = [{re.search(r"patient\d+", file)[0] for file in one.files} for one in parts]
        assert sum(map(len, patients)) == len(set.union(*patients)) == 20
        assert parts[1].total in range(3, 7) and parts[2].total == 15


def test_of_a_few_large_groups_the_smallest_chooses_the_epoch(tmp_path):
    for number in range(30):
        for name in ("ill", "well"):
            patient = "abc"[number // 10] if number < 29 else "d"
            save_colored(tmp_path / name / f"patient_{patient}-{number}.png", (9, 9, 9), number)
    settings = Settings(model="cifar", data=str(tmp_path), folds=4, group_by=r"patient_(\w)")
    sizes = [[one.total for one in images_of(settings, fold)[:3]] for fold in range(1, 5)]
    assert sizes == [[38, 2, 20], [38, 2, 20], [40, 2, 18], [40, 18, 2]]


def test_images_that_are_too_few_to_choose_an_epoch_are_refused(settings, tmp_path):
    make_colored(tmp_path, 3)
    with pytest.raises(ArgumentError, match="6 images are too few to choose the epoch with 10%"):
        images_of(settings.changed(data=str(tmp_path)), 1)


def test_given_test_images_are_left_alone(settings, tmp_path):
    make_colored(tmp_path / "train", 12)
    make_colored(tmp_path / "test", 4)
    split = settings.changed(data=str(tmp_path), epochs=1)
    images = images_of(split, 1)
    assert [one.total for one in images[:3]] == [21, 3, 12] and images.left_alone == 12
    files = {*images.train.files, *images.validation.files, *images.test.files}
    assert files == {str(p.relative_to(tmp_path / "train")) for p in tmp_path.glob("train/*/*")}
    said = []
    done = cross_validation.run(split, tmp_path / "runs", verbose=0, say=said.append)
    assert said[0] == (
        "The training images are divided into 3 folds; the 12 test images are left alone"
    )
    assert done.report["data"]["images"] == 36
    assert done.report["data"]["test_images_left_alone"] == 12
    page = (done.folder.path / "report.html").read_text()
    assert "12 test images of their own, which were left alone" in page


def test_given_validation_images_choose_the_epoch_of_every_fold(settings, tmp_path):
    for name, count in (("train", 12), ("val", 3), ("test", 2)):
        make_colored(tmp_path / name, count)
    images = images_of(settings.changed(data=str(tmp_path)), 2)
    assert [one.total for one in images[:3]] == [24, 9, 12]


def test_published_arrays_are_divided_too(tmp_path):
    for split, count in (("train", 120), ("t10k", 10)):
        images, labels = np.zeros((count, 28, 28)), np.arange(count) % 10
        (tmp_path / f"{split}-images-idx3-ubyte").write_bytes(idx(images))
        (tmp_path / f"{split}-labels-idx1-ubyte").write_bytes(idx(labels))
    settings = Settings(model="lenet", data=str(tmp_path), folds=4)
    found = [images_of(settings, fold) for fold in range(1, 5)]
    assert {one.left_alone for one in found} == {10}
    assert [one.test.total for one in found] == [30] * 4
    assert {file for one in found for file in one.test.files} == {f"image {i}" for i in range(120)}
    for image in found[0].test.files:  # a name is the image's place in the file
        assert f"{found[0].test.labels[found[0].test.files.index(image)]}" == image[-1]
    with pytest.raises(ArgumentError, match="group_by searches the names of files"):
        images_of(settings.changed(group_by="a"), 1)
