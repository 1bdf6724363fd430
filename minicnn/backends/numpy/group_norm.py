"""Normalization of groups: of a sample's values, or of some of its channels, each for itself.

x is seen as (rows, positions, groups, size). A group of a row has m = positions * size values, and
is normalized by its own statistics:

    x^ = (x - mean) * inverse_std,    y = gamma * x^ + beta

with one gamma and beta per channel, (groups, size). `statistic` says what x is divided by:

    variance       mean of the group,    inverse_std = 1 / sqrt(variance + epsilon)
    mean_square    mean = 0,             inverse_std = 1 / sqrt(mean of x^2 + epsilon)
    norm           mean = 0,             inverse_std = 1 / max(sqrt(sum of x^2), epsilon)

Let g = gamma * dy, the gradient by x^. As in batch normalization, x^ depends on x directly, through
the mean and through inverse_std, and the last two paths remove from g what only shifts or scales
the whole group:

    variance       dx = inverse_std * (g - mean of g - x^ * mean of g x^)
    mean_square    dx = inverse_std * (g - x^ * mean of g x^)
    norm           dx = inverse_std * (g - x^ * sum of g x^), without the last term below epsilon

    dbeta = sum of dy,    dgamma = sum of dy * x^,    over rows and positions.

Sums are in float64.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def group_norm_forward(
    x: np.ndarray,
    gamma: np.ndarray | None,
    beta: np.ndarray | None,
    *,
    statistic: str,
    epsilon: float,
    groups: int,
    sample_axis: int,
    channel_axis: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    v = _grouped(x, groups, sample_axis, channel_axis)
    wide = v.astype(np.float64)
    mean = _group_sum(wide) / _count(v) * (statistic == "variance")
    squares = ((wide - mean) ** 2).sum((1, 3), keepdims=True)
    if statistic == "norm":
        inverse = 1 / np.maximum(np.sqrt(squares), epsilon)
    else:
        inverse = 1 / np.sqrt(squares / _count(v) + epsilon)
    mean, inverse = mean.astype(x.dtype), inverse.astype(x.dtype)
    y = (v - mean) * inverse
    if gamma is not None:
        y = _per_channel(gamma, v) * y
    if beta is not None:
        y = y + _per_channel(beta, v)
    per_group = (*x.shape[:sample_axis], groups)
    return y.reshape(x.shape), mean.reshape(per_group), inverse.reshape(per_group)


def group_norm_backward(
    dy: np.ndarray,
    x: np.ndarray,
    gamma: np.ndarray | None,
    mean: np.ndarray,
    inverse_std: np.ndarray,
    *,
    statistic: str,
    epsilon: float,
    groups: int,
    sample_axis: int,
    channel_axis: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    v, d = (_grouped(a, groups, sample_axis, channel_axis) for a in (x, dy))
    mean, inverse = (a.reshape(len(v), 1, groups, 1) for a in (mean, inverse_std))
    x_hat = (v - mean) * inverse
    g = d if gamma is None else _per_channel(gamma, v) * d
    first = _group_sum(g) / _count(v) if statistic == "variance" else 0
    second = _group_sum(g * x_hat) / (1 if statistic == "norm" else _count(v))
    if statistic == "norm":
        second = np.where(inverse >= x.dtype.type(1 / epsilon), 0, second).astype(x.dtype)
    dx = inverse * (g - first - x_hat * second)
    dgamma, dbeta = (a.sum((0, 1), dtype=np.float64) for a in (d * x_hat, d))
    shape = x.shape[channel_axis:]
    return dx.reshape(x.shape), *(a.reshape(shape).astype(x.dtype) for a in (dgamma, dbeta))


def _grouped(x: np.ndarray, groups: int, sample_axis: int, channel_axis: int) -> np.ndarray:
    """Return x as (rows, positions, groups, size)."""
    rows = math.prod(x.shape[:sample_axis])
    positions = math.prod(x.shape[sample_axis:channel_axis])
    return x.reshape(rows, positions, groups, math.prod(x.shape[channel_axis:]) // groups)


def _per_channel(a: np.ndarray, v: np.ndarray) -> np.ndarray:
    return a.reshape(v.shape[2:])


def _count(v: np.ndarray) -> Any:
    return v.dtype.type(v.shape[1] * v.shape[3])


def _group_sum(a: np.ndarray) -> np.ndarray:
    return a.sum((1, 3), keepdims=True, dtype=np.float64).astype(a.dtype)
