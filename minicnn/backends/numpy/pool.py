"""Pooling: each window becomes one number, channel by channel.

Max pooling passes one pixel of its window on, the argmax:

    y = x[argmax],    so    dx[argmax] += dy    and every other pixel of the window gets nothing.

The argmax is the first of equals in row-major order. A NaN beats every number, so it is seen in
the output; the first NaN wins. Padding never wins.

Average pooling over a window that sees m pixels of the image (padding is not counted):

    y = (1 / m) * sum of x,    so    every pixel of the window gets    dx += dy / m.

Windows may overlap: then a pixel adds up what it gets from each of them.
"""

from __future__ import annotations

import numpy as np

from minicnn.backends.numpy.windows import cells, cropped, padded
from minicnn.shapes import Pair, Window2D


def max_pool2d_forward(
    x: np.ndarray, *, window: Window2D, image: Pair
) -> tuple[np.ndarray, np.ndarray]:
    out_hw = window.out_hw(image)
    shape = (len(x), *out_hw, x.shape[3])
    y = np.full(shape, -np.inf, x.dtype)
    # If all pixels are -inf none is larger than the start: the first one must win all the same.
    argmax = np.broadcast_to(_first_pixel(window, out_hw), shape).astype(np.int32)
    x = padded(x, window, fill=-np.inf)
    for ky, kx, cell in cells(window, out_hw):
        candidate = x[cell]
        wins = (candidate > y) | (np.isnan(candidate) & ~np.isnan(y))
        y = np.where(wins, candidate, y)
        argmax = np.where(wins, np.int32(ky * window.size[1] + kx), argmax)
    return y, argmax


def max_pool2d_backward(
    dy: np.ndarray, argmax: np.ndarray, *, window: Window2D, image: Pair
) -> tuple[np.ndarray]:
    n, oh, ow, channels = dy.shape
    dx = padded(np.zeros((n, *image, channels), dy.dtype), window)
    for ky, kx, cell in cells(window, (oh, ow)):
        dx[cell] += np.where(argmax == ky * window.size[1] + kx, dy, 0)
    return (cropped(dx, window, image),)


def average_pool2d_forward(x: np.ndarray, *, window: Window2D, image: Pair) -> tuple[np.ndarray]:
    pixels = _pixels_seen(window, image).astype(x.dtype)
    return (_sum(padded(x, window), window, window.out_hw(image)) / pixels,)


def average_pool2d_backward(dy: np.ndarray, *, window: Window2D, image: Pair) -> tuple[np.ndarray]:
    n, oh, ow, channels = dy.shape
    share = dy / _pixels_seen(window, image).astype(dy.dtype)
    dx = padded(np.zeros((n, *image, channels), dy.dtype), window)
    for _, _, cell in cells(window, (oh, ow)):
        dx[cell] += share
    return (cropped(dx, window, image),)


def _sum(x: np.ndarray, window: Window2D, out_hw: Pair) -> np.ndarray:
    """(N, OH, OW, C): the sum of each window of a padded image."""
    total = np.zeros((len(x), *out_hw, x.shape[3]), x.dtype)
    for _, _, cell in cells(window, out_hw):
        total += x[cell]
    return total


def _pixels_seen(window: Window2D, image: Pair) -> np.ndarray:
    """(1, OH, OW, 1): m of the formula. An image of ones, padded with zeros, counts them."""
    return _sum(padded(np.ones((1, *image, 1)), window), window, window.out_hw(image))


def _first_pixel(window: Window2D, out_hw: Pair) -> np.ndarray:
    """(OH, OW, 1): the number of each window's first cell that is not padding."""
    axes = zip(out_hw, window.stride, window.dilation, (window.pad_h, window.pad_w), strict=True)
    # Cells before the image number ceil((before - start) / dilation), where that is positive.
    ky, kx = (
        np.maximum(-((np.arange(out) * stride - before) // dilation), 0)
        for out, stride, dilation, (before, _) in axes
    )
    return (ky[:, None] * window.size[1] + kx)[..., None]
