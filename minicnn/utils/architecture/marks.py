"""What a drawing consists of in the end: lines, boxes, polygons and text at their places.

Lengths are in points of 1/72 inch; x grows to the right and y downward.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

Point = tuple[float, float]
Rectangle = tuple[float, float, float, float]  # left, top, right, bottom

# Widths of letters in thousandths of the type's size: those of DejaVu Sans, which is wider than
# Helvetica and Arial, so that text fits with any of them.
_WIDTHS = {
    278: "ijl'", 318: " ,.", 337: "/:;\\|IJ", 361: "f-", 392: "t()[]", 411: "!r", 460: '"',
    525: "*_`sz", 557: "?cL", 592: "kvxyF", 615: "PTYoae", 636: "EShnubdgpq$0123456789{}",
    698: "KAVXZBRC", 752: "UNH", 787: "DG&OQ", 838: "w#+<=>^~×", 974: "Mm%",
}  # fmt: skip
_WIDTH_OF = {letter: width for width, letters in _WIDTHS.items() for letter in letters}
_OTHER_WIDTH = 1000  # letters of other alphabets
BOLD = 1.12  # how much wider bold letters are


class Text(NamedTuple):
    """A line of text; (x, y) is on its baseline, at its start, middle or end."""

    x: float
    y: float
    text: str
    size: float
    color: str = "ink"
    anchor: str = "middle"
    bold: bool = False

    @property
    def width(self) -> float:
        """The most that the text takes."""
        return text_width(self.text, self.size, bold=self.bold)

    @property
    def bounds(self) -> Rectangle:
        """Left, top, right and bottom."""
        left = self.x - {"start": 0.0, "middle": 0.5, "end": 1.0}[self.anchor] * self.width
        return left, self.y - 0.76 * self.size, left + self.width, self.y + 0.22 * self.size

    def moved(self, dx: float, dy: float) -> Text:
        """Return it at another place."""
        return self._replace(x=self.x + dx, y=self.y + dy)


class Box(NamedTuple):
    """A rectangle with rounded corners."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    edge: str
    radius: float = 4.0
    line: float = 0.8

    @property
    def bounds(self) -> Rectangle:
        """Left, top, right and bottom."""
        return self.x, self.y, self.x + self.width, self.y + self.height

    def moved(self, dx: float, dy: float) -> Box:
        """Return it at another place."""
        return self._replace(x=self.x + dx, y=self.y + dy)


class Polygon(NamedTuple):
    """A polygon, such as a sheet of an array."""

    points: tuple[Point, ...]
    fill: str
    edge: str
    line: float = 0.6

    @property
    def bounds(self) -> Rectangle:
        """Left, top, right and bottom."""
        return _around(self.points)

    def moved(self, dx: float, dy: float) -> Polygon:
        """Return it at another place."""
        return self._replace(points=tuple((x + dx, y + dy) for x, y in self.points))


class Line(NamedTuple):
    """A line through points, with rounded corners; `head` is for an arrow's head at its end."""

    points: tuple[Point, ...]
    color: str = "line"
    line: float = 1.1
    head: bool = False

    @property
    def bounds(self) -> Rectangle:
        """Left, top, right and bottom."""
        return _around(self.points)

    def moved(self, dx: float, dy: float) -> Line:
        """Return it at another place."""
        return self._replace(points=tuple((x + dx, y + dy) for x, y in self.points))


class Circle(NamedTuple):
    """A circle."""

    x: float
    y: float
    radius: float
    fill: str
    edge: str
    line: float = 1.0

    @property
    def bounds(self) -> Rectangle:
        """Left, top, right and bottom."""
        r = self.radius
        return self.x - r, self.y - r, self.x + r, self.y + r

    def moved(self, dx: float, dy: float) -> Circle:
        """Return it at another place."""
        return self._replace(x=self.x + dx, y=self.y + dy)


Mark = Text | Box | Polygon | Line | Circle


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Return the most that a text takes with the usual sans-serif types.

    >>> text_width("conv", 10.0)
    24.0
    """
    width = sum(_WIDTH_OF.get(letter, _OTHER_WIDTH) for letter in text) / 1000 * size
    return round(width * (BOLD if bold else 1.0), 3)


def bounds_of(marks: Iterable[Mark]) -> Rectangle:
    """Return left, top, right and bottom of all the marks."""
    sides = list(zip(*(mark.bounds for mark in marks), strict=True))
    if not sides:
        return 0.0, 0.0, 0.0, 0.0
    return min(sides[0]), min(sides[1]), max(sides[2]), max(sides[3])


def _around(points: tuple[Point, ...]) -> Rectangle:
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)
