"""Folds of images: every image is tested once, classes are even, groups stay together."""

from __future__ import annotations

import numpy as np
import pytest

import minicnn as mc
from minicnn.data import folds
from minicnn.errors import ArgumentError

NUMBERS = np.random.default_rng(0)
UNEVEN = NUMBERS.permutation(np.repeat(np.arange(5), [103, 17, 50, 22, 8]))  # images per class
GROUPS = NUMBERS.integers(0, 60, len(UNEVEN))


def counts(found, labels):
    """Number of images of each class that each fold tests, (folds, classes)."""
    return np.array([np.bincount(labels[test], minlength=labels.max() + 1) for _, test in found])


@pytest.mark.parametrize("groups", [None, GROUPS], ids=["alone", "groups"])
@pytest.mark.parametrize("k", [2, 5, 7])
def test_every_image_is_tested_once_and_trains_the_others(k, groups):
    found = folds(UNEVEN, k, groups)
    assert len(found) == k
    for train, test in found:
        assert train.dtype == test.dtype == np.int64
        assert (np.diff(train) > 0).all() and (np.diff(test) > 0).all()
        assert sorted([*train, *test]) == list(range(len(UNEVEN)))
    assert sorted(np.concatenate([test for _, test in found])) == list(range(len(UNEVEN)))


def test_folds_by_hand():
    """Of 4 and 3 images, each of two folds tests 2 of the first class, and 2 or 1 of the second."""
    labels = np.array([0, 1, 0, 1, 0, 1, 0])
    assert sorted(counts(folds(labels, 2), labels).tolist()) == [[2, 1], [2, 2]]


@pytest.mark.parametrize("k", [2, 3, 5, 8])
def test_classes_and_folds_are_as_even_as_they_can_be(k):
    table = counts(folds(UNEVEN, k), UNEVEN)
    assert (table.max(0) - table.min(0) <= 1).all()
    assert np.ptp(table.sum(1)) <= 1


def test_the_numbers_are_those_of_scikit_learn():
    selection = pytest.importorskip("sklearn.model_selection")
    theirs = selection.StratifiedKFold(5, shuffle=True, random_state=0).split(UNEVEN, UNEVEN)
    ours, theirs = counts(folds(UNEVEN, 5), UNEVEN), counts(theirs, UNEVEN)
    np.testing.assert_array_equal(np.sort(ours, 0), np.sort(theirs, 0))


@pytest.mark.parametrize("k", [2, 5, 7])
def test_no_group_is_in_two_folds(k):
    for train, test in folds(UNEVEN, k, GROUPS):
        assert not set(GROUPS[train]) & set(GROUPS[test])


def test_classes_of_groups_are_as_even_as_those_of_scikit_learn():
    selection = pytest.importorskip("sklearn.model_selection")
    theirs = selection.StratifiedGroupKFold(5).split(UNEVEN, UNEVEN, GROUPS)
    wanted = np.bincount(UNEVEN) / 5
    ours, theirs = (abs(counts(one, UNEVEN) - wanted).max()
                    for one in (folds(UNEVEN, 5, GROUPS), theirs))  # fmt: skip
    assert ours <= theirs


def test_groups_of_one_image_are_no_groups():
    table = counts(folds(UNEVEN, 5, np.arange(len(UNEVEN))), UNEVEN)
    assert (np.ptp(table, axis=0) <= 1).all() and np.ptp(table.sum(1)) <= 1


@pytest.mark.parametrize("labels", [np.repeat([0, 1, 2], 4), np.repeat([0, 0, 1], 4)])
def test_as_many_folds_as_groups_get_one_each(labels):
    groups = np.repeat(["a", "b", "c"], 4)
    with pytest.warns(UserWarning, match="fewer groups"):
        found = folds(labels, 3, groups)
    assert sorted(str(groups[test][0]) for _, test in found) == ["a", "b", "c"]
    assert [len(test) for _, test in found] == [4, 4, 4]


def test_folds_depend_on_their_own_seed_alone():
    def tested(**options):
        return [test.tolist() for _, test in folds(UNEVEN, 3, **options)]

    first = tested()
    mc.utils.set_random_seed(12345)
    assert tested() == first == tested(seed=777)
    assert tested(seed=1) != first
    assert mc.random.seed() == 12345


def test_labels_may_be_names():
    names = np.array(["cat", "dog", "emu", "fox", "gnu"])[UNEVEN]
    for (_, one), (_, other) in zip(folds(names, 4), folds(UNEVEN, 4), strict=True):
        np.testing.assert_array_equal(one, other)


WRONG = {
    "one fold": ({"k": 1}, "k must be an integer >= 2; got 1. One fold would leave nothing"),
    "no number": ({"k": "5"}, "k must be an integer >= 2; got '5'"),
    "few images": ({"labels": [0, 1], "k": 3}, "2 images cannot make k=3 folds"),
    "few of each": ({"labels": [0, 0, 1, 1], "k": 3}, "no class has k=3 images, the largest has 2"),
    "few groups": ({"groups": [0, 0, 0, 1, 1, 1], "k": 3}, "2 groups cannot make k=3 folds"),
    "other length": ({"groups": [0, 1]}, "groups must have one value per image; got 2 for 6"),
    "one-hot": ({"labels": np.eye(6)}, r"labels must have one value per image, \(n,\); got the"),
    "nothing": ({"labels": []}, "labels must have one value per image"),
}


@pytest.mark.parametrize(("given", "words"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_divided_is_refused(given, words):
    with pytest.raises(ArgumentError, match=words):
        folds(**{"labels": [0, 0, 0, 1, 1, 1], **given})


def test_a_rare_class_is_a_warning_as_in_scikit_learn():
    labels = [0] * 9 + [1] * 2
    with pytest.warns(UserWarning, match=r"fewer images than that: 1 \(2\)"):
        found = folds(labels, 3)
    assert sorted(counts(found, np.array(labels))[:, 1]) == [0, 1, 1]
