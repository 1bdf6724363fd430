"""Upsampling: every pixel becomes `size` rows and columns.

Nearest: y[oy, ox] = x[oy // SY, ox // SX], so dx adds up the SY * SX values that a pixel became.

Bilinear: the center of output oy lies at row r = (oy + 1/2) / SY - 1/2 of x, between the rows
a = floor(r) and a + 1, each of which is at the image's edge if it would be outside:

    y[oy] = (1 - f) x[a] + f x[a + 1],    f = r - a,

and then the same along the columns. So dy[oy] goes to row a with 1 - f, and to a + 1 with f.
"""

from __future__ import annotations

import numpy as np

from minicnn.shapes import Pair


def upsample2d_forward(x: np.ndarray, *, size: Pair, interpolation: str) -> tuple[np.ndarray]:
    for axis, scale in zip((1, 2), size, strict=True):
        x = _enlarged(x, axis, scale) if interpolation == "bilinear" else x.repeat(scale, axis)
    return (x,)


def upsample2d_backward(dy: np.ndarray, *, size: Pair, interpolation: str) -> tuple[np.ndarray]:
    if interpolation == "bilinear":
        return (_collected(_collected(dy, 2, size[1]), 1, size[0]),)
    n, oh, ow, c = dy.shape
    cells = dy.reshape(n, oh // size[0], size[0], ow // size[1], size[1], c)
    return (cells.sum((2, 4)),)


def _enlarged(x: np.ndarray, axis: int, scale: int) -> np.ndarray:
    first, second, part = _neighbors(x.shape[axis], axis, scale, x.dtype)
    return x.take(first, axis) * (1 - part) + x.take(second, axis) * part


def _collected(dy: np.ndarray, axis: int, scale: int) -> np.ndarray:
    """Return the gradient by the image that `_enlarged` was given."""
    first, second, part = _neighbors(dy.shape[axis] // scale, axis, scale, dy.dtype)
    dx = np.zeros((*dy.shape[:axis], dy.shape[axis] // scale, *dy.shape[axis + 1 :]), dy.dtype)
    lines = dx.swapaxes(0, axis)
    np.add.at(lines, first, (dy * (1 - part)).swapaxes(0, axis))
    np.add.at(lines, second, (dy * part).swapaxes(0, axis))
    return dx


def _neighbors(
    length: int, axis: int, scale: int, dtype: np.dtype
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a, a + 1 and f for each output along an axis of (N, H, W, C)."""
    position = (np.arange(length * scale) + 0.5) / scale - 0.5
    below = np.floor(position)
    part = (position - below).astype(dtype).reshape((-1, 1, 1) if axis == 1 else (-1, 1))
    first = below.astype(int)
    return np.maximum(first, 0), np.minimum(first + 1, length - 1), part
