"""Metrics made of true and false positives and negatives, counted for each class.

precision = TP / (TP + FP)      of what was called positive, how much is
recall    = TP / (TP + FN)      of what is positive, how much was found
F1        = 2 TP / (2 TP + FP + FN)     their harmonic mean
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.checks import check_choice, check_int, check_number, shape_text
from minicnn.errors import ArgumentError, ShapeError
from minicnn.metrics.base import Metric, one_each, ratio


class Positives(Metric):
    """Counts for precision and recall.

    Parameters
    ----------
    thresholds : a prediction above it is called positive; default: a probability above 0.5
    top_k : instead, the k largest predictions of a sample are; of predictions (N,), which are of
        one sample then, the k largest of all
    class_id : count this class alone; default: all classes together
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
        """Without a threshold of the user's."""
        return self.thresholds is None and self.top_k is None

    def sum_shapes(self) -> dict[str, tuple[int, ...]]:
        """Weights of true positives, false positives and false negatives."""
        return {"true_positives": (), "false_positives": (), "false_negatives": ()}

    def add(self, y_true: np.ndarray, y_pred: np.ndarray, weights: np.ndarray) -> None:
        """Count the three."""
        positive = self._called_positive(y_pred)
        y_pred = columns(y_pred)
        truth = indicator(y_true, y_pred.shape[1])
        if self.class_id is not None:
            if self.class_id >= y_pred.shape[1]:
                raise ArgumentError(
                    f"class_id={self.class_id}, but there are {y_pred.shape[1]} classes"
                )
            positive, truth = (a[:, [self.class_id]] for a in (positive, truth))
        counts = count_outcomes(positive, truth, weights)
        for name, by_class in zip(self.sum_shapes(), counts, strict=True):
            self._sums[name] += by_class.sum()

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        own = {"thresholds": self.thresholds, "top_k": self.top_k, "class_id": self.class_id}
        return {**own, **super().get_config()}

    def _called_positive(self, y_pred: np.ndarray) -> np.ndarray:
        """(N, C) booleans."""
        if self.top_k is None:
            return columns(y_pred) > (0.5 if self.thresholds is None else self.thresholds)
        if y_pred.ndim == 1:
            return largest(y_pred[None], self.top_k).T
        return largest(columns(y_pred), self.top_k)


class Precision(Positives):
    """Part of what was called positive that is positive."""

    def result(self) -> float:
        """TP / (TP + FP)."""
        right = self.sum("true_positives")
        return ratio(right, right + self.sum("false_positives"))


class Recall(Positives):
    """Part of what is positive that was called so."""

    def result(self) -> float:
        """TP / (TP + FN)."""
        right = self.sum("true_positives")
        return ratio(right, right + self.sum("false_negatives"))


class F1Score(Metric):
    """The harmonic mean of precision and recall, of each class.

    Parameters
    ----------
    average : how one number is made of all classes: "macro", their mean; "weighted", their mean
        with each class's number of samples as weight; "micro", from the counts of all together
    threshold : a prediction above it is called positive; default: each sample's largest is, of one
        output a probability above 0.5
    classes : number of classes; default: that of the first predictions
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
        """With one output and no threshold of the user's."""
        return self.threshold is None and self.classes in (None, 1)

    def sum_shapes(self) -> dict[str, tuple[int, ...]]:
        """Weights of true positives, false positives and false negatives of each class."""
        shape = (self.classes or 0,)
        return {"true_positives": shape, "false_positives": shape, "false_negatives": shape}

    def add(self, y_true: np.ndarray, y_pred: np.ndarray, weights: np.ndarray) -> None:
        """Count the three for each class."""
        y_pred = columns(y_pred)
        if self.classes is None:
            self.classes = y_pred.shape[1]
            self.reset()
        if y_pred.shape[1] != self.classes:
            raise ShapeError(
                f"{self.name} is of {self.classes} classes; the predictions have {y_pred.shape[1]}"
            )
        if self.threshold is None and self.classes > 1:
            positive = largest(y_pred, 1)
        else:
            positive = y_pred > (0.5 if self.threshold is None else self.threshold)
        counts = count_outcomes(positive, indicator(y_true, self.classes), weights)
        for name, by_class in zip(self.sum_shapes(), counts, strict=True):
            self._sums[name] += by_class

    def per_class(self) -> np.ndarray:
        """(classes,): the score of each; 0 for a class that never came up."""
        right, called, missed = (self.sum(name) for name in self.sum_shapes())
        whole = 2 * right + called + missed
        return np.divide(2 * right, whole, out=np.zeros(len(whole)), where=whole > 0)

    def result(self) -> float:
        """One score for all classes."""
        right, called, missed = (self.sum(name) for name in self.sum_shapes())
        if self.average == "micro":
            return ratio(2 * right.sum(), (2 * right + called + missed).sum())
        weights = right + missed if self.average == "weighted" else np.ones(len(right))
        return ratio(weights @ self.per_class(), weights.sum())

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        own = {"average": self.average, "threshold": self.threshold, "classes": self.classes}
        return {**own, **super().get_config()}


def columns(y_pred: np.ndarray) -> np.ndarray:
    """(N, C); (N,) is one column."""
    if y_pred.ndim > 2:
        raise ShapeError(f"predictions must be (N,) or (N, C); got {shape_text(y_pred.shape)}")
    return y_pred[:, None] if y_pred.ndim == 1 else y_pred


def indicator(y_true: np.ndarray, classes: int) -> np.ndarray:
    """(N, C) booleans from class numbers, one-hot rows, or 0 and 1 where there is one column."""
    if y_true.ndim == 2 and y_true.shape[1] == classes:
        return y_true > 0.5
    labels = one_each(y_true)[:, None]
    return labels > 0.5 if classes == 1 else labels == np.arange(classes)


def largest(y_pred: np.ndarray, k: int) -> np.ndarray:
    """(N, C) booleans: the k largest of each row; of equals the first."""
    order = np.argsort(-y_pred, axis=-1, kind="stable")[:, :k]
    chosen = np.zeros(y_pred.shape, bool)
    np.put_along_axis(chosen, order, True, -1)
    return chosen


def count_outcomes(
    positive: np.ndarray, truth: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True positives, false positives and false negatives of each class, (C,)."""
    return (
        weights @ (positive & truth),
        weights @ (positive & ~truth),
        weights @ (~positive & truth),
    )
