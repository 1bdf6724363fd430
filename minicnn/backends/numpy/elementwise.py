"""Operations whose formula and gradient are one line each.

add          y = a + b              da = dy          db = dy
multiply     y = a * b              da = dy * b      db = dy * a
rescale      y = x * scale + offset                  dx = dy * scale
concatenate  y = a, then b, along one axis           da, db = the two parts of dy
reshape      y = x in another shape                  dx = dy in the old one
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.shapes import Pair


def add_forward(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray]:
    return (a + b,)


def add_backward(dy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return dy.copy(), dy.copy()


def multiply_forward(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray]:
    return (a * b,)


def multiply_backward(
    dy: np.ndarray, a: np.ndarray, b: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    return dy * b, dy * a


def rescale_forward(x: np.ndarray, *, scale: float, offset: float) -> tuple[np.ndarray]:
    dtype = x.dtype if np.issubdtype(x.dtype, np.floating) else np.float32  # pixels are uint8
    return (x.astype(dtype) * scale + offset,)


def rescale_backward(dy: np.ndarray, *, scale: float, **_: Any) -> tuple[np.ndarray]:
    return (dy * scale,)


def concatenate_forward(a: np.ndarray, b: np.ndarray, *, axis: int, **_: Any) -> tuple[np.ndarray]:
    return (np.concatenate([a, b], axis),)


def concatenate_backward(
    dy: np.ndarray, *, axis: int, sizes: Pair
) -> tuple[np.ndarray, np.ndarray]:
    da, db = np.split(dy, [sizes[0]], axis)
    return da.copy(), db.copy()


def reshape_forward(x: np.ndarray, *, shape: tuple[int, ...], **_: Any) -> tuple[np.ndarray]:
    return (x.reshape(len(x), *shape).copy(),)


def reshape_backward(dy: np.ndarray, *, image: tuple[int, ...], **_: Any) -> tuple[np.ndarray]:
    return (dy.reshape(len(dy), *image).copy(),)


def assign(value: np.ndarray) -> tuple[np.ndarray]:
    return (value.copy(),)
