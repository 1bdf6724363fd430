"""The operation that changes contrast, brightness and colors of images, as layers use it."""

from __future__ import annotations

import math
from typing import Any

from minicnn.checks import FLOATS, check_array, check_axes, check_flag, shape_text
from minicnn.errors import ArgumentError, ShapeError
from minicnn.operations.operation import Operation


def _resolve(
    x: Any,
    levels: Any,
    *,
    about_mean: bool = False,
    low: float = -math.inf,
    high: float = math.inf,
) -> dict[str, Any]:
    check_array(x, "x", (*FLOATS, "uint8"))
    check_axes(x.shape, "x", "NHWC")
    check_array(levels, "levels")
    if tuple(levels.shape) != (x.shape[0], 3):
        raise ShapeError(
            f"levels must have 3 values per image, ({x.shape[0]}, 3); got "
            f"{shape_text(levels.shape)}"
        )
    if not low <= high:
        raise ArgumentError(f"low must be at most high; got {low} and {high}")
    about_mean = check_flag(about_mean, "about_mean")
    return {"about_mean": about_mean, "low": float(low), "high": float(high)}


# y = (v - m) * gain + m + shift, limited to low...high
#
# with the (gain, shift, gray) of each image in levels (N, 3); m is the mean of the image's channel
# with `about_mean`, else 0; v is x (N, H, W, C), uint8 or float, or its brightness if gray >= 0.5.
ADJUST_COLORS = Operation("adjust_colors", _resolve, None)
