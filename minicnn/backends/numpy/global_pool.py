"""Global pooling: each channel of an image becomes one value, (N, H, W, C) -> (N, C).

It is pooling with one window as large as the image:

    maximum    y = x[argmax],                    dx[argmax] = dy,    all other pixels 0
    average    y = (1 / (H * W)) * sum of x,     dx = dy / (H * W)   for every pixel

The argmax is row * W + column of the maximum, the first one of equals; a NaN counts as the largest
value.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.shapes import Pair


def global_max_pool2d_forward(x: np.ndarray, **_: Any) -> tuple[np.ndarray, np.ndarray]:
    pixels = _as_pixels(x)
    argmax = pixels.argmax(1)  # the first of equal values, or the first NaN
    y = np.take_along_axis(pixels, argmax[:, None], 1)[:, 0]
    return y, argmax.astype(np.int32)


def global_max_pool2d_backward(
    dy: np.ndarray, argmax: np.ndarray, *, image: Pair
) -> tuple[np.ndarray]:
    n, channels = dy.shape
    dx = np.zeros((n, image[0] * image[1], channels), dy.dtype)
    np.put_along_axis(dx, argmax[:, None].astype(np.intp), dy[:, None], 1)
    return (dx.reshape(n, *image, channels),)


def global_average_pool2d_forward(x: np.ndarray, **_: Any) -> tuple[np.ndarray]:
    return (x.mean((1, 2), dtype=np.float64).astype(x.dtype),)


def global_average_pool2d_backward(dy: np.ndarray, *, image: Pair) -> tuple[np.ndarray]:
    n, channels = dy.shape
    share = dy / dy.dtype.type(image[0] * image[1])
    return (np.broadcast_to(share[:, None, None], (n, *image, channels)).copy(),)


def _as_pixels(x: np.ndarray) -> np.ndarray:
    """Return (N, H, W, C) as (N, H*W, C)."""
    n, h, w, channels = x.shape
    return x.reshape(n, h * w, channels)
