"""Convolution; as in all deep learning frameworks, the kernel is not flipped.

    y[n, oy, ox, co] = b[co] + sum over ky, kx, ci of
                       x[n, oy * stride + ky * dilation, ox * stride + kx * dilation, ci]
                       * w[ky, kx, ci, co],        where x is padded with zeros.

Write every window as one row of a matrix X, (N*OH*OW, KH*KW*CI), and every filter as one column of
W, (KH*KW*CI, CO). Then the convolution is a matrix product and its gradients are too:

    Y = X W + b        dW = X^T dY        db = sum of the rows of dY        dX = dY W^T

A pixel occurs in several rows of X, once for each window that contains it, so its gradient is the
sum of these entries of dX. The sum is computed cell by cell: cell (ky, kx) of all windows is one
strided slice of the image.

With G groups the channels form G independent convolutions: output channels of group g see only the
input channels of group g. All matrices get a leading axis G. G = CI is a depthwise convolution.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.backends.numpy.windows import cells, cropped, padded, windows
from minicnn.shapes import Pair, Window2D


def conv2d_forward(
    x: np.ndarray,
    w: np.ndarray,
    b: np.ndarray | None,
    *,
    window: Window2D,
    groups: int,
    image: Pair,
    **_: Any,
) -> tuple[np.ndarray]:
    y = _windows_as_rows(x, window, groups) @ _split(w, groups)  # (G, N*OH*OW, CO/G)
    y = _join(y, (len(x), *window.out_hw(image), w.shape[3]))
    return (y if b is None else y + b,)


def conv2d_backward_weights(
    dy: np.ndarray, x: np.ndarray, *, window: Window2D, groups: int, **_: Any
) -> tuple[np.ndarray, np.ndarray]:
    rows = _windows_as_rows(x, window, groups)
    dw = rows.swapaxes(1, 2) @ _split(dy, groups)  # (G, KH*KW*CI/G, CO/G)
    dw = _join(dw, (*window.size, x.shape[3] // groups, dy.shape[3]))
    return dw, dy.sum((0, 1, 2), dtype=np.float64).astype(dy.dtype)


def conv2d_backward_input(
    dy: np.ndarray, w: np.ndarray, *, window: Window2D, groups: int, image: Pair, **_: Any
) -> tuple[np.ndarray]:
    n, oh, ow, _ = dy.shape
    channels = w.shape[2] * groups
    rows = _split(dy, groups) @ _split(w, groups).swapaxes(1, 2)  # (G, N*OH*OW, KH*KW*CI/G)
    rows = rows.reshape(groups, n * oh * ow, *window.size, channels // groups)
    dx = padded(np.zeros((n, *image, channels), dy.dtype), window)
    for ky, kx, cell in cells(window, (oh, ow)):
        dx[cell] += _join(rows[:, :, ky, kx], (n, oh, ow, channels))
    return (cropped(dx, window, image),)


def _windows_as_rows(x: np.ndarray, window: Window2D, groups: int) -> np.ndarray:
    """Return X of the formulas, (G, N*OH*OW, KH*KW*CI/G): a copy, KH*KW times as large as x."""
    views = windows(padded(x, window), window)
    n, oh, ow, channels, kh, kw = views.shape
    views = views.reshape(n, oh, ow, groups, channels // groups, kh, kw)
    rows = views.transpose(3, 0, 1, 2, 5, 6, 4)  # (G, N, OH, OW, KH, KW, CI/G)
    return rows.reshape(groups, n * oh * ow, kh * kw * channels // groups)


def _split(a: np.ndarray, groups: int) -> np.ndarray:
    """Return (..., G*C) as (G, rows, C): the last axis split into groups, the others joined."""
    channels = a.shape[-1] // groups
    rows = int(np.prod(a.shape[:-1]))
    return a.reshape(rows, groups, channels).swapaxes(0, 1)


def _join(a: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Undo `_split`, for an array of this shape."""
    return a.swapaxes(0, 1).reshape(shape)
