"""F scores: means of precision and recall.

F_beta = (1 + beta^2) * precision * recall / (beta^2 * precision + recall)
       = (1 + beta^2) * TP / ((1 + beta^2) * TP + beta^2 * FN + FP)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.checks import check_choice, check_int, check_number
from minicnn.errors import ShapeError
from minicnn.metrics.base import Metric, ratio, ratios
from minicnn.metrics.positives import columns, count_outcomes, indicator
from minicnn.support.arrays import as_number

AVERAGES = ("macro", "micro", "weighted")
# A score this small is no prediction, even if it is the largest of its sample.
NOTHING = 1e-9


class FBetaScore(Metric):
    """Mean of precision and recall, in which recall counts beta times as much.

    Parameters
    ----------
    average : None, one score for each class; "macro", their mean; "weighted", their mean weighted
        by the number of samples; or "micro", computed from the counts of all classes. Training
        reports single numbers: None means "macro" there. Default None
    beta : how much recall counts; default 1
    threshold : a prediction above it is positive; default None: the largest of each sample, or a
        probability above 0.5 if there is one output
    name, dtype : see `Metric`
    classes : number of classes; default None: that of the first predictions
    """

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: str | None = None,
        *,
        classes: int | None = None,
    ) -> None:
        self.classes = None if classes is None else check_int(classes, "classes")
        super().__init__(dtype, name)
        self.average = None if average is None else check_choice(average, "average", AVERAGES)
        self.beta = check_number(beta, "beta", 0.0, open=True)
        self.threshold = None if threshold is None else check_number(threshold, "threshold")

    @property
    def needs_probabilities(self) -> bool:
        """True with one output, unless the user gave a threshold."""
        return self.threshold is None and self.classes in (None, 1)

    def sum_shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the counts per class: true and false positives, false negatives."""
        names = ("true_positives", "false_positives", "false_negatives")
        return dict.fromkeys(names, (self.classes or 0,))

    def add(self, y_true: np.ndarray, y_pred: np.ndarray, weights: np.ndarray) -> None:
        """Count true positives, false positives and false negatives per class."""
        y_pred = columns(y_pred)
        if self.classes is None:
            self.classes = y_pred.shape[1]
            self.make_sums()
        if y_pred.ndim != 2 or y_pred.shape[1] != self.classes:
            raise ShapeError(
                f"{self.name} counts {self.classes} classes; the predictions have "
                f"{y_pred.shape[-1] if y_pred.ndim == 2 else 'more axes than (N, classes)'}"
            )
        counts = count_outcomes(self._positive(y_pred), indicator(y_true, y_pred.shape), weights)
        for name in self.sum_shapes():
            self._sums[name].assign_add(counts[name])

    def per_class(self) -> np.ndarray:
        """Return (classes,): the score of each class; 0 for a class that never occurred."""
        return ratios(*self._part_and_whole())

    def result(self) -> Any:
        """Return one score for all classes, or for each class."""
        part, whole = self._part_and_whole()
        if self.average is None:
            return as_number(ratios(part, whole))
        if self.average == "micro":
            return ratio(part.sum(), whole.sum())
        occurred = self.sum("true_positives") + self.sum("false_negatives")
        weights = occurred if self.average == "weighted" else np.ones(len(part))
        return ratio(weights @ ratios(part, whole), weights.sum())

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        names = ("average", "beta", "threshold", "classes")
        return {**{name: getattr(self, name) for name in names}, **super().get_config()}

    def _part_and_whole(self) -> tuple[np.ndarray, np.ndarray]:
        """Return numerator and denominator of the formula for each class."""
        hits, false_alarms, missed = (self.sum(name) for name in self.sum_shapes())
        part = (1 + self.beta**2) * hits
        return part, part + self.beta**2 * missed + false_alarms

    def _positive(self, y_pred: np.ndarray) -> np.ndarray:
        if self.threshold is None and self.classes != 1:
            return (y_pred == y_pred.max(-1, keepdims=True)) & (np.abs(y_pred) > NOTHING)
        return y_pred > (0.5 if self.threshold is None else self.threshold)


class F1Score(FBetaScore):
    """Harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN).

    Parameters are those of `FBetaScore`, without beta.

    >>> F1Score()([[1, 0], [0, 1], [0, 1]], [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]).round(3).tolist()
    [0.667, 0.667]
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: str | None = None,
        *,
        classes: int | None = None,
    ) -> None:
        super().__init__(average, 1.0, threshold, name, dtype, classes=classes)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        config = super().get_config()
        del config["beta"]
        return config
