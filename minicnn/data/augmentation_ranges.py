"""The ranges of random changes to images, and drawing one change from them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn.checks import check_flag, check_number
from minicnn.errors import ArgumentError

Interval = tuple[float, float]
CONVEX = 0.25  # from here on, the four moved corners may fold the image
VISIBLE_DEGREES = 1.0  # a smaller shear moves the corners of a 150-pixel image by about a pixel


class Ranges:
    """The checked ranges of `ImageDataGenerator`; 0, None or False means no change."""

    def __init__(
        self,
        *,
        rotation_range: float = 0.0,
        width_shift_range: float | Sequence[float] = 0.0,
        height_shift_range: float | Sequence[float] = 0.0,
        brightness_range: Sequence[float] | None = None,
        shear_range: float = 0.0,
        zoom_range: float | Sequence[float] = 0.0,
        zoom_keep_aspect: bool = False,
        channel_shift_range: float = 0.0,
        horizontal_flip: bool = False,
        vertical_flip: bool = False,
        perspective_range: float = 0.0,
    ) -> None:
        self.rotation = check_number(rotation_range, "rotation_range", 0.0)
        self.width_shift = _shifts(width_shift_range, "width_shift_range")
        self.height_shift = _shifts(height_shift_range, "height_shift_range")
        self.brightness = (
            None if brightness_range is None else _interval(brightness_range, "brightness_range")
        )
        self.shear = check_number(shear_range, "shear_range", 0.0)
        self.zoom = _zooms(zoom_range)
        self.zoom_keep_aspect = check_flag(zoom_keep_aspect, "zoom_keep_aspect")
        self.channel_shift = check_number(channel_shift_range, "channel_shift_range", 0.0)
        self.horizontal_flip = check_flag(horizontal_flip, "horizontal_flip")
        self.vertical_flip = check_flag(vertical_flip, "vertical_flip")
        self.perspective = check_number(perspective_range, "perspective_range", 0.0, CONVEX)
        if 0 < self.shear < VISIBLE_DEGREES:
            warnings.warn(
                f"shear_range={self.shear:g} is {self.shear:g} degrees, too small to see. For "
                f"{self.shear:g} radians write {math.degrees(self.shear):.1f}. "
                "Check it with: minicnn data preview",
                stacklevel=3,
            )

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> dict[str, Any]:
        """Draw a random change of an image (H, W, C); its names are those of `transform.UNCHANGED`.

        The same number of values is always drawn, so switching one change off keeps the others.
        """
        drawn = rng.random(18)
        theta, down, right, shear, zx, zy, mirrored, upside_down, color, light = drawn[:10]
        zx = _between(self.zoom, zx)
        return {
            "theta": _around(self.rotation, theta),
            "tx": _shift(self.height_shift, down, shape[0]),
            "ty": _shift(self.width_shift, right, shape[1]),
            "shear": _around(self.shear, shear),
            "zx": zx,
            "zy": zx if self.zoom_keep_aspect else _between(self.zoom, zy),
            "flip_horizontal": bool(self.horizontal_flip and mirrored < 0.5),
            "flip_vertical": bool(self.vertical_flip and upside_down < 0.5),
            "channel_shift_intensity": (
                _around(self.channel_shift, color) if self.channel_shift else None
            ),
            "brightness": None if self.brightness is None else _between(self.brightness, light),
            "perspective": _moves(self.perspective, drawn[10:], shape),
        }


def _around(limit: float, u: float) -> float:
    """Map `u`, uniform in 0...1, to -limit...limit."""
    return limit * (2 * u - 1)


def _between(interval: Interval, u: float) -> float:
    """Map `u`, uniform in 0...1, to the interval."""
    low, high = interval
    return low + (high - low) * u


def _shift(limit: float | list[float], u: float, pixels: int) -> float:
    """Map `u` to a shift in pixels: up to the limit, or one of a list with a random sign."""
    if isinstance(limit, list):
        choice, other_way = divmod(int(u * 2 * len(limit)), 2)
        return -limit[choice] if other_way else limit[choice]
    return _around(limit, u) * (pixels if limit < 1 else 1)


def _moves(limit: float, drawn: np.ndarray, shape: tuple[int, ...]) -> list[list[float]] | None:
    """Map eight numbers to the moves of four corners in pixels, up to a share of each side."""
    if not limit:
        return None
    moves = limit * (2 * drawn.reshape(4, 2) - 1) * shape[:2]
    return [[float(down), float(right)] for down, right in moves]


def _shifts(value: Any, name: str) -> float | list[float]:
    """Return the checked limit, or the shifts to choose from; an integer means whole pixels.

    A limit below 1 is a fraction of the image. Keras draws whole pixels if the range is an integer.
    """
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) > 0:
        return [check_number(one, name) for one in value]
    limit = check_number(value, name, 0.0)
    whole = isinstance(value, (int, np.integer)) and value >= 1
    return [float(pixels) for pixels in range(int(limit))] if whole else limit


def _zooms(value: Any) -> Interval:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _interval(value, "zoom_range")
    limit = check_number(value, "zoom_range", 0.0, 1.0)
    return 1 - limit, 1 + limit


def _interval(value: Any, name: str) -> Interval:
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 2:
        raise ArgumentError(f"{name} must be two numbers, (smallest, largest); got {value!r}")
    low, high = (check_number(one, name, 0.0) for one in value)
    if low > high or (name == "zoom_range" and low == 0):
        raise ArgumentError(f"{name} must be (smallest, largest), above 0; got {value!r}")
    return low, high
