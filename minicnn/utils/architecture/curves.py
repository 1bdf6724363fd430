"""The path of a line with rounded corners, and an arrow's head, for all formats."""

from __future__ import annotations

from typing import NamedTuple

from minicnn.utils.architecture.marks import Line, Point

CORNER = 5.0  # radius of a line's corners
HEAD, HEAD_WIDTH = 5.5, 5.0  # of an arrow


class Curve(NamedTuple):
    """A part of a path, to `end`: straight, or bent around `corner`."""

    end: Point
    corner: Point | None = None


def path_of(line: Line) -> tuple[Point, list[Curve]]:
    """Return where a line begins, and its parts; an arrow's line ends where its head begins."""
    points = list(line.points)
    if line.head:
        points[-1] = _toward(points[-1], points[-2], HEAD)
    curves = []
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        curves.append(Curve(_toward(corner, before, CORNER, 0.5)))
        curves.append(Curve(_toward(corner, after, CORNER, 0.5), corner))
    return points[0], [*curves, Curve(points[-1])]


def head_of(line: Line) -> tuple[Point, Point, Point]:
    """Return the corners of an arrow's head."""
    tip, before = line.points[-1], line.points[-2]
    x, y = _toward(tip, before, HEAD)
    dx, dy = (HEAD_WIDTH / 2 * (a - b) / HEAD for a, b in zip(tip, (x, y), strict=True))
    return tip, (x - dy, y + dx), (x + dy, y - dx)


def _toward(start: Point, end: Point, distance: float, most: float = 1.0) -> Point:
    """Return the point at a distance from the start, at most this part of the way to the end."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = (dx * dx + dy * dy) ** 0.5
    share = min(distance / length, most) if length else 0.0
    return start[0] + share * dx, start[1] + share * dy
