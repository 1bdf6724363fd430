"""Arrays as solids: feature maps as a stack of sheets, vectors as a bar.

A sheet's sides are proportional to the square roots of the map's height and width. The number of
sheets grows with the logarithm of the number of channels, the length of a bar with that of its
number of values. So an image of 224 x 224 x 3 and maps of 7 x 7 x 512 fit into one drawing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from minicnn.utils.architecture.marks import Box, Line, Mark, Polygon, Rectangle

LARGEST, SMALLEST = 84.0, 8.0  # sides of a sheet
SHEET_X, SHEET_Y = 2.7, 1.9  # from one sheet to the next, to the right and upward
BAR, BAR_LENGTH = 13.0, 18.0  # width of a bar, and what each factor of ten adds to its length
CELLS = 16  # values of a bar that are drawn one by one


class Solid(NamedTuple):
    """A drawn array; the middle of its first sheet is at height 0, its left side at x = 0."""

    width: float
    top: float
    bottom: float
    marks: tuple[Mark, ...]
    front: Rectangle  # the first sheet
    leave: float  # the x where an arrow at height 0 begins


def largest_side(shapes: Iterable[Sequence[int]]) -> int:
    """Return the largest height or width of the feature maps of these shapes."""
    return max((max(_sides(shape)) for shape in shapes if len(shape) > 1), default=1)


def solid_of(shape: Sequence[int], kind: str, largest: int, least: float = 0.0) -> Solid:
    """Return the solid of an array.

    Parameters
    ----------
    shape : of one sample, (H, W, C), (T, C) or (units,)
    kind : the color
    largest : the largest side of the network's maps
    least : the least length of a bar
    """
    if len(shape) < 2:
        return _bar(shape[0] if shape else 1, kind, least)
    height, width = (
        max(SMALLEST, LARGEST * math.sqrt(side / max(largest, 1))) for side in _sides(shape)
    )
    return _stack(width, height, sheets(shape[-1]), kind)


def sheets(channels: int) -> int:
    """Return the number of sheets for that many channels.

    >>> [sheets(channels) for channels in (1, 3, 20, 64, 512)]
    [1, 3, 7, 10, 15]
    """
    return 1 + round(1.5 * math.log2(max(channels, 1)))


def _sides(shape: Sequence[int]) -> tuple[int, int]:
    """Return the height and width of maps; sequences are maps of height 1."""
    return (1, max(shape[0], 1)) if len(shape) == 2 else (max(shape[-3], 1), max(shape[-2], 1))


def _stack(width: float, height: float, count: int, kind: str) -> Solid:
    """Return sheets one behind the other, the first one at the lower left."""
    deep_x, deep_y = (count - 1) * SHEET_X, (count - 1) * SHEET_Y
    top = -height / 2
    marks = []
    for i in reversed(range(count)):
        x, y = i * SHEET_X, top - i * SHEET_Y
        corners = ((x, y), (x + width, y), (x + width, y + height), (x, y + height))
        marks.append(Polygon(corners, f"{kind}-side" if i else f"{kind}-face", f"{kind}-edge"))
    leave = width + min(deep_x, height / 2 * SHEET_X / SHEET_Y)
    front = (0.0, top, width, -top)
    return Solid(width + deep_x, top - deep_y, -top, tuple(marks), front, leave)


def _bar(count: int, kind: str, least: float) -> Solid:
    """Return an upright bar; if there are only a few values, it has a cell for each."""
    length = max(least, BAR_LENGTH + BAR_LENGTH * math.log10(max(count, 1)))
    top = -length / 2
    marks: list[Mark] = [Box(0, top, BAR, length, f"{kind}-face", f"{kind}-edge", 2.5)]
    if count <= CELLS:
        for i in range(1, count):
            y = top + i * length / count
            marks.append(Line(((0, y), (BAR, y)), f"{kind}-edge", 0.6))
    return Solid(BAR, top, -top, tuple(marks), (0.0, top, BAR, -top), BAR)
