"""Losses of areas: how little labeled and predicted areas overlap."""

from __future__ import annotations

from typing import Any

from minicnn import ops
from minicnn.checks import check_number
from minicnn.losses.base import PairedLoss, tensors

EPSILON = 1e-7  # what keeps quotients finite, as in Keras


class Dice(PairedLoss):
    """1 - 2 * sum(y * prediction) / (sum(y) + sum(prediction)).

    Parameters
    ----------
    reduction, name : see `Loss`
    axis : the axes that are summed over, such as (1, 2, 3); default None: all, the batch too
    dtype : see `Loss`

    >>> round(Dice()([[1.0, 1.0]], [[1.0, 0.0]]), 4)
    0.3333
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "dice",
        axis: Any = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.axis = list(axis) if isinstance(axis, (list, tuple)) else axis

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value, or one for each position along the other axes."""
        return dice(y_true, y_pred, self.axis)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "axis": self.axis}


class Tversky(PairedLoss):
    """1 - TP / (TP + alpha * FP + beta * FN), where TP = sum(y * prediction) and so on.

    As in Keras, `alpha` weighs sum(y * (1 - prediction)) and `beta` sum((1 - y) * prediction).

    Parameters
    ----------
    alpha, beta : weights of the two kinds of errors; 0.5 and 0.5, the defaults, are `Dice`
    reduction, name : see `Loss`
    axis : see `Dice`
    dtype : see `Loss`
    """

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "tversky",
        axis: Any = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.alpha, self.beta = check_number(alpha, "alpha"), check_number(beta, "beta")
        self.axis = list(axis) if isinstance(axis, (list, tuple)) else axis

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value, or one for each position along the other axes."""
        return tversky(y_true, y_pred, self.alpha, self.beta, self.axis)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"alpha": self.alpha, "beta": self.beta, **super().get_config(), "axis": self.axis}


def dice(y_true: Any, y_pred: Any, axis: Any = None) -> Any:
    """Return 1 - 2 * sum(y_true * y_pred) / (sum(y_true) + sum(y_pred) + 1e-7) over the axes."""
    y_true, y_pred = tensors(y_true, y_pred)
    both = ops.sum(y_true * y_pred, axis=axis)
    either = ops.sum(y_true, axis=axis) + ops.sum(y_pred, axis=axis)
    return 1.0 - 2.0 * both / (either + EPSILON)


def tversky(
    y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: Any = None
) -> Any:
    """Return the Tversky loss over the axes; see the class `Tversky`."""
    y_true, y_pred = tensors(y_true, y_pred)
    both = ops.sum(y_true * y_pred, axis=axis)
    missed = ops.sum((1.0 - y_pred) * y_true, axis=axis)
    added = ops.sum(y_pred * (1.0 - y_true), axis=axis)
    return 1.0 - both / (both + missed * alpha + added * beta + EPSILON)
