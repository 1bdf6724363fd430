"""Metrics of numbers: how far predictions are from the labels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minicnn.checks import check_int, warn_caller
from minicnn.errors import ArgumentError, ShapeError
from minicnn.losses.labels import same_rank
from minicnn.losses.regression import (
    cosine_similarity,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from minicnn.metrics.base import Metric
from minicnn.metrics.means import Mean, MeanMetricWrapper
from minicnn.support.arrays import Number, as_number
from minicnn.support.text import quoted


class MeanSquaredError(MeanMetricWrapper):
    """Mean of (y_true - y_pred)^2.

    Parameters
    ----------
    name, dtype : see `Metric`

    >>> MeanSquaredError()([[0, 1], [0, 0]], [[1, 1], [0, 0]])
    0.25
    """

    def __init__(self, name: str | None = "mean_squared_error", dtype: str | None = None) -> None:
        super().__init__(mean_squared_error, name, dtype)


class RootMeanSquaredError(Mean):
    """Square root of the mean of (y_true - y_pred)^2.

    Parameters
    ----------
    name, dtype : see `Metric`

    >>> RootMeanSquaredError()([[0, 1], [0, 0]], [[1, 1], [0, 0]])
    0.5
    """

    def __init__(
        self, name: str | None = "root_mean_squared_error", dtype: str | None = None
    ) -> None:
        super().__init__(name, dtype)

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """Return the squared differences."""
        y_true, y_pred = same_rank(y_true, y_pred)
        return np.square(y_pred.astype(np.float64) - y_true)

    def result(self) -> Number:
        """Return the root of the mean."""
        return Number(math.sqrt(super().result()))


class MeanAbsoluteError(MeanMetricWrapper):
    """Mean of |y_true - y_pred|.

    Parameters
    ----------
    name, dtype : see `Metric`
    """

    def __init__(self, name: str | None = "mean_absolute_error", dtype: str | None = None) -> None:
        super().__init__(mean_absolute_error, name, dtype)


class MeanAbsolutePercentageError(MeanMetricWrapper):
    """Mean of 100 |y_true - y_pred| / |y_true|.

    Parameters
    ----------
    name, dtype : see `Metric`
    """

    def __init__(
        self, name: str | None = "mean_absolute_percentage_error", dtype: str | None = None
    ) -> None:
        super().__init__(mean_absolute_percentage_error, name, dtype)


class MeanSquaredLogarithmicError(MeanMetricWrapper):
    """Mean of (log(1 + y_true) - log(1 + y_pred))^2.

    Parameters
    ----------
    name, dtype : see `Metric`
    """

    def __init__(
        self, name: str | None = "mean_squared_logarithmic_error", dtype: str | None = None
    ) -> None:
        super().__init__(mean_squared_logarithmic_error, name, dtype)


class LogCoshError(MeanMetricWrapper):
    """Mean of log(cosh(y_pred - y_true)).

    Parameters
    ----------
    name, dtype : see `Metric`
    """

    def __init__(self, name: str | None = "logcosh", dtype: str | None = None) -> None:
        super().__init__(log_cosh, name, dtype)


class CosineSimilarity(MeanMetricWrapper):
    """Mean over the samples of the cosine of the angle between label and prediction.

    Unlike the loss of this name it is 1, not -1, for predictions in the labels' direction.

    Parameters
    ----------
    name, dtype : see `Metric`
    axis : the axis of a sample's values; default -1
    """

    def __init__(
        self, name: str | None = "cosine_similarity", dtype: str | None = None, axis: int = -1
    ) -> None:
        super().__init__(_cosine, name, dtype, axis=axis)


def _cosine(y_true: Any, y_pred: Any, axis: int) -> Any:
    return -cosine_similarity(y_true, y_pred, axis)


AGGREGATIONS = (None, "uniform_average", "variance_weighted_average")


class R2Score(Metric):
    """Coefficient of determination, 1 - (sum of squared errors) / (sum of squared deviations).

    Parameters
    ----------
    class_aggregation : "uniform_average", the mean over the outputs; "variance_weighted_average";
        or None, one score for each output; default the first
    num_regressors : number of independent inputs, for the adjusted score; default 0: not adjusted
    name, dtype : see `Metric`

    >>> round(R2Score()([[1], [4], [3]], [[2], [4], [4]]), 4)
    0.5714
    """

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: str | None = None,
    ) -> None:
        if class_aggregation not in AGGREGATIONS:
            raise ArgumentError(
                f"class_aggregation must be one of {list(AGGREGATIONS)}; got "
                f"{quoted(class_aggregation)}"
            )
        self.class_aggregation = class_aggregation
        self.num_regressors = check_int(num_regressors, "num_regressors", 0)
        self.outputs: int | None = None
        self.scalar = class_aggregation is not None
        super().__init__(dtype, name)

    def sum_shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the sums for each output, and of the number of values."""
        names = ("weight", "labels", "squared_labels", "squared_errors")
        return {**dict.fromkeys(names, (self.outputs or 0,)), "values": ()}

    def set_state(self, state: dict[str, Any]) -> None:
        """Take over the sums that `get_state` returned, of as many outputs as they have."""
        self.outputs = len(state.get("weight", ()))
        self.make_sums()
        super().set_state(state)

    def add(self, y_true: np.ndarray, y_pred: np.ndarray, weights: np.ndarray) -> None:
        """Add sums over the samples for each output."""
        y_true, y_pred = same_rank(y_true, y_pred)
        if y_pred.ndim != 2 or y_true.shape != y_pred.shape:
            raise ShapeError(
                f"{self.name} needs labels and predictions (N, outputs); got {y_true.shape} and "
                f"{y_pred.shape}"
            )
        if not self.outputs:
            self.outputs = y_pred.shape[1]
            self.make_sums()
        labels = y_true.astype(np.float64)
        self._sums["weight"].assign_add(weights.sum())
        self._sums["labels"].assign_add(weights @ labels)
        self._sums["squared_labels"].assign_add(weights @ labels**2)
        self._sums["squared_errors"].assign_add(weights @ (labels - y_pred) ** 2)
        self._sums["values"].assign_add(y_true.size)

    def result(self) -> Any:
        """Return the score, or one for each output; 0 before the first sample."""
        if not self.outputs or not self.sum("values"):
            return as_number(np.zeros(self.outputs or 0) if not self.scalar else 0.0)
        labels, weight = self.sum("labels"), self.sum("weight")
        total = self.sum("squared_labels") - labels**2 / weight
        with np.errstate(divide="ignore", invalid="ignore"):
            scores = 1 - self.sum("squared_errors") / total
        scores = np.where(np.isinf(scores), 0.0, scores)
        if self.class_aggregation == "uniform_average":
            scores = scores.mean()
        elif self.class_aggregation is not None:
            scores = (total * scores).sum() / total.sum()
        return as_number(self._adjusted(scores))

    def _adjusted(self, scores: Any) -> Any:
        """Return the score that counts the number of independent inputs."""
        if self.num_regressors == 0:
            return scores
        free = float(self.sum("values")) - 1 - self.num_regressors
        if free <= 0:
            warn_caller(
                f"{self.name}: {self.num_regressors} independent inputs need more values than "
                f"{int(self.sum('values'))}; the score is not adjusted"
            )
            return scores
        return 1 - (1 - scores) * (float(self.sum("values")) - 1) / free

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        own = {"class_aggregation": self.class_aggregation, "num_regressors": self.num_regressors}
        return {**own, **super().get_config()}
