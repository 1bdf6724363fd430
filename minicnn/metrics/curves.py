"""Tables and curves: the ROC curve's area, and which class is taken for which."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.checks import check_int
from minicnn.errors import ArgumentError
from minicnn.metrics.base import Metric, class_numbers, ratio
from minicnn.metrics.positives import columns, indicator


class AUC(Metric):
    """Area under the ROC curve: how likely a positive scores higher than a negative.

    Scores lie in [0, 1]. They are counted in `num_thresholds` - 1 bins of equal width, as Keras's
    thresholds are, so the state stays small however many samples come; two scores in one bin count
    as equal. The error is at most half the chance that a positive and a negative share a bin.
    With several outputs all are counted together.

    A score that equals a threshold is not above it, so bin i holds the scores in
    (i / bins, (i + 1) / bins], and the first one 0 too.

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
        """Always."""
        return True

    def sum_shapes(self) -> dict[str, tuple[int, ...]]:
        """Weights of the positives and of the negatives in each bin."""
        bins = (self.num_thresholds - 1,)
        return {"positives": bins, "negatives": bins}

    def add(self, y_true: np.ndarray, y_pred: np.ndarray, weights: np.ndarray) -> None:
        """Put each score into its bin."""
        y_pred = columns(y_pred)
        within = (y_pred >= 0) & (y_pred <= 1)
        if not within.all():
            raise ArgumentError(
                f"{self.name} needs scores within 0...1; got {y_pred[~within][0]:g}. Logits need "
                "a sigmoid or softmax"
            )
        bins = self.num_thresholds - 1
        upper = np.ceil(y_pred.astype(np.float64) * bins).astype(np.int64)
        place = np.clip(upper - 1, 0, bins - 1)
        truth = indicator(y_true, y_pred.shape[1])
        rows = np.broadcast_to(weights[:, None], truth.shape)
        for name, chosen in (("positives", truth), ("negatives", ~truth)):
            self._sums[name] += np.bincount(place[chosen], rows[chosen], bins)

    def result(self) -> float:
        """Pairs of a positive and a lower negative, equal ones half, of all pairs."""
        positives, negatives = self.sum("positives"), self.sum("negatives")
        lower = np.cumsum(negatives) - negatives
        won = positives @ (lower + negatives / 2)
        return ratio(won, positives.sum() * negatives.sum())

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"num_thresholds": self.num_thresholds, **super().get_config()}


class ConfusionMatrix(Metric):
    """(classes, classes): how often a row's class was taken for a column's."""

    scalar = False

    def __init__(self, classes: int, name: str | None = None) -> None:
        self.classes = check_int(classes, "classes")
        super().__init__(name)

    def sum_shapes(self) -> dict[str, tuple[int, ...]]:
        """The matrix."""
        return {"matrix": (self.classes, self.classes)}

    def add(self, y_true: np.ndarray, y_pred: np.ndarray, weights: np.ndarray) -> None:
        """Count each sample in; predictions are (N, classes), or class numbers (N,)."""
        truth = class_numbers(y_true, self.classes)
        guess = class_numbers(y_pred, self.classes, "y_pred")
        counts = np.bincount(truth * self.classes + guess, weights, self.classes**2)
        self._sums["matrix"] += counts.reshape(self.classes, self.classes)

    def result(self) -> np.ndarray:
        """float64; whole numbers unless samples had weights."""
        return self.sum("matrix").copy()

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"classes": self.classes, **super().get_config()}


def confusion_matrix(y_true: Any, y_pred: Any, classes: int | None = None) -> np.ndarray:
    """How often class i (row) was taken for class j (column).

    Parameters
    ----------
    y_true, y_pred : class numbers (N,), or one-hot rows and probabilities (N, C)
    classes : default: C, or the largest class number and one

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
