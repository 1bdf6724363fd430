"""Losses of distributions and of counts."""

from __future__ import annotations

from typing import Any

from minicnn import ops
from minicnn.losses.base import PairedLoss, tensors

EPSILON = 1e-7  # what keeps logarithms and quotients finite, as in Keras


class KLDivergence(PairedLoss):
    """sum(y * log(y / prediction)): what a code for predictions wastes on labels y.

    Parameters
    ----------
    reduction, name, dtype : see `Loss`"""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "kl_divergence",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value per row."""
        return kl_divergence(y_true, y_pred)


class Poisson(PairedLoss):
    """mean(prediction - y * log(prediction)) for labels y that are counts.

    Parameters
    ----------
    reduction, name, dtype : see `Loss`"""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "poisson",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value per row."""
        return poisson(y_true, y_pred)


def kl_divergence(y_true: Any, y_pred: Any) -> Any:
    """Return sum(y_true * log(y_true / y_pred)) of each row, of values from 1e-7 to 1.

    >>> kl_divergence([[0.5, 0.5]], [[0.25, 0.75]]).round(4).tolist()
    [0.14380000531673431]
    """
    y_true, y_pred = (ops.clip(y, EPSILON, 1.0) for y in tensors(y_true, y_pred))
    return ops.sum(y_true * ops.log(y_true / y_pred), axis=-1)


def poisson(y_true: Any, y_pred: Any) -> Any:
    """Return mean(y_pred - y_true * log(y_pred + 1e-7)) of each row."""
    y_true, y_pred = tensors(y_true, y_pred)
    return ops.mean(y_pred - y_true * ops.log(y_pred + EPSILON), axis=-1)
