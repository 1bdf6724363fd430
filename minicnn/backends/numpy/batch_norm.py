"""Batch normalization: each channel is shifted and scaled to mean 0 and variance 1, then to learned
ones.

    x^ = (x - mean) * inverse_std,    inverse_std = 1 / sqrt(variance + epsilon)
    y  = gamma * x^ + beta

In training, mean and (biased) variance are those of the channel's m values in this batch, and

    dbeta = sum of dy,    dgamma = sum of dy * x^.

x^ depends on x directly, through the mean and through the variance. The last two paths remove the
components of the gradient that only shift or scale the whole channel, which leaves y unchanged:

    dx = gamma * inverse_std * (dy - dbeta / m - x^ * dgamma / m).

At inference mean and variance are constants, the moving averages of training, and the two terms
disappear:

    dx = gamma * inverse_std * dy.

Sums are in float64, and the variance is the mean of (x - mean)^2: rounding would destroy a small
variance beside a large mean in the shorter "mean of squares minus square of mean".
"""

from __future__ import annotations

from typing import Any

import numpy as np


def batch_norm_training_forward(
    x: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    moving_mean: np.ndarray,
    moving_variance: np.ndarray,
    moments: np.ndarray | None = None,
    *,
    momentum: float,
    epsilon: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    exact_mean, exact_variance = moments_of(x) if moments is None else moments
    mean, variance = exact_mean.astype(x.dtype), exact_variance.astype(x.dtype)
    inverse_std = (1 / np.sqrt(exact_variance + epsilon)).astype(x.dtype)
    y = gamma * ((x - mean) * inverse_std) + beta
    return (
        y,
        mean,
        inverse_std,
        moving_mean * momentum + mean * (1 - momentum),
        moving_variance * momentum + variance * (1 - momentum),
    )


def batch_norm_training_backward(
    dy: np.ndarray,
    x: np.ndarray,
    gamma: np.ndarray,
    mean: np.ndarray,
    inverse_std: np.ndarray,
    **_: Any,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x_hat = (x - mean) * inverse_std
    dbeta, dgamma = (_channel_sum(a).astype(x.dtype) for a in (dy, dy * x_hat))
    m = dy.dtype.type(_count(x))
    dx = gamma * inverse_std * (dy - dbeta / m - x_hat * (dgamma / m))
    return dx, dgamma, dbeta


def batch_norm_inference_forward(
    x: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    moving_mean: np.ndarray,
    moving_variance: np.ndarray,
    *,
    epsilon: float,
    **_: Any,
) -> tuple[np.ndarray]:
    inverse_std = 1 / np.sqrt(moving_variance + epsilon)
    return (gamma * ((x - moving_mean) * inverse_std) + beta,)


def batch_norm_inference_backward(
    dy: np.ndarray,
    x: np.ndarray,
    gamma: np.ndarray,
    moving_mean: np.ndarray,
    moving_variance: np.ndarray,
    *,
    epsilon: float,
    **_: Any,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    inverse_std = 1 / np.sqrt(moving_variance + epsilon)
    x_hat = (x - moving_mean) * inverse_std
    dbeta, dgamma = (_channel_sum(a).astype(x.dtype) for a in (dy, dy * x_hat))
    return gamma * inverse_std * dy, dgamma, dbeta


def moments_of(x: np.ndarray) -> np.ndarray:
    """Return mean and variance of each channel: (2, C) in float64."""
    mean = _channel_sum(x) / _count(x)
    return np.stack([mean, _channel_sum((x - mean) ** 2) / _count(x)])


def _channel_sum(a: np.ndarray) -> np.ndarray:
    """Return the sum over all axes but the last: (C,) in float64."""
    return a.sum(tuple(range(a.ndim - 1)), dtype=np.float64)


def _count(x: np.ndarray) -> int:
    """Return m of the formulas, the number of values per channel; 1 for an empty batch."""
    return max(x.size // x.shape[-1], 1)
