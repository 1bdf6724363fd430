"""Batch normalization and dropout, fused: y = dropout(batch_norm_training(x))."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.backends.numpy.batch_norm import (
    batch_norm_training_backward,
    batch_norm_training_forward,
)
from minicnn.backends.numpy.dropout import dropout_backward, dropout_forward


def batch_norm_dropout_forward(
    x: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    moving_mean: np.ndarray,
    moving_variance: np.ndarray,
    moments: np.ndarray | None,
    rng_key: np.ndarray,
    *,
    rate: float,
    purpose: int,
    **norm: float,
) -> tuple[np.ndarray, ...]:
    z, *statistics = batch_norm_training_forward(
        x, gamma, beta, moving_mean, moving_variance, moments, **norm
    )
    (y,) = dropout_forward(z, rng_key, rate=rate, purpose=purpose)
    return y, *statistics


def batch_norm_dropout_backward(
    dy: np.ndarray,
    x: np.ndarray,
    gamma: np.ndarray,
    mean: np.ndarray,
    inverse_std: np.ndarray,
    rng_key: np.ndarray,
    *,
    rate: float,
    purpose: int,
    **_: Any,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    (dz,) = dropout_backward(dy, rng_key, rate=rate, purpose=purpose)
    return batch_norm_training_backward(dz, x, gamma, mean, inverse_std)
