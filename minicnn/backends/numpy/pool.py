"""Pooling: each window of each channel becomes one value.

Max pooling selects one pixel of its window, at the position argmax:

    y = x[argmax],    so    dx[argmax] += dy.

Of equal values the first one in row-major order is selected. A NaN counts as the largest
value, so it appears in the output. Padding is never selected.

Average pooling over a window that contains m pixels of the image (padding is not counted):

    y = (1 / m) * sum of x,    so    every pixel of the window gets    dx += dy / m.

Windows may overlap: then the gradient of a pixel is the sum over all windows that contain it.
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
    # If all pixels are -inf, none is larger than the initial value, and the first one is selected.
    argmax = np.broadcast_to(_first_pixel(window, out_hw), shape).astype(np.int32)
    x = padded(x, window, fill=-np.inf)
    for ky, kx, cell in cells(window, out_hw):
        candidate = x[cell]
        larger = (candidate > y) | (np.isnan(candidate) & ~np.isnan(y))
        y = np.where(larger, candidate, y)
        argmax = np.where(larger, np.int32(ky * window.size[1] + kx), argmax)
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
    """Return the sum of each window of a padded image, (N, OH, OW, C)."""
    total = np.zeros((len(x), *out_hw, x.shape[3]), x.dtype)
    for _, _, cell in cells(window, out_hw):
        total += x[cell]
    return total


def _pixels_seen(window: Window2D, image: Pair) -> np.ndarray:
    """Return m of the formula, (1, OH, OW, 1), by summing an image of ones padded with zeros."""
    return _sum(padded(np.ones((1, *image, 1)), window), window, window.out_hw(image))


def _first_pixel(window: Window2D, out_hw: Pair) -> np.ndarray:
    """Return the position of each window's first cell that is not padding, (OH, OW, 1)."""
    axes = zip(out_hw, window.stride, window.dilation, (window.pad_h, window.pad_w), strict=True)
    # There are ceil((before - start) / dilation) cells before the image, if that is positive.
    ky, kx = (
        np.maximum(-((np.arange(out) * stride - before) // dilation), 0)
        for out, stride, dilation, (before, _) in axes
    )
    return (ky[:, None] * window.size[1] + kx)[..., None]
