"""Sums, products and extremes along axes.

sum      y = sum of x             dx = dy at every summed place
prod     y = product of x         dx = dy * the product of the others
max      y = the largest x        dx = dy / k at the k places where x = y, else 0; min likewise
cumsum   y_i = x_0 + ... + x_i    dx_i = dy_i + dy_(i+1) + ...
argmax   the first place of the largest x along one axis, of the first NaN if there is one
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minicnn.tensor_contracts import reduced

Axes = tuple[int, ...]


def sum_forward(x: np.ndarray, *, axes: Axes, keepdims: bool, **_: Any) -> tuple[np.ndarray]:
    return (np.asarray(x.sum(axes, keepdims=keepdims)),)


def sum_backward(
    dy: np.ndarray, *, axes: Axes, image: tuple[int, ...], **_: Any
) -> tuple[np.ndarray]:
    return (_spread(dy, axes, image).copy(),)


def max_forward(x: np.ndarray, *, axes: Axes, keepdims: bool, **_: Any) -> tuple[np.ndarray]:
    return (np.asarray(x.max(axes, keepdims=keepdims)),)


def max_backward(
    dy: np.ndarray, x: np.ndarray, y: np.ndarray, *, axes: Axes, image: tuple[int, ...], **_: Any
) -> tuple[np.ndarray]:
    chosen = x == _spread(y, axes, image)
    ties = np.maximum(chosen.sum(axes, keepdims=True), 1)  # 0 if y is NaN
    share = _spread(dy, axes, image) / ties.astype(dy.dtype)
    return (np.where(chosen, share, 0),)


def min_forward(x: np.ndarray, *, axes: Axes, keepdims: bool, **_: Any) -> tuple[np.ndarray]:
    return (np.asarray(x.min(axes, keepdims=keepdims)),)


KERNELS = {"min_backward": max_backward}


def prod_forward(x: np.ndarray, *, axes: Axes, keepdims: bool, **_: Any) -> tuple[np.ndarray]:
    return (np.asarray(x.prod(axes, keepdims=keepdims)),)


def prod_backward(
    dy: np.ndarray, x: np.ndarray, *, axes: Axes, image: tuple[int, ...], **_: Any
) -> tuple[np.ndarray]:
    kept = tuple(i for i in range(x.ndim) if i not in axes)
    rows = x.transpose(*kept, *axes).reshape(-1, math.prod(image[i] for i in axes))
    ones = np.ones_like(rows[:, :1])
    before = np.cumprod(np.concatenate([ones, rows[:, :-1]], 1), 1)
    after = np.cumprod(np.concatenate([ones, rows[:, :0:-1]], 1), 1)[:, ::-1]
    shape = [image[i] for i in (*kept, *axes)]
    others = (before * after).reshape(shape).transpose(np.argsort((*kept, *axes)))
    return (_spread(dy, axes, image) * others,)


def argmax_forward(x: np.ndarray, *, axis: int, keepdims: bool) -> tuple[np.ndarray]:
    return (np.asarray(x.argmax(axis, keepdims=keepdims), np.int32),)


def argmin_forward(x: np.ndarray, *, axis: int, keepdims: bool) -> tuple[np.ndarray]:
    return (np.asarray(x.argmin(axis, keepdims=keepdims), np.int32),)


def cumsum_forward(x: np.ndarray, *, axis: int) -> tuple[np.ndarray]:
    return (np.cumsum(x, axis, dtype=x.dtype),)


def cumsum_backward(dy: np.ndarray, *, axis: int) -> tuple[np.ndarray]:
    return (np.flip(np.cumsum(np.flip(dy, axis), axis, dtype=dy.dtype), axis).copy(),)


def _spread(y: np.ndarray, axes: Axes, image: tuple[int, ...]) -> np.ndarray:
    """Return what was reduced, repeated along the axes."""
    return np.broadcast_to(y.reshape(reduced(image, axes, keepdims=True)), image)
