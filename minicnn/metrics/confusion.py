"""The confusion matrix: how often each class was taken for each other one."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.checks import check_int
from minicnn.metrics.base import Metric, class_indices


class ConfusionMatrix(Metric):
    """(classes, classes): how often a class, the row, was predicted as another, the column.

    Parameters
    ----------
    classes : number of classes
    """

    scalar = False

    def __init__(self, classes: int, name: str | None = None) -> None:
        self.classes = check_int(classes, "classes")
        super().__init__(name=name)

    def sum_shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of the matrix."""
        return {"matrix": (self.classes, self.classes)}

    def add(self, y_true: np.ndarray, y_pred: np.ndarray, weights: np.ndarray) -> None:
        """Count each sample; predictions are (N, classes), or class indices (N,)."""
        shape = (len(y_true), self.classes)
        labels, predicted = class_indices(y_true, shape), class_indices(y_pred, shape, "y_pred")
        counts = np.bincount(labels * self.classes + predicted, weights, self.classes**2)
        self._sums["matrix"] += counts.reshape(self.classes, self.classes)

    def result(self) -> np.ndarray:
        """Return the matrix, float64; integers unless samples had weights."""
        return self.sum("matrix").copy()

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"classes": self.classes, **super().get_config()}


def confusion_matrix(y_true: Any, y_pred: Any, classes: int | None = None) -> np.ndarray:
    """Return how often class i (row) was predicted as class j (column).

    Parameters
    ----------
    y_true, y_pred : class indices (N,), or one-hot rows and probabilities (N, C)
    classes : default: C, or the largest class index plus 1

    Returns
    -------
    int64 (classes, classes)

    >>> confusion_matrix([0, 0, 1], [0, 1, 1])
    array([[1, 1],
           [0, 1]])
    """
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
    if classes is None:
        classes = max(_count(y_true), _count(y_pred), 1)
    metric = ConfusionMatrix(classes)
    metric.update(y_true, y_pred)
    return metric.result().astype(np.int64)


def _count(y: np.ndarray) -> int:
    if y.ndim == 2 and y.shape[1] > 1:
        return y.shape[1]
    return int(y.max()) + 1 if y.size else 0
