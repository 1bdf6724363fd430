"""Local response normalization across channels, as in Caffe.

    scale_i = k + alpha / size * sum over the `size` channels j around i of x_j^2
    y_i     = x_i * scale_i^-beta

y_j depends on x_j directly; so does the scale of every channel i that has j as a neighbor. Since
d scale_i / d x_j = 2 alpha / size * x_j and d y_i / d scale_i = -beta * y_i / scale_i,

    dx_j = dy_j * scale_j^-beta
           - 2 alpha beta / size * x_j * sum over those i of dy_i * y_i / scale_i.

For an even `size` a channel has one neighbor more after it than before it. The channels that have j
as a neighbor are then not the neighbors of j, but their mirror image.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def local_response_norm_forward(
    x: np.ndarray, *, size: int, alpha: float, beta: float, k: float
) -> tuple[np.ndarray, np.ndarray]:
    before = (size - 1) // 2
    scale = k + alpha / size * _sum_of_neighbors(x * x, before, size - 1 - before)
    return x * scale**-beta, scale


def local_response_norm_backward(
    dy: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    scale: np.ndarray,
    *,
    size: int,
    alpha: float,
    beta: float,
    k: float,
) -> tuple[np.ndarray]:
    before = (size - 1) // 2
    through_scales = _sum_of_neighbors(dy * y / scale, size - 1 - before, before)
    return (dy * scale**-beta - 2 * alpha * beta / size * x * through_scales,)


def _sum_of_neighbors(a: np.ndarray, before: int, after: int) -> np.ndarray:
    """Return the sum of each channel, `before` channels before it and `after` channels after it."""
    padding = [(0, 0)] * (a.ndim - 1) + [(before, after)]
    neighbors = sliding_window_view(np.pad(a, padding), before + 1 + after, axis=-1)
    return neighbors.sum(-1)
