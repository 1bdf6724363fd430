"""Resizing arrays of images as TensorFlow does, by one weight matrix per axis.

    y[i, j] = sum over u, v of R[i, u] C[j, v] x[u, v]

Pixel i of m covers the position (i + 0.5) n / m - 0.5 of the n pixels before. Unlike Pillow's
filters these look at few pixels around that position also where an image becomes smaller.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.checks import check_choice, shape_text
from minicnn.data.images import Size, check_size
from minicnn.errors import DTypeError, ShapeError

Kernel = Callable[[np.ndarray], np.ndarray]


def _cubic(t: np.ndarray) -> np.ndarray:
    """Return Keys's cubic with a = -1/2 at the distances t >= 0."""
    near = (1.5 * t - 2.5) * t * t + 1
    far = ((-0.5 * t + 2.5) * t - 4) * t + 2
    return np.where(t < 1, near, np.where(t < 2, far, 0.0))


# The weight of a pixel at a distance, and the distance from which on it is 0.
KERNELS: dict[str, tuple[Kernel, int]] = {
    "bilinear": (lambda t: np.maximum(1 - t, 0.0), 1),
    "bicubic": (_cubic, 2),
}


def weights(before: int, after: int, method: str) -> np.ndarray:
    """Return the matrix (after, before) that resizes one axis.

    >>> weights(2, 4, "bilinear").tolist()
    [[1.0, 0.0], [0.75, 0.25], [0.25, 0.75], [0.0, 1.0]]
    """
    matrix = np.zeros((after, before), np.float32)
    rows, scale = np.arange(after), before / after
    if method == "nearest":
        matrix[rows, np.minimum((rows + 0.5) * scale, before - 1).astype(int)] = 1
        return matrix
    kernel, reach = KERNELS[method]
    middles = (rows + 0.5) * scale - 0.5
    for offset in range(1 - reach, 1 + reach):
        taps = np.floor(middles).astype(int) + offset
        share = kernel(np.abs(middles - taps))
        if method == "bicubic":  # pixels beyond the image do not count, as in TensorFlow
            share = np.where((taps >= 0) & (taps < before), share, 0.0)
        np.add.at(matrix, (rows, taps.clip(0, before - 1)), share)
    return matrix / matrix.sum(1, keepdims=True)


def resized(x: np.ndarray, size: Size, method: str = "bilinear") -> np.ndarray:
    """Return float32 images (..., H, W, C) resized to `size`; "nearest" keeps the dtype."""
    height, width = x.shape[-3:-1]
    if method == "nearest":
        rows = weights(height, size[0], method).argmax(1)
        return x[..., rows[:, None], weights(width, size[1], method).argmax(1), :]
    x = np.asarray(x, np.float32)
    across = np.einsum("jv,...uvc->...ujc", weights(width, size[1], method), x, optimize=True)
    return np.einsum("iu,...ujc->...ijc", weights(height, size[0], method), across, optimize=True)


def smart_resize(
    x: Any,
    size: Size,
    interpolation: str = "bilinear",
    data_format: str = "channels_last",
    backend_module: object = None,
) -> np.ndarray:
    """Resize images without stretching: crop them to the new aspect ratio around the center first.

    Parameters
    ----------
    x : array (H, W, C) or (N, H, W, C), of numbers
    size : (height, width)
    interpolation : "bilinear", "bicubic" or "nearest"
    data_format : "channels_last", or "channels_first" for (C, H, W) or (N, C, H, W)
    backend_module : accepted, because Keras has it; changes nothing

    Returns
    -------
    float32, of the same number of axes; "nearest" keeps the dtype

    Raises
    ------
    ShapeError : x has another number of axes

    Examples
    --------
    >>> smart_resize(np.ones((20, 40, 3)), (8, 8)).shape
    (8, 8, 3)
    """
    target = check_size(size)
    method = check_choice(interpolation, "interpolation", ["bilinear", "bicubic", "nearest"])
    formats = ["channels_last", "channels_first"]
    first = check_choice(data_format, "data_format", formats) == formats[1]
    images = np.asarray(x)
    if images.dtype.kind not in "buif":
        raise DTypeError(f"x must be numbers; got {images.dtype}")
    if images.ndim not in (3, 4) or 0 in images.shape:
        raise ShapeError(f"x must be (H, W, C) or (N, H, W, C); got {shape_text(images.shape)}")
    images = np.moveaxis(images, -3, -1) if first else images
    images = resized(_cropped(images, target), target, method)
    return np.moveaxis(images, -1, -3) if first else images


def _cropped(images: np.ndarray, target: Size) -> np.ndarray:
    """Return the largest centered part with the target's aspect ratio."""
    height, width = images.shape[-3:-1]
    crop_h = max(1, min(height, width * target[0] // target[1]))
    crop_w = max(1, min(width, height * target[1] // target[0]))
    top, left = (height - crop_h) // 2, (width - crop_w) // 2
    return images[..., top : top + crop_h, left : left + crop_w, :]
