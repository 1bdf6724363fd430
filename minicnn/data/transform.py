"""Applying one change, such as those that `Ranges` draws, to an image."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import Any

import numpy as np

from minicnn.data.affine import (
    IDENTITY,
    affine_images,
    centered,
    flipped,
    rotation,
    shear,
    shift,
    zoom,
)
from minicnn.data.perspective import perspective
from minicnn.errors import ArgumentError

# All parameters of a change with the values that change nothing; the first ten have Keras's names.
UNCHANGED: dict[str, Any] = {
    "theta": 0.0,  # degrees
    "tx": 0.0,  # pixels down
    "ty": 0.0,  # pixels to the right
    "shear": 0.0,  # degrees
    "zx": 1.0,  # factor of the visible height
    "zy": 1.0,  # factor of the visible width
    "flip_horizontal": False,
    "flip_vertical": False,
    "channel_shift_intensity": None,
    "brightness": None,  # factor
    "perspective": None,  # the moves of the four corners' sources that `perspective` takes
}
WHITE = 255.0


def matrix_of(change: Mapping[str, Any], height: int, width: int) -> np.ndarray | None:
    """Return the (3, 3) matrix from new to old pixel positions; None if no pixel moves."""
    check_change(change)
    c = {**UNCHANGED, **change}
    factors = _factors(c, height, width)
    matrix = centered(reduce(np.matmul, factors), height, width) if factors else IDENTITY
    if c["flip_vertical"] or c["flip_horizontal"]:
        rows, columns = bool(c["flip_vertical"]), bool(c["flip_horizontal"])
        matrix = flipped(matrix, height, width, rows=rows, columns=columns)
    return None if matrix is IDENTITY or (matrix == IDENTITY).all() else matrix


def _factors(c: Mapping[str, Any], height: int, width: int) -> list[np.ndarray]:
    """Return the matrices whose product is a change around the center, without the identities."""
    factors = []
    if c["theta"]:
        factors.append(rotation(c["theta"]))
    if c["tx"] or c["ty"]:
        factors.append(shift(c["tx"], c["ty"]))
    if c["shear"]:
        factors.append(shear(c["shear"]))
    if c["zx"] != 1 or c["zy"] != 1:
        factors.append(zoom(c["zx"], c["zy"]))
    if c["perspective"] is not None:
        factors.append(perspective(c["perspective"], height, width))
    return factors


def changed(
    image: np.ndarray,
    change: Mapping[str, Any],
    *,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation: str = "bilinear",
    scale: float = 1.0,
) -> np.ndarray:
    """Return an image (H, W, C), uint8 or float32, after a change; float32, multiplied by `scale`.

    The order is Keras's: rotation, shift, shear, zoom, flips, channel shift, brightness.
    Perspective, which Keras's class does not have, comes before the flips.
    """
    matrix = matrix_of(change, *image.shape[:2])
    intensity, brightness = change.get("channel_shift_intensity"), change.get("brightness")
    recolored = intensity is not None or brightness is not None
    affine_scale = 1.0 if recolored else scale  # rescaling is done last, or by the affine kernel
    if matrix is None:
        y = np.multiply(image, np.float32(affine_scale), dtype=np.float32)
    else:
        fill: dict[str, Any] = {"fill_mode": fill_mode, "cval": cval}
        fill |= {"interpolation": interpolation, "scale": affine_scale}
        y = affine_images(image[None], matrix, **fill)[0]
    if intensity is not None:
        y = with_channel_shift(y, intensity)
    if brightness is not None:
        y = with_brightness(y, brightness, levels_of(image))
    return y * np.float32(scale) if recolored else y


def with_channel_shift(x: np.ndarray, intensity: float) -> np.ndarray:
    """Add `intensity` to all values, and clip them to the range that the image had before.

    >>> with_channel_shift(np.array([0.0, 5.0, 9.0]), 3.0).tolist()
    [3.0, 8.0, 9.0]
    """
    return np.clip(x + x.dtype.type(intensity), x.min(), x.max())


def with_brightness(
    x: np.ndarray, factor: float, levels: tuple[float, float] | None = None
) -> np.ndarray:
    """Multiply the brightness of an image (H, W, C) by `factor`, at most up to white.

        y = min(x + (factor - 1) * (x - black), white)

    `levels` are (black, white), by default those of `levels_of`.

    >>> with_brightness(np.array([[[100.0, 0.5, 200.0]]]), 1.5).tolist()
    [[[150.0, 0.75, 255.0]]]
    >>> with_brightness(np.array([[[-1.0, 0.0, 2.0]]]), 0.5).tolist()
    [[[-1.0, -0.5, 0.5]]]
    """
    number = x.dtype.type
    black, white = map(number, levels_of(x) if levels is None else levels)
    return np.minimum(x + number(factor - 1) * (x - black), white)


def levels_of(image: np.ndarray) -> tuple[float, float]:
    """Return the values of black and white: 0 and 255 for most images.

    White is 1 for a floating-point image with values up to 1, as after a division by 255. An image
    with values outside 0...255, such as a centered one, has its smallest and largest value instead.

    >>> levels_of(np.array([0.25, 0.75])), levels_of(np.array([0, 1], np.uint8))
    ((0.0, 1.0), (0.0, 255.0))
    >>> levels_of(np.array([-0.5, 0.75]))
    (-0.5, 0.75)
    """
    low, high = float(image.min()), float(image.max())
    if low < 0 or high > WHITE:
        return low, high
    return 0.0, 1.0 if image.dtype.kind == "f" and high <= 1 else WHITE


def check_change(change: Mapping[str, Any]) -> None:
    """Raise ArgumentError if a change has an unknown parameter."""
    if not change.keys() <= UNCHANGED.keys():
        unknown = min(change.keys() - UNCHANGED.keys())
        raise ArgumentError(
            f"unknown parameter {unknown!r} of a change; known are {', '.join(UNCHANGED)}"
        )
