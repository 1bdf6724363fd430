"""The training and validation subsets that `validation_split` and `subset` ask for."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn import random
from minicnn.checks import check_choice, check_number
from minicnn.data.image_list import ImageList, few_of
from minicnn.errors import ArgumentError

SUBSETS = ("training", "validation")


def split_size(count: int, fraction: float) -> int:
    """Return `floor(fraction * count)`, computed as if fractions were exact decimal numbers.

    Binary fractions are slightly off: 0.29 * 100 is 28.999999999999996, and 1 - 0.9 less than 0.1.

    >>> split_size(100, 0.29), split_size(10, 1 - 0.9), split_size(14, 0.2)
    (29, 1, 2)
    """
    return math.floor(round(fraction * count, 9))


def subset_rows(count: int, fraction: float, subset: str) -> slice:
    """Return the rows of a subset; as in Keras's generators, the first rows are for validation.

    >>> subset_rows(14, 0.2, "validation"), subset_rows(14, 0.2, "training")
    (slice(0, 2, None), slice(2, 14, None))
    """
    cut = split_size(count, fraction)
    return slice(0, cut) if check_subset(subset) == "validation" else slice(cut, count)


def check_subset(subset: str) -> str:
    """Return the subset's name if it is "training" or "validation"."""
    return check_choice(subset, "subset", SUBSETS)


def check_filled(count: int, subset: str, total: int, fraction: float) -> None:
    """Raise ArgumentError if a subset is empty."""
    if count == 0:
        raise ArgumentError(
            f"validation_split={fraction:g} of {total} images leaves none for subset={subset!r}; "
            "give another validation_split, such as 0.2, or more images"
        )


def class_subset(images: ImageList, fraction: float, subset: str | None) -> ImageList:
    """Return a subset of each class: its first files for validation, as in Keras, or the rest."""
    if subset is None:
        return images
    check_subset(subset)
    rows_of_classes = [
        np.flatnonzero(images.labels == label) for label in range(len(images.class_names))
    ]
    subsets = [rows[subset_rows(len(rows), fraction, subset)] for rows in rows_of_classes]
    check_filled(sum(map(len, subsets)), subset, len(images.paths), fraction)
    names = zip(images.class_names, rows_of_classes, subsets, strict=True)
    _warn_of_missing([name for name, rows, taken in names if len(rows) > len(taken) == 0], subset)
    return images.pick(np.concatenate(subsets))


def array_subset(count: int, y: Any, fraction: float, subset: str | None) -> slice:
    """Return the rows of arrays that belong to a subset; the first ones are for validation."""
    if subset is None:
        return slice(None)
    rows = subset_rows(count, fraction, subset)
    check_filled(rows.stop - rows.start, subset, count, fraction)
    if y is not None and len(y) == count:
        _warn_of_sorted(y, subset_rows(count, fraction, "validation"))
    return rows


def shuffled_subset(
    images: ImageList, fraction: float | None, subset: str | None, seed: int | None
) -> ImageList:
    """Return a subset of the shuffled files: the last ones for validation, or the rest."""
    if fraction is None or subset is None:
        raise ArgumentError("validation_split and subset must be given both or not at all")
    check_subset(subset)
    check_number(fraction, "validation_split", 0.0, 1.0, open=True)
    seed = None if seed is None else random.check_seed(seed)
    order = random.generator("split", seed=seed).permutation(len(images.paths))
    kept = len(order) - split_size(len(order), fraction)
    rows = order[:kept] if subset == "training" else order[kept:]
    check_filled(len(rows), subset, len(order), fraction)
    return images.pick(np.sort(rows))


def _warn_of_missing(names: Sequence[str], subset: str) -> None:
    if names:
        warnings.warn(
            f"no image of {len(names)} classes is in the {subset} subset, they have too few: "
            f"{few_of(names)}",
            stacklevel=4,
        )


def _warn_of_sorted(y: Any, validation: slice) -> None:
    """Warn if y is sorted by class and one of the two subsets lacks a class of the other."""
    labels = _class_indices(y)
    if labels is None or not _is_sorted(labels):
        return
    alone = np.setxor1d(labels[validation], labels[validation.stop :])
    if len(alone):
        warnings.warn(
            "validation_split takes the first samples, and one of the two subsets has none of "
            f"class {few_of(alone.tolist())}: the samples seem to be sorted by class. Shuffle x "
            "and y first",
            stacklevel=4,
        )


def _class_indices(y: Any) -> np.ndarray | None:
    """Return (N,) class indices of integer or one-hot labels; None if y is something else."""
    labels = np.asarray(y)
    if labels.ndim == 2 and labels.shape[1] > 1:
        one_hot = labels.dtype.kind in "biuf" and (np.count_nonzero(labels, axis=1) == 1).all()
        return labels.argmax(1) if one_hot else None
    if labels.size != len(labels) or not (
        labels.dtype.kind in "biu" or np.isin(labels, (0, 1)).all()
    ):
        return None
    return labels.ravel().astype(np.int64)


def _is_sorted(labels: np.ndarray) -> bool:
    """Return whether neighbors differ less than half as often as in a random order."""
    _, counts = np.unique(labels, return_counts=True)
    shares = counts / len(labels)
    by_chance = (len(labels) - 1) * (1 - shares @ shares)
    return bool(np.count_nonzero(labels[1:] != labels[:-1]) < by_chance / 2)
