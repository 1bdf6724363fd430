"""Hinge losses, of scores whose sign is the prediction; labels are -1 and 1, or 0 and 1."""

from __future__ import annotations

from typing import Any

from minicnn import ops
from minicnn.losses.base import PairedLoss, tensors


class Hinge(PairedLoss):
    """mean(max(1 - y * prediction, 0)) for labels y that are -1 and 1; 0 means -1.

    Parameters
    ----------
    reduction, name, dtype : see `Loss`

    >>> Hinge()([[0.0], [1.0]], [[-0.5], [0.25]])
    0.625
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "hinge",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value per row."""
        return hinge(y_true, y_pred)


class SquaredHinge(PairedLoss):
    """mean(max(1 - y * prediction, 0)^2) for labels y that are -1 and 1; 0 means -1.

    Parameters
    ----------
    reduction, name, dtype : see `Loss`"""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "squared_hinge",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value per row."""
        return squared_hinge(y_true, y_pred)


class CategoricalHinge(PairedLoss):
    """max(1 + largest wrong score - right score, 0); labels are one-hot rows.

    Parameters
    ----------
    reduction, name, dtype : see `Loss`"""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_hinge",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value per row."""
        return categorical_hinge(y_true, y_pred)


def hinge(y_true: Any, y_pred: Any) -> Any:
    """Return mean(max(1 - y_true * y_pred, 0)) of each row."""
    return ops.mean(_missing(y_true, y_pred), axis=-1)


def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """Return mean(max(1 - y_true * y_pred, 0)^2) of each row."""
    return ops.mean(ops.square(_missing(y_true, y_pred)), axis=-1)


def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    """Return max(1 + max((1 - y_true) * y_pred) - sum(y_true * y_pred), 0) of each row."""
    y_true, y_pred = tensors(y_true, y_pred)
    right = ops.sum(y_true * y_pred, axis=-1)
    wrong = ops.max((1.0 - y_true) * y_pred, axis=-1)
    return ops.maximum(wrong - right + 1.0, 0.0)


def _missing(y_true: Any, y_pred: Any) -> Any:
    """Return max(1 - y * y_pred, 0), with labels y that are -1 and 1."""
    y_true, y_pred = tensors(y_true, y_pred)
    between = ops.max(ops.absolute(y_true * (y_true - 1.0)), keepdims=True)
    y = ops.where(ops.equal(between, 0.0), 2.0 * y_true - 1.0, y_true)  # all are 0 or 1
    return ops.maximum(1.0 - y * y_pred, 0.0)
