"""The part for training and the part for validation, as a fraction of the data."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn.checks import check_choice
from minicnn.data.folders import ImageList, few_of
from minicnn.errors import ArgumentError

SUBSETS = ("training", "validation")


def whole_part(count: int, fraction: float) -> int:
    """The whole part of `fraction * count`, as if fractions were decimal numbers.

    Binary ones are a hair off: 0.29 * 100 is 28.999999999999996, and 1 - 0.9 less than 0.1.

    >>> whole_part(100, 0.29), whole_part(10, 1 - 0.9), whole_part(14, 0.2)
    (29, 1, 2)
    """
    return math.floor(round(fraction * count, 9))


def part_rows(count: int, fraction: float, subset: str) -> slice:
    """The beginning of `count` samples, that is for validation in Keras's generators, or the rest.

    >>> part_rows(14, 0.2, "validation"), part_rows(14, 0.2, "training")
    (slice(0, 2, None), slice(2, 14, None))
    """
    cut = whole_part(count, fraction)
    return slice(0, cut) if check_subset(subset) == "validation" else slice(cut, count)


def check_subset(subset: str) -> str:
    """The word, if it is "training" or "validation"."""
    return check_choice(subset, "subset", SUBSETS)


def check_filled(count: int, subset: str, total: int, fraction: float) -> None:
    """Refuse a part without anything in it."""
    if count == 0:
        raise ArgumentError(
            f"validation_split={fraction:g} of {total} images leaves none for "
            f"subset={subset!r}; give a validation_split that takes some, as 0.2, or more images"
        )


def class_part(images: ImageList, fraction: float, subset: str | None) -> ImageList:
    """The part for validation, the first files of each class as in Keras; or that for training."""
    if subset is None:
        return images
    check_subset(subset)
    rows_of_classes = [
        np.flatnonzero(images.labels == label) for label in range(len(images.class_names))
    ]
    parts = [rows[part_rows(len(rows), fraction, subset)] for rows in rows_of_classes]
    check_filled(sum(map(len, parts)), subset, len(images.paths), fraction)
    names = zip(images.class_names, rows_of_classes, parts, strict=True)
    _warn_of_missing([name for name, rows, part in names if len(rows) > len(part) == 0], subset)
    return images.pick(np.concatenate(parts))


def array_part(count: int, y: Any, fraction: float, subset: str | None) -> slice:
    """The rows of arrays that are this part: their beginning is for validation, as in Keras."""
    if subset is None:
        return slice(None)
    rows = part_rows(count, fraction, subset)
    check_filled(rows.stop - rows.start, subset, count, fraction)
    if y is not None and len(y) == count:
        _warn_of_sorted(y, part_rows(count, fraction, "validation"))
    return rows


def _warn_of_missing(names: Sequence[str], subset: str) -> None:
    if names:
        warnings.warn(
            f"no image of {len(names)} classes is in the {subset} part, they have too few: "
            f"{few_of(names)}",
            stacklevel=4,
        )


def _warn_of_sorted(y: Any, validation: slice) -> None:
    """Say it if y are classes in a row, and one part has some that the other has not."""
    labels = _class_numbers(y)
    if labels is None or not _in_a_row(labels):
        return
    alone = np.setxor1d(labels[validation], labels[validation.stop :])
    if len(alone):
        warnings.warn(
            f"validation_split takes the arrays' beginning; so one of the two parts has nothing of "
            f"class {few_of(alone.tolist())}: the samples seem to be sorted by class. Shuffle x "
            "and y first",
            stacklevel=4,
        )


def _class_numbers(y: Any) -> np.ndarray | None:
    """(N,): the classes, of numbers or one-hot rows; None if y is something else."""
    labels = np.asarray(y)
    if labels.ndim == 2 and labels.shape[1] > 1:
        one_hot = labels.dtype.kind in "biuf" and (np.count_nonzero(labels, axis=1) == 1).all()
        return labels.argmax(1) if one_hot else None
    if labels.size != len(labels) or not (
        labels.dtype.kind in "biu" or np.isin(labels, (0, 1)).all()
    ):
        return None
    return labels.ravel().astype(np.int64)


def _in_a_row(labels: np.ndarray) -> bool:
    """Is the next label another one less than half as often as in a random order?"""
    _, counts = np.unique(labels, return_counts=True)
    shares = counts / len(labels)
    by_chance = (len(labels) - 1) * (1 - shares @ shares)
    return bool(np.count_nonzero(labels[1:] != labels[:-1]) < by_chance / 2)
