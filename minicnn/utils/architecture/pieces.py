"""Pieces of a drawing: marks around a line from left to right, to be put one after the other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from minicnn.utils.architecture.marks import Line, Mark, Point, Polygon, Rectangle, bounds_of

AIR = 2.5  # between an array and an arrow
SPOT = 3.0  # side of the pixel that a window becomes
SMALLEST_WINDOW = 4.5


class Piece(NamedTuple):
    """Marks between x = 0 and x = width, around a line at y = 0.

    An arrow into the piece ends at (`enter`, 0), one out of it begins at (`leave`, 0).
    """

    width: float
    marks: tuple[Mark, ...]
    enter: float | None = 0.0  # None for a piece that begins with an input
    leave: float | None = 0.0  # None for one that ends with several outputs
    head: bool = True  # whether what leads into it has an arrow's head
    front: Rectangle | None = None  # the first sheet of the array at its end
    window: tuple[float, float] | None = None  # the part of the maps before it that a pixel sees

    @property
    def top(self) -> float:
        """The y of the highest mark, at most 0."""
        return min(bounds_of(self.marks)[1], 0.0)

    @property
    def bottom(self) -> float:
        """The y of the lowest mark, at least 0."""
        return max(bounds_of(self.marks)[3], 0.0)

    def marks_at(self, x: float, y: float = 0.0) -> tuple[Mark, ...]:
        """Return the marks with the piece's start at this place."""
        return tuple(mark.moved(x, y) for mark in self.marks)

    def after(self, x: float) -> Piece:
        """Return the piece with a space of x before it."""
        return self._replace(
            width=x + self.width,
            marks=self.marks_at(x),
            enter=None if self.enter is None else x + self.enter,
            leave=None if self.leave is None else x + self.leave,
            front=None if self.front is None else _shifted(self.front, x),
        )


def in_a_row(pieces: Iterable[Piece]) -> Piece:
    """Return pieces one after the other, with an arrow from each to the next."""
    marks: list[Mark] = []
    x, row = 0.0, None
    for piece in pieces:
        here = piece.after(x)
        if row is not None and row.leave is not None and here.enter is not None:
            marks.append(Line(((row.leave, 0.0), (here.enter, 0.0)), head=piece.head))
        marks += here.marks
        if row is not None and row.front and here.front and here.window:
            marks += _rays(row.front, here.window, here.front)
        row = here if row is None else here._replace(enter=row.enter, head=row.head)
        x += piece.width
    if row is None:
        return Piece(0.0, ())
    return row._replace(width=x, marks=tuple(marks))


def _rays(front: Rectangle, window: tuple[float, float], result: Rectangle) -> list[Mark]:
    """Return a window on a sheet, the pixel that it becomes, and the lines between them.

    There are none if they would cross the arrow, as those of windows larger than half a map would.
    """
    left, top, right, bottom = front
    height, width = (
        max(SMALLEST_WINDOW, part * side)
        for part, side in zip(window, (bottom - top, right - left), strict=True)
    )
    x, y = right - width - 0.06 * (right - left), top + 0.06 * (bottom - top)
    px = result[0] + 0.2 * (result[2] - result[0])
    py = result[1] + 0.15 * (result[3] - result[1])
    if max(y + height, py + SPOT) > 0.0:
        return []
    return [
        _square(x, y, width, height, "box"),
        Line(((x + width, y), (px, py)), "ray", 0.7),
        Line(((x + width, y + height), (px, py + SPOT)), "ray", 0.7),
        _square(px, py, SPOT, SPOT, "ink"),
    ]


def _square(x: float, y: float, width: float, height: float, fill: str) -> Polygon:
    corners: tuple[Point, ...] = ((x, y), (x + width, y), (x + width, y + height), (x, y + height))
    return Polygon(corners, fill, "ink", 0.8)


def _shifted(rectangle: Rectangle, x: float) -> Rectangle:
    left, top, right, bottom = rectangle
    return left + x, top, right + x, bottom
