"""Batch normalization in training, fused with the dropout that follows it."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.operations.batch_norm import BATCH_NORM_TRAINING
from minicnn.operations.dropout import DROPOUT
from minicnn.operations.operation import Operation, Saved, gradients, run


def _resolve(
    x: Any,
    gamma: Any,
    beta: Any,
    moving_mean: Any,
    moving_variance: Any,
    moments: Any | None,
    rng_key: Any,
    *,
    rate: float,
    purpose: int = 0,
    **norm: Any,
) -> dict[str, Any]:
    attributes = BATCH_NORM_TRAINING.resolve(x, gamma, beta, moving_mean, moving_variance, **norm)
    return {**attributes, **DROPOUT.resolve(x, rng_key, rate=rate, purpose=purpose)}


BATCH_NORM_DROPOUT = Operation("batch_norm_dropout", _resolve, ("batch_norm_dropout_backward",))


def batch_norm_dropout(
    x: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    moving_mean: np.ndarray,
    moving_variance: np.ndarray,
    rng_key: np.ndarray,
    *,
    rate: float,
    purpose: int = 0,
    momentum: float = 0.99,
    epsilon: float = 1e-3,
) -> tuple[np.ndarray, Saved]:
    """Normalize each channel by the batch's statistics, then set a fraction of the values to 0.

    y = dropout(batch_norm_training(x))

    The planner of models uses it in place of these two operations. It saves one pass over the
    array in the forward and in the backward pass.

    Parameters
    ----------
    x : float32 array, (N, ..., C)
    gamma, beta, moving_mean, moving_variance : float32 arrays, (C,)
    rng_key : uint32 array, (4,)
    rate, purpose : as in `dropout`
    momentum, epsilon : as in `batch_norm_training`

    Returns
    -------
    y : float32 array, the shape of x
    saved : Saved, for `batch_norm_dropout_backward`; `saved.updates` as in `batch_norm_training`

    Raises
    ------
    DTypeError, ShapeError, ArgumentError : as in `batch_norm_training` and `dropout`

    Examples
    --------
    >>> zero, one, rng_key = np.zeros(1, "f4"), np.ones(1, "f4"), np.array([777, 0, 0, 0], "u4")
    >>> x = np.array([[1], [5]], np.float32)
    >>> y, _ = batch_norm_dropout(x, one, zero, zero, one, rng_key, rate=0.0)
    >>> y.round(2).tolist()
    [[-1.0], [1.0]]
    """
    reads = (x, gamma, beta, moving_mean, moving_variance, None, rng_key)
    norm = {"momentum": momentum, "epsilon": epsilon}
    return run(BATCH_NORM_DROPOUT, *reads, rate=rate, purpose=purpose, **norm)


def batch_norm_dropout_backward(
    dy: np.ndarray, saved: Saved
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (dx, dgamma, dbeta): `dropout_backward`, then `batch_norm_training_backward`."""
    found = gradients(dy, saved)
    return found["dx"], found["dgamma"], found["dbeta"]
