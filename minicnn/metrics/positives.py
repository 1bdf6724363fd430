"""Metrics that are computed from true and false positives and negatives, counted per class.

precision = TP / (TP + FP)      the fraction of predicted positives that are positive
recall    = TP / (TP + FN)      the fraction of positives that were predicted
F1        = 2 TP / (2 TP + FP + FN)     their harmonic mean
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.checks import check_choice, check_int, check_number, shape_text
from minicnn.errors import ArgumentError, ShapeError
from minicnn.metrics.base import Metric, one_per_sample, ratio


class Positives(Metric):
    """Base class of precision and recall.

    Parameters
    ----------
    thresholds : a prediction above it is positive; default None: a probability above 0.5
    top_k : the k largest predictions of a sample are positive; default None. Predictions (N,) are
        then those of one sample
    class_id : index of the only class that counts; default None: all classes together
    """

    def __init__(
        self,
        thresholds: float | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        if thresholds is not None and top_k is not None:
            raise ArgumentError("give thresholds or top_k, not both")
        self.thresholds = None if thresholds is None else check_number(thresholds, "thresholds")
        self.top_k = None if top_k is None else check_int(top_k, "top_k")
        self.class_id = None if class_id is None else check_int(class_id, "class_id", 0)

    @property
    def needs_probabilities(self) -> bool:
        """True unless the user gave a threshold or top_k."""
        return self.thresholds is None and self.top_k is None

    def sum_shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the true positives, false positives and false negatives."""
        return {"true_positives": (), "false_positives": (), "false_negatives": ()}

    def add(self, y_true: np.ndarray, y_pred: np.ndarray, weights: np.ndarray) -> None:
        """Count true positives, false positives and false negatives."""
        positive = self._positive(y_pred)
        y_pred = columns(y_pred)
        actual = indicator(y_true, y_pred.shape[1])
        if self.class_id is not None:
            if self.class_id >= y_pred.shape[1]:
                raise ArgumentError(
                    f"class_id={self.class_id}, but there are {y_pred.shape[1]} classes"
                )
            positive, actual = (a[:, [self.class_id]] for a in (positive, actual))
        counts = count_outcomes(positive, actual, weights)
        for name, by_class in zip(self.sum_shapes(), counts, strict=True):
            self._sums[name] += by_class.sum()

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        own = {"thresholds": self.thresholds, "top_k": self.top_k, "class_id": self.class_id}
        return {**own, **super().get_config()}

    def _positive(self, y_pred: np.ndarray) -> np.ndarray:
        """Return (N, C) booleans: which predictions are positive."""
        if self.top_k is None:
            return columns(y_pred) > (0.5 if self.thresholds is None else self.thresholds)
        if y_pred.ndim == 1:
            return largest(y_pred[None], self.top_k).T
        return largest(columns(y_pred), self.top_k)


class Precision(Positives):
    """Fraction of the predicted positives that are positive, TP / (TP + FP).

    Parameters are those of `Positives`.

    >>> precision = Precision()
    >>> precision.update([1, 0, 1], [0.9, 0.8, 0.2])
    >>> precision.result()
    0.5
    """

    def result(self) -> float:
        """Return TP / (TP + FP)."""
        hits = self.sum("true_positives")
        return ratio(hits, hits + self.sum("false_positives"))


class Recall(Positives):
    """Fraction of the positives that were predicted, TP / (TP + FN).

    Parameters are those of `Positives`.
    """

    def result(self) -> float:
        """Return TP / (TP + FN)."""
        hits = self.sum("true_positives")
        return ratio(hits, hits + self.sum("false_negatives"))


class F1Score(Metric):
    """Harmonic mean of precision and recall, averaged over the classes.

    Parameters
    ----------
    average : "macro", the mean over the classes; "weighted", their mean weighted by the number of
        samples; or "micro", computed from the counts of all classes; default "macro"
    threshold : a prediction above it is positive; default None: the largest of each sample, or a
        probability above 0.5 if there is one output
    classes : number of classes; default None: that of the first predictions
    """

    def __init__(
        self,
        average: str = "macro",
        threshold: float | None = None,
        name: str | None = None,
        *,
        classes: int | None = None,
    ) -> None:
        self.classes = None if classes is None else check_int(classes, "classes")
        super().__init__(name or "f1_score")
        self.average = check_choice(average, "average", ("macro", "micro", "weighted"))
        self.threshold = None if threshold is None else check_number(threshold, "threshold")

    @property
    def needs_probabilities(self) -> bool:
        """True with one output, unless the user gave a threshold."""
        return self.threshold is None and self.classes in (None, 1)

    def sum_shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the counts per class: true and false positives, false negatives."""
        shape = (self.classes or 0,)
        return {"true_positives": shape, "false_positives": shape, "false_negatives": shape}

    def add(self, y_true: np.ndarray, y_pred: np.ndarray, weights: np.ndarray) -> None:
        """Count true positives, false positives and false negatives per class."""
        y_pred = columns(y_pred)
        if self.classes is None:
            self.classes = y_pred.shape[1]
            self.reset()
        if y_pred.shape[1] != self.classes:
            raise ShapeError(
                f"{self.name} counts {self.classes} classes; the predictions have {y_pred.shape[1]}"
            )
        if self.threshold is None and self.classes > 1:
            positive = largest(y_pred, 1)
        else:
            positive = y_pred > (0.5 if self.threshold is None else self.threshold)
        counts = count_outcomes(positive, indicator(y_true, self.classes), weights)
        for name, by_class in zip(self.sum_shapes(), counts, strict=True):
            self._sums[name] += by_class

    def per_class(self) -> np.ndarray:
        """Return (classes,): the score of each class; 0 for a class that never occurred."""
        hits, false_alarms, missed = (self.sum(name) for name in self.sum_shapes())
        whole = 2 * hits + false_alarms + missed
        return np.divide(2 * hits, whole, out=np.zeros(len(whole)), where=whole > 0)

    def result(self) -> float:
        """Return one score for all classes."""
        hits, false_alarms, missed = (self.sum(name) for name in self.sum_shapes())
        if self.average == "micro":
            return ratio(2 * hits.sum(), (2 * hits + false_alarms + missed).sum())
        weights = hits + missed if self.average == "weighted" else np.ones(len(hits))
        return ratio(weights @ self.per_class(), weights.sum())

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        own = {"average": self.average, "threshold": self.threshold, "classes": self.classes}
        return {**own, **super().get_config()}


def columns(y_pred: np.ndarray) -> np.ndarray:
    """Return predictions as (N, C); (N,) is one column."""
    if y_pred.ndim > 2:
        raise ShapeError(f"predictions must be (N,) or (N, C); got {shape_text(y_pred.shape)}")
    return y_pred[:, None] if y_pred.ndim == 1 else y_pred


def indicator(y_true: np.ndarray, classes: int) -> np.ndarray:
    """Return (N, C) booleans from class indices, one-hot rows, or 0 and 1 for a single column."""
    if y_true.ndim == 2 and y_true.shape[1] == classes:
        return y_true > 0.5
    labels = one_per_sample(y_true)[:, None]
    return labels > 0.5 if classes == 1 else labels == np.arange(classes)


def largest(y_pred: np.ndarray, k: int) -> np.ndarray:
    """Return (N, C) booleans: the k largest of each row; of equal values the first."""
    order = np.argsort(-y_pred, axis=-1, kind="stable")[:, :k]
    chosen = np.zeros(y_pred.shape, bool)
    np.put_along_axis(chosen, order, True, -1)
    return chosen


def count_outcomes(
    positive: np.ndarray, actual: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the true positives, false positives and false negatives of each class, (C,)."""
    return (
        weights @ (positive & actual),
        weights @ (positive & ~actual),
        weights @ (~positive & actual),
    )
