"""Metrics that are computed from true and false positives and negatives.

precision = TP / (TP + FP)      the fraction of predicted positives that are positive
recall    = TP / (TP + FN)      the fraction of positives that were predicted
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from minicnn.checks import check_int, check_number, shape_text
from minicnn.errors import ArgumentError, ShapeError
from minicnn.metrics.base import Metric, ratios
from minicnn.support.arrays import as_number

Thresholds = float | Sequence[float] | None


class Outcomes(Metric):
    """Base class of the metrics that count outcomes: which positives were predicted.

    Parameters
    ----------
    thresholds : a prediction above it is positive; of several thresholds the result is one number
        each; default None: a probability above 0.5
    name, dtype : see `Metric`
    """

    counts: ClassVar[tuple[str, ...]] = ()
    top_k: int | None = None
    class_id: int | None = None

    def __init__(
        self, thresholds: Thresholds = None, name: str | None = None, dtype: str | None = None
    ) -> None:
        self.thresholds = checked_thresholds(thresholds)
        self.scalar = not isinstance(self.thresholds, list)
        super().__init__(dtype, name)

    @property
    def needs_probabilities(self) -> bool:
        """True unless the user gave a threshold or top_k."""
        return self.thresholds is None and self.top_k is None

    def sum_shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of each count: a number, or one for each threshold."""
        shape = () if self.scalar else (len(self.thresholds),)  # type: ignore[arg-type]
        return dict.fromkeys(self.counts, shape)

    def add(self, y_true: np.ndarray, y_pred: np.ndarray, weights: np.ndarray) -> None:
        """Count the outcomes at each threshold."""
        scores, actual = scores_and_labels(y_true, y_pred, self.top_k)
        for i, threshold in enumerate(self._each_threshold()):
            positive, labels = self._one_class(scores > threshold, actual)
            outcomes = count_outcomes(positive, labels, weights)
            for name in self.counts:
                self._sums[name].reshape(-1)[i] += outcomes[name].sum()

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"thresholds": self.thresholds, **super().get_config()}

    def _each_threshold(self) -> list[float]:
        if self.thresholds is None:
            return [0.5]
        return self.thresholds if isinstance(self.thresholds, list) else [self.thresholds]

    def _one_class(self, positive: np.ndarray, actual: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return both as (N, values), of the class that counts."""
        if self.class_id is not None:
            check_class_id(self.class_id, positive.shape[-1])
            positive, actual = (a[..., self.class_id] for a in (positive, actual))
        return one_row_each(positive), one_row_each(actual)


class OutcomeCount(Outcomes):
    """Base class of the metrics that are a count, weighted if the samples are."""

    def result(self) -> Any:
        """Return the count, or one for each threshold."""
        return as_number(self.sum(self.counts[0]).copy())


class TruePositives(OutcomeCount):
    """Number of positives that were predicted; parameters are those of `Outcomes`.

    >>> TruePositives()([1, 0, 1], [0.9, 0.8, 0.2])
    1.0
    """

    counts = ("true_positives",)


class TrueNegatives(OutcomeCount):
    """Number of negatives that were predicted; parameters are those of `Outcomes`."""

    counts = ("true_negatives",)


class FalsePositives(OutcomeCount):
    """Number of negatives that were predicted to be positive; parameters as `Outcomes`."""

    counts = ("false_positives",)


class FalseNegatives(OutcomeCount):
    """Number of positives that were predicted to be negative; parameters as `Outcomes`."""

    counts = ("false_negatives",)


class Positives(Outcomes):
    """Base class of precision and recall.

    Parameters
    ----------
    thresholds : a prediction above it is positive; of several thresholds the result is one number
        each; default None: a probability above 0.5
    top_k : the k largest predictions of a sample are positive; default None. Predictions (N,) are
        then those of one sample
    class_id : index of the only class that counts; default None: all classes together
    name, dtype : see `Metric`
    """

    counts = ("true_positives", "false_positives", "false_negatives")

    def __init__(
        self,
        thresholds: Thresholds = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        if thresholds is not None and top_k is not None:
            raise ArgumentError("give thresholds or top_k, not both")
        super().__init__(thresholds, name, dtype)
        self.top_k = None if top_k is None else check_int(top_k, "top_k")
        self.class_id = None if class_id is None else check_int(class_id, "class_id", 0)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        own = {"thresholds": self.thresholds, "top_k": self.top_k, "class_id": self.class_id}
        return {**own, "name": self.name}


class Precision(Positives):
    """Fraction of the predicted positives that are positive, TP / (TP + FP).

    Parameters are those of `Positives`.

    >>> precision = Precision()
    >>> precision.update_state([1, 0, 1], [0.9, 0.8, 0.2])
    >>> precision.result()
    0.5
    """

    def result(self) -> Any:
        """Return TP / (TP + FP)."""
        hits = self.sum("true_positives")
        return as_number(ratios(hits, hits + self.sum("false_positives")))


class Recall(Positives):
    """Fraction of the positives that were predicted, TP / (TP + FN).

    Parameters are those of `Positives`.
    """

    def result(self) -> Any:
        """Return TP / (TP + FN)."""
        hits = self.sum("true_positives")
        return as_number(ratios(hits, hits + self.sum("false_negatives")))


def checked_thresholds(thresholds: Thresholds) -> float | list[float] | None:
    """Return None, a number, or a list of several numbers."""
    if thresholds is None:
        return None
    if not isinstance(thresholds, (list, tuple, np.ndarray)):
        return check_number(thresholds, "thresholds")
    found = [check_number(one, "each threshold") for one in thresholds]
    if not found:
        raise ArgumentError("thresholds must be a number, or a list of at least one")
    return found if len(found) > 1 else found[0]


def check_class_id(class_id: int, classes: int) -> None:
    """Raise ArgumentError for the index of a class that the predictions do not have."""
    if class_id >= classes:
        raise ArgumentError(f"class_id={class_id}, but there are {classes} classes")


def scores_and_labels(
    y_true: np.ndarray, y_pred: np.ndarray, top_k: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return scores (N, ..., C), and booleans of this shape: which are positive.

    With `top_k` the scores are 1 for the k largest of a row, and 0 for the others.
    """
    if top_k is None:
        scores = columns(y_pred)
    elif y_pred.ndim == 1:
        scores = largest(y_pred[None], top_k).T
    else:
        scores = largest(y_pred, top_k)
    return scores, indicator(y_true, scores.shape)


def one_row_each(a: np.ndarray) -> np.ndarray:
    """Return (N, values) from (N, ...)."""
    return a.reshape(len(a), int(np.prod(a.shape[1:])))


def columns(y_pred: np.ndarray) -> np.ndarray:
    """Return predictions as (N, ..., C); (N,) is one column."""
    return y_pred[:, None] if y_pred.ndim == 1 else y_pred


def indicator(y_true: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return booleans of the predictions' shape: which are of a sample's right class.

    Labels are class indices, one-hot rows, or 0 and 1 for a single column.
    """
    if y_true.shape == shape:
        return y_true > 0.5
    if y_true.size != int(np.prod(shape[:-1])):
        raise ShapeError(
            f"labels {shape_text(y_true.shape)} do not fit predictions {shape_text(shape)}: they "
            "must have the same shape, or be one class index for each row"
        )
    labels = y_true.reshape(*shape[:-1], 1)
    return labels > 0.5 if shape[-1] == 1 else labels == np.arange(shape[-1])


def largest(y_pred: np.ndarray, k: int) -> np.ndarray:
    """Return (N, ..., C) booleans: the k largest of each row; of equal values the first."""
    order = np.argsort(-y_pred, axis=-1, kind="stable")[..., :k]
    chosen = np.zeros(y_pred.shape, bool)
    np.put_along_axis(chosen, order, True, -1)
    return chosen


def count_outcomes(
    positive: np.ndarray, actual: np.ndarray, weights: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the number of each kind of outcome in each column, (C,)."""
    return {
        "true_positives": weights @ (positive & actual),
        "false_positives": weights @ (positive & ~actual),
        "false_negatives": weights @ (~positive & actual),
        "true_negatives": weights @ (~positive & ~actual),
    }
