"""Means over several batches: of gradients, before an update, and of weights, after it.

    add_gradient     gradient_sum += dw
    mean_gradient    dw = (dw + gradient_sum) / batches
    moving_average   average = momentum * average + (1 - momentum) * w

All engines give the same bits: each operation rounds once, in the order written.
"""

from __future__ import annotations

import numpy as np


def add_gradient(gradient_sum: np.ndarray, dw: np.ndarray) -> tuple[np.ndarray]:
    return (gradient_sum + dw,)


def mean_gradient(dw: np.ndarray, gradient_sum: np.ndarray, *, batches: int) -> tuple[np.ndarray]:
    return ((dw + gradient_sum) / dw.dtype.type(batches),)


def moving_average(average: np.ndarray, w: np.ndarray, *, momentum: float) -> tuple[np.ndarray]:
    old, new = (w.dtype.type(a) for a in (momentum, 1 - momentum))
    return (old * average + new * w,)
