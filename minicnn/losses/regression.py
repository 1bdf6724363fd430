"""Losses of numbers: how far predictions are from labels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minicnn import ops
from minicnn.checks import check_number
from minicnn.contracts import Shape
from minicnn.losses.base import MEANS, KernelLoss, PairedLoss, tensors
from minicnn.losses.labels import labels_like_output

EPSILON = 1e-7  # what keeps quotients and logarithms finite, as in Keras
SMALLEST_SQUARE = 1e-12  # what a vector's squared length is at least before it divides


class MeanSquaredError(KernelLoss):
    """mean((y - prediction)^2) for labels y that are numbers, of the predictions' shape.

    Parameters
    ----------
    reduction, name, dtype : see `Loss`

    >>> MeanSquaredError()([[0.0], [1.0]], [[1.0], [1.0]])
    0.5
    """

    kernels = name = "mean_squared_error"

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_error",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def has_kernel(self, output_shape: Shape) -> bool:
        """Return whether the operation computes it: of rows, or of any shape if means count."""
        return len(output_shape) == 2 or (len(output_shape) > 2 and self.reduction in MEANS)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value per row."""
        return mean_squared_error(y_true, y_pred)

    def prepare(self, y_true: Any, output_shape: Shape) -> np.ndarray:
        """Return float32 of the predictions' shape."""
        return labels_like_output(y_true, output_shape)


class MeanAbsoluteError(PairedLoss):
    """mean(|y - prediction|) for labels y that are numbers.

    Parameters
    ----------
    reduction, name, dtype : see `Loss`

    >>> MeanAbsoluteError()([[0.0], [1.0]], [[1.0], [1.0]])
    0.5
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_error",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value per row."""
        return mean_absolute_error(y_true, y_pred)


class MeanAbsolutePercentageError(PairedLoss):
    """mean(100 |y - prediction| / |y|) for labels y that are numbers, not 0.

    Parameters
    ----------
    reduction, name, dtype : see `Loss`"""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_percentage_error",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value per row."""
        return mean_absolute_percentage_error(y_true, y_pred)


class MeanSquaredLogarithmicError(PairedLoss):
    """mean((log(1 + y) - log(1 + prediction))^2) for labels y >= 0.

    Parameters
    ----------
    reduction, name, dtype : see `Loss`"""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_logarithmic_error",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value per row."""
        return mean_squared_logarithmic_error(y_true, y_pred)


class LogCosh(PairedLoss):
    """mean(log(cosh(prediction - y))): like the square near 0, like |error| far from it.

    Parameters
    ----------
    reduction, name, dtype : see `Loss`"""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "log_cosh",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value per row."""
        return log_cosh(y_true, y_pred)


class Huber(PairedLoss):
    """mean(e^2 / 2 where |e| <= delta, else delta * |e| - delta^2 / 2), e = prediction - y.

    Parameters
    ----------
    delta : the error from which the loss grows linearly; default 1
    reduction, name, dtype : see `Loss`

    >>> Huber()([[0.0], [0.0]], [[1.0], [3.0]])
    1.5
    """

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.delta = check_number(delta, "delta", 0.0)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value per row."""
        return huber(y_true, y_pred, self.delta)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"delta": self.delta, **super().get_config()}


class CosineSimilarity(PairedLoss):
    """-cos of the angle between label and prediction: -1 in the same direction, 1 opposite.

    Parameters
    ----------
    axis : the axis of a sample's values; default -1
    reduction, name, dtype : see `Loss`
    """

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "cosine_similarity",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.axis = axis

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value per row along the axis."""
        return cosine_similarity(y_true, y_pred, self.axis)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"axis": self.axis, **super().get_config()}


def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """Return mean((y_true - y_pred)^2) of each row.

    >>> mean_squared_error([[0, 1], [0, 0]], [[1, 1], [0, 0]]).tolist()
    [0.5, 0.0]
    """
    y_true, y_pred = tensors(y_true, y_pred)
    return ops.mean(ops.square(y_true - y_pred), axis=-1)


def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """Return mean(|y_true - y_pred|) of each row."""
    y_true, y_pred = tensors(y_true, y_pred)
    return ops.mean(ops.absolute(y_true - y_pred), axis=-1)


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    """Return mean(100 |y_true - y_pred| / max(|y_true|, 1e-7)) of each row."""
    y_true, y_pred = tensors(y_true, y_pred)
    parts = ops.absolute((y_true - y_pred) / ops.maximum(ops.absolute(y_true), EPSILON))
    return 100.0 * ops.mean(parts, axis=-1)


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    """Return mean((log(1 + y_true) - log(1 + y_pred))^2) of each row; below 1e-7 is 1e-7."""
    logs = [ops.log(ops.maximum(y, EPSILON) + 1.0) for y in tensors(y_true, y_pred)]
    return ops.mean(ops.square(logs[0] - logs[1]), axis=-1)


def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Any:
    """Return the Huber loss of each row; see the class `Huber`."""
    y_true, y_pred = tensors(y_true, y_pred)
    error = y_pred - y_true
    size = ops.absolute(error)
    near, far = 0.5 * ops.square(error), delta * size - 0.5 * delta**2
    return ops.mean(ops.where(size <= delta, near, far), axis=-1)


def log_cosh(y_true: Any, y_pred: Any) -> Any:
    """Return mean(log(cosh(y_pred - y_true))) of each row, without overflow."""
    y_true, y_pred = tensors(y_true, y_pred)
    error = y_pred - y_true
    return ops.mean(error + ops.softplus(-2.0 * error) - math.log(2.0), axis=-1)


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Return -sum(y_true * y_pred) along an axis, both divided by their lengths."""
    y_true, y_pred = (_unit(y, axis) for y in tensors(y_true, y_pred))
    return -ops.sum(y_true * y_pred, axis=axis)


def _unit(x: Any, axis: int) -> Any:
    """Return the vectors along an axis with length 1."""
    squares = ops.sum(ops.square(x), axis=axis, keepdims=True)
    return x * ops.rsqrt(ops.maximum(squares, SMALLEST_SQUARE))
