"""Metrics that are the best of one rate where another is good enough, among many thresholds."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from minicnn.checks import check_int, check_number
from minicnn.metrics.base import ratios
from minicnn.metrics.curves import Curve
from minicnn.support.arrays import Number


class BestAt(Curve):
    """Base class: the best of one rate among the thresholds where another is large enough.

    Parameters
    ----------
    (the first) : what the other rate must reach, within 0...1
    num_thresholds : number of thresholds to choose from; default 200
    class_id : index of the only class that counts; default None: all classes together
    name, dtype : see `Metric`
    """

    argument: ClassVar[str]
    least: ClassVar[str]
    best: ClassVar[str]

    def __init__(
        self,
        value: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        self.value = check_number(value, self.argument, 0.0, np.nextafter(1.0, 2.0))
        self.class_id = None if class_id is None else check_int(class_id, "class_id", 0)
        self.single = check_int(num_thresholds, "num_thresholds") == 1
        super().__init__(3 if self.single else num_thresholds, None, name, dtype)

    def result(self) -> Number:
        """Return the best rate; 0 if no threshold is good enough."""
        hits, false_alarms, rejected, missed = self._outcomes()
        rates = {
            "precision": ratios(hits, hits + false_alarms),
            "recall": ratios(hits, hits + missed),
            "specificity": ratios(rejected, rejected + false_alarms),
        }
        chosen = slice(1, 2) if self.single else slice(None)
        enough = rates[self.least][chosen] >= self.value
        return Number(rates[self.best][chosen][enough].max(initial=0.0))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        own = {
            self.argument: self.value,
            "num_thresholds": 1 if self.single else self.num_thresholds,
            "class_id": self.class_id,
        }
        return {**own, **super().get_config()}


class PrecisionAtRecall(BestAt):
    """Best precision at a threshold where the recall is at least `recall`; see `BestAt`.

    >>> PrecisionAtRecall(0.5)([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8])
    0.5
    """

    argument, least, best = "recall", "recall", "precision"

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(recall, num_thresholds, class_id, name, dtype)


class RecallAtPrecision(BestAt):
    """Best recall at a threshold where the precision is at least `precision`; see `BestAt`."""

    argument, least, best = "precision", "precision", "recall"

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(precision, num_thresholds, class_id, name, dtype)


class SensitivityAtSpecificity(BestAt):
    """Best recall at a threshold where the specificity is at least `specificity`; see `BestAt`.

    The specificity is the fraction of the negatives that were predicted, TN / (TN + FP).
    """

    argument, least, best = "specificity", "specificity", "recall"

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(specificity, num_thresholds, class_id, name, dtype)


class SpecificityAtSensitivity(BestAt):
    """Best specificity at a threshold where the recall is at least `sensitivity`; see `BestAt`."""

    argument, least, best = "sensitivity", "recall", "specificity"

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)
