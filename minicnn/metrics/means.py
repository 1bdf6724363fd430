"""Running means and sums, and metrics that are the mean of a function of labels and predictions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from minicnn.errors import ArgumentError, ShapeError
from minicnn.losses.labels import same_rank
from minicnn.metrics.base import Metric, ratio
from minicnn.support.arrays import Number
from minicnn.support.text import quoted


class Mean(Metric):
    """The running mean of values, each counted as often as its weight says.

    A subclass that defines `values(y_true, y_pred)`, one value per sample, is the mean of these.

    >>> mean = Mean()
    >>> mean.update_state([1.0, 2.0])
    >>> mean.update_state(6.0)
    >>> mean.result()
    3.0

    Parameters
    ----------
    name, dtype : see `Metric`
    """

    def __init__(self, name: str | None = "mean", dtype: str | None = None) -> None:
        super().__init__(dtype, name)

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "values" in vars(cls) and "update_state" not in vars(cls):
            cls.update_state = _update_by_values  # type: ignore[assignment]

    def sum_shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the sums of values and of weights."""
        return {"total": (), "weight": ()}

    def update_state(  # type: ignore[override]
        self, values: Any, sample_weight: Any = None
    ) -> None:
        """Add values: a number, or an array whose first axis is the samples.

        Parameters
        ----------
        values : of a sample with several values, their mean counts
        sample_weight : a number, (N,), or an array that fits the values
        """
        total, weight = weighted_sums(values, sample_weight, np.mean)
        self._sums["total"].assign_add(total)
        self._sums["weight"].assign_add(weight)

    def update(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch in training, which needs a metric of labels and predictions."""
        if type(self).update_state is Mean.update_state:
            raise ArgumentError(
                f"{self.name} is the mean of values that you give it, and training has labels and "
                "predictions; give compile a function of (y_true, y_pred) instead"
            )
        super().update(y_true, y_pred, sample_weight)

    def result(self) -> Number:
        """Return the mean, total / weight."""
        return ratio(float(self._sums["total"]), float(self._sums["weight"]))


def _update_by_values(self: Any, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
    """Add a batch: the values of a subclass that defines `values(y_true, y_pred)`."""
    y_true, y_pred = self.checked(y_true, y_pred)
    Mean.update_state(self, self.values(y_true, y_pred), sample_weight)


class Sum(Metric):
    """The running sum of values, each multiplied by its weight.

    >>> total = Sum()
    >>> total([1.0, 2.0]), total(6.0)
    (3.0, 9.0)

    Parameters
    ----------
    name, dtype : see `Metric`
    """

    def __init__(self, name: str | None = "sum", dtype: str | None = None) -> None:
        super().__init__(dtype, name)

    def sum_shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of the sum."""
        return {"total": ()}

    def update_state(  # type: ignore[override]
        self, values: Any, sample_weight: Any = None
    ) -> None:
        """Add a number, or all values of an array."""
        total, _ = weighted_sums(values, sample_weight, np.sum)
        self._sums["total"].assign_add(total)

    def result(self) -> Number:
        """Return the sum."""
        return Number(self.sum("total"))


class MeanMetricWrapper(Mean):
    """The mean of a function of labels and predictions over all samples.

    >>> def error(y_true, y_pred):
    ...     return abs(y_true - y_pred)
    >>> MeanMetricWrapper(error)([1.0, 2.0], [1.5, 2.0])
    0.25

    Parameters
    ----------
    fn : function (y_true, y_pred, **kwargs) of arrays that returns one value per sample, or more,
        of which the mean counts; or the batch's value
    name : default: the function's name
    dtype : see `Metric`
    kwargs : further arguments of the function
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        name: str | None = None,
        dtype: str | None = None,
        **kwargs: Any,
    ) -> None:
        if not callable(fn):
            raise ArgumentError(f"fn must be a function of (y_true, y_pred); got {quoted(fn)}")
        super().__init__(name or getattr(fn, "__name__", type(fn).__name__), dtype)
        self.fn, self.kwargs = fn, kwargs

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Add a batch: the function's values, and how much each sample counts."""
        y_true, y_pred = self.checked(y_true, y_pred)
        values = self.fn(y_true, y_pred, **self.kwargs)
        super().update_state(values, sample_weight)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; of a subclass, those that its own constructor has."""
        return {**super().get_config(), **self.kwargs}


class FunctionMetric(MeanMetricWrapper):
    """Base class of metrics that are made from a user's functions; each function has a class."""

    function: ClassVar[Callable[..., Any]]

    def __init__(self, name: str | None = None, dtype: str | None = None) -> None:
        function = type(self).function
        super().__init__(function, name or function.__name__, dtype)

    def __reduce__(self) -> Any:
        """Return what pickle needs: the function, because the class has no name of its own."""
        return _unpickled, (type(self).function, vars(self))


def function_metric(function: Callable[..., Any]) -> type[FunctionMetric]:
    """Return the class of the metric that a function (y_true, y_pred) computes."""
    own = {
        "function": staticmethod(function),
        "__module__": function.__module__,
        "__qualname__": function.__qualname__,
        "__doc__": function.__doc__,
    }
    return type(function.__name__, (FunctionMetric,), own)


def _unpickled(function: Callable[..., Any], state: dict[str, Any]) -> FunctionMetric:
    kind = function_metric(function)
    metric = kind.__new__(kind)
    vars(metric).update(state)
    return metric


def weighted_sums(
    values: Any, sample_weight: Any, reduce: Callable[..., Any]
) -> tuple[float, float]:
    """Return the sum of the samples' weighted values, and that of their weights, in float64.

    `reduce` makes one value of the several values of a sample. A number is one sample.
    """
    values = np.asarray(values, np.float64)
    if values.ndim == 0:
        values = values.reshape(1)
    if sample_weight is None:
        return _one_per_row(values, reduce).sum(), len(values)
    weights, values = same_rank(np.asarray(sample_weight, np.float64), values)
    if 0 < weights.ndim < values.ndim:
        values = reduce(values, tuple(range(weights.ndim, values.ndim)))
    try:
        weights = np.broadcast_to(weights, values.shape)
    except ValueError:
        raise ShapeError(
            f"sample_weight {weights.shape} does not fit the values {values.shape}"
        ) from None
    return _one_per_row(values * weights, reduce).sum(), _one_per_row(weights, reduce).sum()


def _one_per_row(values: np.ndarray, reduce: Callable[..., Any]) -> np.ndarray:
    return reduce(values, tuple(range(1, values.ndim))) if values.ndim > 1 else values
