"""Gradient clipping: limits the length of a step.

    by value          each value is clipped to [-limit, limit]
    by norm           dw * limit / max(norm, limit), where norm is the L2 norm of this gradient
    by global norm    the same with the L2 norm of all gradients

The square of the global norm is summed gradient by gradient: `squared_norm_start` for the first,
`squared_norm_add` for the others. Squares are summed in float64, where they cannot overflow.
"""

from __future__ import annotations

import numpy as np


def clip_by_value(dw: np.ndarray, *, limit: float) -> tuple[np.ndarray]:
    return (np.clip(dw, -limit, limit),)


def clip_by_norm(dw: np.ndarray, *, limit: float) -> tuple[np.ndarray]:
    return clip_by_global_norm(dw, *squared_norm_start(dw), limit=limit)


def squared_norm_start(dw: np.ndarray) -> tuple[np.ndarray]:
    return (np.sum(dw.astype(np.float64) ** 2, keepdims=True).reshape(1),)


def squared_norm_add(dw: np.ndarray, total: np.ndarray) -> tuple[np.ndarray]:
    return (total + squared_norm_start(dw)[0],)


def clip_by_global_norm(dw: np.ndarray, total: np.ndarray, *, limit: float) -> tuple[np.ndarray]:
    factor = limit / np.maximum(np.sqrt(total[0]), limit)
    return (dw * dw.dtype.type(factor),)
