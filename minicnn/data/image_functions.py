"""Changing one image in memory: Keras's `random_rotation`, `apply_affine_transform`, ...

The axes of an image are given as three numbers; by default, as in Keras, the channels come first.
What is drawn depends on the seed of `set_random_seed` and on the number of earlier calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

import numpy as np

from minicnn import random
from minicnn.checks import check_number, quoted, shape_text
from minicnn.data.image_writing import array_to_img, img_to_array
from minicnn.data.transform import WHITE, changed, with_channel_shift
from minicnn.errors import ArgumentError, ShapeError

_calls = count()  # numbers the draws


def apply_affine_transform(
    x: Any,
    theta: float = 0,
    tx: float = 0,
    ty: float = 0,
    shear: float = 0,
    zx: float = 1,
    zy: float = 1,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    order: int = 1,
) -> np.ndarray:
    """Rotate, shift, shear and zoom an image around its center.

    Parameters
    ----------
    x : array of three axes
    theta, shear : degrees
    tx, ty : pixels by which the place that is read moves down and to the right
    zx, zy : factors of the visible height and width
    row_axis, col_axis, channel_axis : which axes of `x` are its rows, columns and channels
    fill_mode, cval : what surrounds the image, as in `ImageDataGenerator`
    order : 1 bilinear, 0 the nearest pixel

    Returns
    -------
    array of the shape of x; float32, or of x's dtype if that is one of integers

    Raises
    ------
    ShapeError : x does not have three axes, or the three numbers do not name them

    Examples
    --------
    >>> apply_affine_transform(np.array([[[1.0, 2.0, 3.0]]]), ty=1).tolist()
    [[[2.0, 3.0, 3.0]]]
    """
    x, axes = np.asarray(x), (row_axis, col_axis, channel_axis)
    if x.ndim != 3 or {axis % 3 for axis in axes} != {0, 1, 2}:
        raise ShapeError(
            "x must have three axes, and row_axis, col_axis and channel_axis must name them; got "
            f"{shape_text(x.shape)} and {axes}"
        )
    if order not in (0, 1):
        raise ArgumentError(f"order must be 0, nearest, or 1, bilinear; got {order!r}")
    change = {"theta": theta, "tx": tx, "ty": ty, "shear": shear, "zx": zx, "zy": zy}
    image = np.moveaxis(x, axes, (0, 1, 2))
    image = image if image.dtype == np.uint8 else image.astype(np.float32)
    y = changed(
        np.ascontiguousarray(image),
        change,
        fill_mode=fill_mode,
        cval=cval,
        interpolation="bilinear" if order else "nearest",
    )
    return _as_dtype(np.moveaxis(y, (0, 1, 2), axes), x.dtype)


def random_rotation(
    x: Any,
    rg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """Rotate an image by an angle that is drawn from -rg...rg degrees."""
    theta = _around(check_number(rg, "rg", 0.0))
    axes = row_axis, col_axis, channel_axis, fill_mode, cval, interpolation_order
    return apply_affine_transform(x, theta, 0, 0, 0, 1, 1, *axes)


def random_shift(
    x: Any,
    wrg: float,
    hrg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """Shift an image by up to the fractions `wrg` of its width and `hrg` of its height."""
    shape = np.shape(x)
    down = _around(check_number(hrg, "hrg", 0.0)) * shape[row_axis]
    right = _around(check_number(wrg, "wrg", 0.0)) * shape[col_axis]
    axes = row_axis, col_axis, channel_axis, fill_mode, cval, interpolation_order
    return apply_affine_transform(x, 0, down, right, 0, 1, 1, *axes)


def random_shear(
    x: Any,
    intensity: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """Shear an image by an angle that is drawn from -intensity...intensity degrees."""
    shear = _around(check_number(intensity, "intensity", 0.0))
    axes = row_axis, col_axis, channel_axis, fill_mode, cval, interpolation_order
    return apply_affine_transform(x, 0, 0, 0, shear, 1, 1, *axes)


def random_zoom(
    x: Any,
    zoom_range: Sequence[float],
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """Zoom height and width by factors drawn from (smallest, largest); above 1 shrinks objects."""
    low, high = _pair(zoom_range, "zoom_range")
    zx, zy = (low, low) if low == high else _rng().uniform(low, high, 2)
    axes = row_axis, col_axis, channel_axis, fill_mode, cval, interpolation_order
    return apply_affine_transform(x, 0, 0, 0, 0, zx, zy, *axes)


def apply_channel_shift(x: Any, intensity: float, channel_axis: int = 0) -> np.ndarray:
    """Add `intensity` to all values, and clip them to the range that the image had before."""
    x = np.asarray(x)
    return _as_dtype(with_channel_shift(x.astype(np.float32), intensity), x.dtype)


def random_channel_shift(x: Any, intensity_range: float, channel_axis: int = 0) -> np.ndarray:
    """Add an amount drawn from -range...range to all values; see `apply_channel_shift`."""
    amount = _around(check_number(intensity_range, "intensity_range", 0.0))
    return apply_channel_shift(x, amount, channel_axis)


def apply_brightness_shift(x: Any, brightness: float, scale: bool = True) -> np.ndarray:
    """Multiply the brightness of an image (H, W, C) by a factor.

    Parameters
    ----------
    x : array (H, W, C), with 1, 3 or 4 channels
    brightness : 0 makes it black, 1 changes nothing
    scale : map the smallest value to 0 and the largest to 255 first; if False, values outside of
        0...255 are mapped so and back

    Returns
    -------
    float32 (H, W, C), of whole levels, as the image has 8 bits in between
    """
    x = np.asarray(x)
    low, high = float(x.min()), float(x.max())
    outside = low < 0 or high > WHITE
    pixels = img_to_array(array_to_img(x, scale=scale or outside))
    pixels = np.floor(pixels * np.float32(check_number(brightness, "brightness", 0.0)))
    y = pixels.clip(0, WHITE)
    return y / WHITE * (high - low) + low if outside and not scale else y


def random_brightness(x: Any, brightness_range: Sequence[float], scale: bool = True) -> np.ndarray:
    """Multiply the brightness by a factor drawn from a range; see `apply_brightness_shift`."""
    low, high = _pair(brightness_range, "brightness_range")
    return apply_brightness_shift(x, _rng().uniform(low, high), scale)


def _rng() -> np.random.Generator:
    return random.generator("image function", next(_calls))


def _around(limit: float) -> float:
    return float(_rng().uniform(-limit, limit))


def _pair(values: Sequence[float], name: str) -> tuple[float, float]:
    if not isinstance(values, (list, tuple, np.ndarray)) or len(values) != 2:
        raise ArgumentError(
            f"{name} must be two numbers, (smallest, largest); got {quoted(values)}"
        )
    return check_number(values[0], name, 0.0), check_number(values[1], name, 0.0)


def _as_dtype(y: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return float32 values as they are, or rounded to a dtype of integers."""
    if dtype.kind not in "ui":
        return y
    limits = np.iinfo(dtype)
    return np.rint(y).clip(limits.min, limits.max).astype(dtype)
