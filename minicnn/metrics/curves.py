"""The area under the ROC curve, and the confusion matrix."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.checks import check_int
from minicnn.errors import ArgumentError
from minicnn.metrics.base import Metric, class_indices, ratio
from minicnn.metrics.positives import columns, indicator


class AUC(Metric):
    """Area under the ROC curve: the probability that a positive scores higher than a negative.

    Scores lie in [0, 1]. They are counted in `num_thresholds` - 1 bins of equal width, so the state
    stays small however many samples there are. Two scores in the same bin count as equal; the error
    is at most half the probability that a positive and a negative share a bin. Several outputs are
    counted together. As in Keras, a score that equals a threshold is not above it: bin i holds the
    scores in (i / bins, (i + 1) / bins], and bin 0 also the score 0.

    Parameters
    ----------
    num_thresholds : number of thresholds, which bound the bins; default 200

    >>> auc = AUC(num_thresholds=3)
    >>> auc.update([0, 0, 1, 1], [0, 0.5, 0.3, 0.9])
    >>> auc.result()
    0.75
    """

    def __init__(self, num_thresholds: int = 200, name: str | None = None) -> None:
        self.num_thresholds = check_int(num_thresholds, "num_thresholds", 2)
        super().__init__(name)

    @property
    def needs_probabilities(self) -> bool:
        """True: scores must be probabilities."""
        return True

    def sum_shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the weights of positives and of negatives per bin."""
        bins = (self.num_thresholds - 1,)
        return {"positives": bins, "negatives": bins}

    def add(self, y_true: np.ndarray, y_pred: np.ndarray, weights: np.ndarray) -> None:
        """Add each score's weight to its bin."""
        y_pred = columns(y_pred)
        within = (y_pred >= 0) & (y_pred <= 1)
        if not within.all():
            raise ArgumentError(
                f"{self.name} needs scores within 0...1; got {y_pred[~within][0]:g}. Logits need "
                "a sigmoid or softmax"
            )
        bins = self.num_thresholds - 1
        upper = np.ceil(y_pred.astype(np.float64) * bins).astype(np.int64)
        bin_of = np.clip(upper - 1, 0, bins - 1)
        positive = indicator(y_true, y_pred.shape[1])
        rows = np.broadcast_to(weights[:, None], positive.shape)
        for name, chosen in (("positives", positive), ("negatives", ~positive)):
            self._sums[name] += np.bincount(bin_of[chosen], rows[chosen], bins)

    def result(self) -> float:
        """Return the fraction of (positive, negative) pairs in order; equal ones count half."""
        positives, negatives = self.sum("positives"), self.sum("negatives")
        lower = np.cumsum(negatives) - negatives
        in_order = positives @ (lower + negatives / 2)
        return ratio(in_order, positives.sum() * negatives.sum())

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"num_thresholds": self.num_thresholds, **super().get_config()}


class ConfusionMatrix(Metric):
    """(classes, classes): how often a class, the row, was predicted as another, the column.

    Parameters
    ----------
    classes : number of classes
    """

    scalar = False

    def __init__(self, classes: int, name: str | None = None) -> None:
        self.classes = check_int(classes, "classes")
        super().__init__(name)

    def sum_shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of the matrix."""
        return {"matrix": (self.classes, self.classes)}

    def add(self, y_true: np.ndarray, y_pred: np.ndarray, weights: np.ndarray) -> None:
        """Count each sample; predictions are (N, classes), or class indices (N,)."""
        labels = class_indices(y_true, self.classes)
        predicted = class_indices(y_pred, self.classes, "y_pred")
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
    return int(y.max(initial=-1)) + 1
