"""One random change of an image: the numbers that say which, and what they do to it."""

from __future__ import annotations

from collections.abc import Mapping
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
from minicnn.errors import ArgumentError

# Every number of a change, under Keras's name, and its value that changes nothing.
UNCHANGED: dict[str, Any] = {
    "theta": 0.0,  # degrees
    "tx": 0.0,  # pixels down
    "ty": 0.0,  # pixels to the right
    "shear": 0.0,  # degrees
    "zx": 1.0,  # height of the field that is seen
    "zy": 1.0,  # its width
    "flip_horizontal": False,
    "flip_vertical": False,
    "channel_shift_intensity": None,
    "brightness": None,  # factor
}
WHITE = 255.0


def matrix_of(change: Mapping[str, Any], height: int, width: int) -> np.ndarray | None:
    """(3, 3): where each pixel of the changed image comes from; None if from where it is."""
    check_change(change)
    c = {**UNCHANGED, **change}
    matrix = rotation(c["theta"]) @ shift(c["tx"], c["ty"]) @ shear(c["shear"])
    matrix = centered(matrix @ zoom(c["zx"], c["zy"]), height, width)
    matrix = flipped(
        matrix, height, width, rows=bool(c["flip_vertical"]), columns=bool(c["flip_horizontal"])
    )
    return None if np.array_equal(matrix, IDENTITY) else matrix


def changed(
    image: np.ndarray,
    change: Mapping[str, Any],
    *,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation: str = "bilinear",
    scale: float = 1.0,
) -> np.ndarray:
    """An image (H, W, C), uint8 or float32, after one change; float32, multiplied by `scale`.

    In Keras's order: rotated, moved, sheared, zoomed, with other colors, mirrored, lighter.
    """
    matrix = matrix_of(change, *image.shape[:2])
    intensity, brightness = change.get("channel_shift_intensity"), change.get("brightness")
    recolored = intensity is not None or brightness is not None
    at_once = 1.0 if recolored else scale
    if matrix is None:
        y = np.multiply(image, np.float32(at_once), dtype=np.float32)
    else:
        fill: dict[str, Any] = {"fill_mode": fill_mode, "cval": cval}
        fill |= {"interpolation": interpolation, "scale": at_once}
        y = affine_images(image[None], matrix, **fill)[0]
    if intensity is not None:
        y = with_channel_shift(y, intensity)
    if brightness is not None:
        y = with_brightness(y, brightness, levels_of(image))
    return y * np.float32(scale) if recolored else y


def with_channel_shift(x: np.ndarray, intensity: float) -> np.ndarray:
    """All numbers moved by `intensity`, none beyond the largest and the smallest that were there.

    >>> with_channel_shift(np.array([0.0, 5.0, 9.0]), 3.0).tolist()
    [3.0, 8.0, 9.0]
    """
    return np.clip(x + x.dtype.type(intensity), x.min(), x.max())


def with_brightness(
    x: np.ndarray, factor: float, levels: tuple[float, float] | None = None
) -> np.ndarray:
    """An image (H, W, C) `factor` times as light, at most white.

        y = min(x + (factor - 1) * (x - black), white)

    `levels` are black and white, by default what `levels_of` says of the image.

    >>> with_brightness(np.array([[[100.0, 0.5, 200.0]]]), 1.5).tolist()
    [[[150.0, 0.75, 255.0]]]
    >>> with_brightness(np.array([[[-1.0, 0.0, 2.0]]]), 0.5).tolist()
    [[[-1.0, -0.5, 0.5]]]
    """
    number = x.dtype.type
    black, white = map(number, levels_of(x) if levels is None else levels)
    return np.minimum(x + number(factor - 1) * (x - black), white)


def levels_of(image: np.ndarray) -> tuple[float, float]:
    """The numbers that are black and white: 0 and 255.

    White is 1 for an image of real numbers that are all at most 1, as after a division by 255. An
    image with numbers beyond 0...255, as a centered one, has its own smallest and largest.

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
    """Refuse a number that no change has."""
    unknown = sorted(set(change) - set(UNCHANGED))
    if unknown:
        raise ArgumentError(f"a change has no {unknown[0]!r}; it has {', '.join(UNCHANGED)}")
