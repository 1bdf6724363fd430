"""Intersection over union: how far predicted areas of an image agree with the labeled ones.

IoU of a class = TP / (TP + FP + FN), counted over pixels
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn.checks import check_int, check_list, check_number, shape_text
from minicnn.errors import ArgumentError, ShapeError
from minicnn.metrics.base import Metric, ratio, ratios
from minicnn.shapes import MAX_INT32
from minicnn.support.arrays import Number
from minicnn.support.text import quoted


class IoU(Metric):
    """Mean of the IoU of some classes, of those that occur in labels or predictions.

    Pixels whose label or prediction is no class are left out, as Keras does.

    Parameters
    ----------
    num_classes : number of classes
    target_class_ids : the classes whose mean is the result
    name, dtype : see `Metric`
    ignore_class : a label whose pixels are left out; default None
    sparse_y_true, sparse_y_pred : False if labels, or predictions, are one value for each class
    axis : the axis of the classes if they are; default -1

    >>> round(IoU(2, [0])([0, 0, 1, 1], [0, 1, 0, 1]), 4)
    0.3333
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: str | None = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        self.num_classes = check_int(num_classes, "num_classes")
        self.target_class_ids = _checked_ids(target_class_ids, self.num_classes)
        none = ignore_class is None
        self.ignore_class = None if none else check_int(ignore_class, "ignore_class", -MAX_INT32)
        self.axis = check_int(axis, "axis", -MAX_INT32)
        self.sparse_y_true, self.sparse_y_pred = bool(sparse_y_true), bool(sparse_y_pred)
        super().__init__(dtype, name)

    def sum_shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of the confusion matrix."""
        return {"matrix": (self.num_classes, self.num_classes)}

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add the pixels of a batch.

        Parameters
        ----------
        y_true, y_pred : arrays of the same shape, of class indices or as the constructor says
        sample_weight : how much each pixel counts, or each sample, or a number for all; default 1
        """
        labels = _indices(y_true, self.sparse_y_true, self.axis)
        predicted = _indices(y_pred, self.sparse_y_pred, self.axis)
        if labels.size != predicted.size:
            raise ShapeError(f"{self.name}: {labels.size} labels and {predicted.size} predictions")
        weights = _weights(sample_weight, labels.size, len(np.asarray(y_true)))
        n = self.num_classes
        kept = (labels >= 0) & (labels < n) & (predicted >= 0) & (predicted < n)
        if self.ignore_class is not None:
            kept &= labels != self.ignore_class
        counts = np.bincount(labels[kept] * n + predicted[kept], weights[kept], n**2)
        self._sums["matrix"].assign_add(counts.reshape(n, n))

    def per_class(self) -> np.ndarray:
        """Return (classes,): the IoU of each class; 0 for a class that did not occur."""
        return ratios(*self._parts_and_wholes())

    def result(self) -> Number:
        """Return the mean over the target classes that occurred."""
        parts, wholes = (x[self.target_class_ids] for x in self._parts_and_wholes())
        return ratio(ratios(parts, wholes).sum(), np.count_nonzero(wholes))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        names = ["num_classes", "target_class_ids", "ignore_class", "sparse_y_true"]
        names += ["sparse_y_pred", "axis"]
        return {**{name: getattr(self, name) for name in names}, **super().get_config()}

    def _parts_and_wholes(self) -> tuple[np.ndarray, np.ndarray]:
        matrix = self.sum("matrix")
        hits = matrix.diagonal()
        return hits, matrix.sum(0) + matrix.sum(1) - hits


class BinaryIoU(IoU):
    """IoU of two classes, of predictions that are probabilities of the second one.

    Parameters
    ----------
    target_class_ids : the classes whose mean is the result; default (0, 1)
    threshold : a prediction of at least that is of class 1; default 0.5
    name, dtype : see `Metric`

    >>> round(BinaryIoU()([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.7]), 4)
    0.5833
    """

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        self.threshold = check_number(threshold, "threshold")
        super().__init__(2, target_class_ids, name, dtype)

    @property
    def needs_probabilities(self) -> bool:
        """True unless the user gave a threshold other than 0.5."""
        return self.threshold == 0.5

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add pixels: labels 0 and 1, and probabilities."""
        y_true, y_pred = self.checked(y_true, y_pred)
        super().update_state(y_true, y_pred >= self.threshold, sample_weight)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        own = {"target_class_ids": self.target_class_ids, "threshold": self.threshold}
        return {**own, "name": self.name}


class MeanIoU(IoU):
    """Mean of the IoU of all classes that occur; parameters are those of `IoU`."""

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: str | None = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        classes = range(check_int(num_classes, "num_classes"))
        options = (ignore_class, sparse_y_true, sparse_y_pred, axis)
        super().__init__(num_classes, list(classes), name, dtype, *options)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return _without(super().get_config(), "target_class_ids")


class OneHotIoU(IoU):
    """`IoU` of labels that are one-hot, (N, ..., classes), and predictions that are scores."""

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: str | None = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        options = (ignore_class, False, sparse_y_pred, axis)
        super().__init__(num_classes, target_class_ids, name, dtype, *options)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return _without(super().get_config(), "sparse_y_true")


class OneHotMeanIoU(MeanIoU):
    """`MeanIoU` of labels that are one-hot, (N, ..., classes), and predictions that are scores."""

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: str | None = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return _without(super().get_config(), "sparse_y_true")


def _checked_ids(ids: Sequence[int], classes: int) -> list[int]:
    found = [
        check_int(i, "each of target_class_ids", 0) for i in check_list(ids, "target_class_ids")
    ]
    if not found or max(found) >= classes:
        raise ArgumentError(
            f"target_class_ids must be within 0...{classes - 1}; got {quoted(found)}"
        )
    return found


def _indices(y: Any, sparse: bool, axis: int) -> np.ndarray:
    y = np.asarray(y)
    return (y if sparse else y.argmax(axis)).reshape(-1).astype(np.int64)


def _weights(sample_weight: Any, pixels: int, samples: int) -> np.ndarray:
    """Return the weight of each pixel, from one of each pixel, of each sample, or of all."""
    weights = np.asarray(1.0 if sample_weight is None else sample_weight, np.float64)
    if weights.ndim == 0:
        return np.full(pixels, weights)
    if weights.size == samples:
        return np.repeat(weights.reshape(-1), pixels // samples)
    if weights.size != pixels:
        raise ShapeError(f"sample_weight must be {pixels} values; got {shape_text(weights.shape)}")
    return weights.reshape(-1)


def _without(config: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in config.items() if key != name}
