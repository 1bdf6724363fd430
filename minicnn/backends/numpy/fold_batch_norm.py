"""Batch normalization with fixed statistics, folded into the convolution beside it.

It is one scale and one shift per channel: y = a x + c with a = gamma / sqrt(variance + epsilon) and
c = beta - a mean. So its product with a convolution's weights can be computed once:

    after      a[k] (sum of x w + b[k]) + c[k]          w' = a[k] w,   b' = a[k] b + c[k]
    before     sum of (a[ci] x + c[ci]) w + b[k]        w' = a[ci] w,  b' = b[k] + sum of c[ci] w

The second form is valid only without padding, because the zeros of the padding are not shifted.
"""

from __future__ import annotations

import numpy as np


def fold_batch_norm_after_conv2d(
    w: np.ndarray,
    b: np.ndarray | None,
    gamma: np.ndarray,
    beta: np.ndarray,
    moving_mean: np.ndarray,
    moving_variance: np.ndarray,
    *,
    epsilon: float,
) -> tuple[np.ndarray, np.ndarray]:
    a, c = _scale_and_shift(gamma, beta, moving_mean, moving_variance, epsilon)
    return (w * a).astype(w.dtype), (c if b is None else a * b + c).astype(w.dtype)


def fold_batch_norm_before_conv2d(
    w: np.ndarray,
    b: np.ndarray | None,
    gamma: np.ndarray,
    beta: np.ndarray,
    moving_mean: np.ndarray,
    moving_variance: np.ndarray,
    *,
    epsilon: float,
) -> tuple[np.ndarray, np.ndarray]:
    a, c = _scale_and_shift(gamma, beta, moving_mean, moving_variance, epsilon)
    shift = (w * c[:, None]).sum((0, 1, 2))
    return (w * a[:, None]).astype(w.dtype), (shift if b is None else b + shift).astype(w.dtype)


def _scale_and_shift(
    gamma: np.ndarray, beta: np.ndarray, mean: np.ndarray, variance: np.ndarray, epsilon: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return a and c of the formulas, in float64."""
    a = gamma / np.sqrt(variance.astype(np.float64) + epsilon)
    return a, beta - a * mean
