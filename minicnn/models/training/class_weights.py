"""class_weight: how much the samples of each class count."""

from __future__ import annotations

import numpy as np

from minicnn.checks import check_number, quoted
from minicnn.errors import ArgumentError
from minicnn.models.batches import Batch
from minicnn.shapes import is_int

# Soft labels are written with few digits: the sum of a row may differ from 1 by this.
ROW_TOLERANCE = 1e-3


def weighted(batch: Batch, class_weight: dict[int, float] | None) -> Batch:
    """Return the batch with each sample's weight multiplied by that of its class, by default 1."""
    if class_weight is None:
        return batch
    _check(class_weight)
    if isinstance(batch.labels, tuple):
        raise ArgumentError(
            "class_weight is for a model with one loss; for several pass sample_weight with an "
            "array for each"
        )
    classes = class_of_each(np.asarray(batch.labels))
    rows = np.array([class_weight.get(c, 1.0) for c in classes.tolist()], np.float64)
    return batch._replace(weights=rows if batch.weights is None else rows * batch.weights)


def class_of_each(labels: np.ndarray) -> np.ndarray:
    """Return the class indices (N,) of labels (N,), (N, 1) or one-hot (N, C).

    Raises
    ------
    ArgumentError : a sample has no class or more than one
    """
    if labels.size != len(labels):
        return _class_of_rows(labels)
    numbers = labels.reshape(len(labels))
    wrong = np.flatnonzero(numbers != np.floor(numbers))
    if wrong.size:
        i = int(wrong[0])
        raise ArgumentError(
            f"class_weight needs labels that are class indices; y[{i}] = {numbers[i]:g} is not. "
            "Pass sample_weight instead"
        )
    return numbers.astype(np.int64)


def check_classes(class_weight: dict[int, float] | None, classes: int) -> None:
    """Raise ArgumentError for weights of classes that a network with `classes` does not have."""
    unknown = [number for number in class_weight or () if not 0 <= number < classes]
    if unknown:
        raise ArgumentError(
            f"class_weight has the classes {sorted(unknown)[:5]}, but the model's are "
            f"0...{classes - 1}"
        )


def _class_of_rows(labels: np.ndarray) -> np.ndarray:
    if labels.ndim != 2:
        raise ArgumentError(
            f"class_weight needs one class per sample, (N,) or one-hot rows (N, classes); y has "
            f"{labels.ndim} axes"
        )
    wrong = np.flatnonzero(np.abs(labels.sum(1) - 1) > ROW_TOLERANCE)
    if wrong.size:
        i = int(wrong[0])
        raise ArgumentError(
            f"class_weight needs one class per sample; y[{i}] = {labels[i].tolist()!s:.60} sums "
            f"to {labels[i].sum():g}. For samples with several labels or none, pass sample_weight"
        )
    return labels.argmax(1)


def _check(class_weight: dict[int, float]) -> None:
    if not isinstance(class_weight, dict):
        raise ArgumentError(
            f"class_weight must be a dict like {{0: 1.0, 1: 2.5}}; got {quoted(class_weight)}"
        )
    for number, weight in class_weight.items():
        if not is_int(number):
            raise ArgumentError(
                "the keys of class_weight must be class indices, as in {0: 1.0, 1: 2.5}; got "
                f"{quoted(number)}"
            )
        check_number(weight, f"the class_weight of {number!r}", 0.0)
