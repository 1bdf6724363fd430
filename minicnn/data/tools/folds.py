"""Dividing images into folds for a cross-validation.

In a k-fold cross-validation a network is trained k times. Each time another fold, a k-th of the
images, is left out of the training and tests the network, so every image is tested once, by a
network that has not seen it.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from minicnn import random
from minicnn.checks import check_int
from minicnn.data.image_list import few_of
from minicnn.data.tools.split import assign_groups
from minicnn.errors import ArgumentError

Fold = tuple[np.ndarray, np.ndarray]  # indices of the images to train with, and to test with


def folds(
    labels: Sequence[object] | np.ndarray,
    k: int = 5,
    groups: Sequence[object] | np.ndarray | None = None,
    seed: int = 777,
) -> list[Fold]:
    """Divide images into k folds in which each class has the same share, as far as possible.

    Parameters
    ----------
    labels : array_like (n,)
        The class of each image: an index or a name.
    k : int
        Number of folds, at least 2; default 5.
    groups : array_like (n,), optional
        The group of each image, such as the patient; all images of a group are in the same fold.
        Default: each image is a group of its own.
    seed : int
        The same seed gives the same folds, whatever `set_random_seed` set.

    Returns
    -------
    list of k pairs (train, test) of int64 arrays
        Sorted indices into `labels`. Each image is in `test` once, and in `train` of all other
        folds.

    Raises
    ------
    ArgumentError
        k is below 2, there are fewer groups than k, or each class has fewer images than k.

    Warns
    -----
    UserWarning
        A class has fewer images, or is in fewer groups, than k: not every fold can test it.

    Notes
    -----
    Errors and warnings are as in scikit-learn's StratifiedKFold and StratifiedGroupKFold. Without
    groups, the numbers of images in two folds differ by at most one, in each class and in all. With
    groups, the largest ones are assigned first, each to the fold that lacks most of its classes.

    References
    ----------
    R. Kohavi, "A Study of Cross-Validation and Bootstrap for Accuracy Estimation and Model
    Selection", IJCAI 1995.

    Examples
    --------
    >>> for train, test in folds(["cat"] * 4 + ["dog"] * 2, k=2):
    ...     print(train, test)
    [0 3 5] [1 2 4]
    [1 2 4] [0 3 5]
    """
    k = _check_k(k)
    names, classes = np.unique(_one_axis(labels, "labels"), return_inverse=True)
    keys = np.arange(len(classes)) if groups is None else _one_axis(groups, "groups")
    _check_counts(names, classes, keys, k)
    with random.seeded(seed):
        if groups is None:
            fold_of = _deal(classes, k)
        else:
            fold_of = assign_groups(classes, list(keys), np.full(k, 1 / k))
    return [(np.flatnonzero(fold_of != i), np.flatnonzero(fold_of == i)) for i in range(k)]


def _deal(classes: np.ndarray, k: int) -> np.ndarray:
    """Return the fold of each image: each class is shuffled, and all are dealt like cards."""
    order = np.concatenate(
        [
            random.generator("folds", int(one)).permutation(np.flatnonzero(classes == one))
            for one in np.unique(classes)
        ]
    )
    fold_of = np.empty(len(classes), np.int64)
    fold_of[order] = np.arange(len(classes)) % k
    return fold_of


def _check_k(k: int) -> int:
    try:
        return check_int(k, "k", 2)
    except ArgumentError as error:
        raise ArgumentError(f"{error}. One fold would leave nothing to train with") from error


def _one_axis(values: Sequence[object] | np.ndarray, name: str) -> np.ndarray:
    array = np.asarray(values)
    if array.ndim != 1 or not len(array):
        raise ArgumentError(
            f"{name} must have one value per image, (n,); got the shape {array.shape}"
        )
    return array


def _check_counts(names: np.ndarray, classes: np.ndarray, keys: np.ndarray, k: int) -> None:
    """Raise if k folds cannot be made, and warn if some of them will lack a class."""
    if len(keys) != len(classes):
        raise ArgumentError(
            f"groups must have one value per image; got {len(keys)} for {len(classes)} images"
        )
    found = len(np.unique(keys))
    grouped = found < len(keys)
    what = "groups" if grouped else "images"
    if found < k:
        raise ArgumentError(f"{found} {what} cannot make k={k} folds; choose a smaller k")
    counts = [len(np.unique(keys[classes == one])) for one in range(len(names))]
    if not grouped and max(counts) < k:
        raise ArgumentError(
            f"no class has k={k} images, the largest has {max(counts)}; choose a smaller k"
        )
    if few := [f"{name} ({n})" for name, n in zip(names, counts, strict=True) if n < k]:
        warnings.warn(
            f"some of the k={k} folds will test no image of a class that has fewer {what} than "
            f"that: {few_of(few)}",
            stacklevel=3,
        )
