"""Branches side by side, from where they part to the circle where they are joined."""

from __future__ import annotations

from collections.abc import Sequence

from minicnn.utils.architecture.marks import Line, Mark, Point
from minicnn.utils.architecture.pieces import Piece
from minicnn.utils.architecture.steps import joint_radius

FORK, MEET = 12.0, 13.0  # space for the lines that part, and for those that meet
TURN = 5.0  # where they turn
APART, ROOF = 8.0, 9.0  # between branches, and between one and a line above it


def branched(
    rows: Sequence[Piece | None], weights: Sequence[int], joined: Piece | None, kind: str
) -> Piece:
    """Return branches side by side.

    Parameters
    ----------
    rows : the branches; None for one without blocks, which is a line
    weights : how many blocks each has; the one with most is in the middle
    joined : the piece at whose start the branches are joined; None if they end
    kind : the class of the layer that joins them
    """
    heights = heights_of(rows, weights)
    forks = all(row is None or row.enter is not None for row in rows)
    start = FORK if forks else 0.0
    width = max(row.width for row in rows if row is not None)
    end = None if joined is None else joined.after(start + width + MEET)
    marks: list[Mark] = []
    for row, y in zip(rows, heights, strict=True):
        if row is None:
            if end is not None:
                marks.append(_line([(0.0, 0.0), (TURN, 0.0), (TURN, y)], y, end, kind))
            continue
        here = row.after(start)
        marks += here.marks_at(0.0, y)
        if forks:
            marks.append(_forked(y, here.enter or 0.0, head=row.head))
        if end is not None and here.leave is not None:
            marks.append(_line([(here.leave, y)], y, end, kind))
    enter = 0.0 if forks else None
    if end is None:
        return Piece(start + width, tuple(marks), enter, None, head=False)
    return end._replace(marks=(*marks, *end.marks), enter=enter, head=False)


def _forked(y: float, end: float, *, head: bool) -> Line:
    """Return an arrow from the fork at (0, 0) to the start of a branch."""
    turn: tuple[Point, ...] = () if y == 0.0 else ((TURN, 0.0), (TURN, y))
    return Line(((0.0, 0.0), *turn, (end, y)), head=head)


def _line(points: list[Point], y: float, joined: Piece, kind: str) -> Line:
    """Return the arrow of a branch at height y to the circle where it is joined."""
    radius = joint_radius(kind)
    edge = joined.enter or 0.0
    if y == 0.0:
        return Line((*points, (edge, 0.0)), head=True)
    x = edge + radius
    return Line((*points, (x, y), (x, radius if y > 0 else -radius)), head=True)


def heights_of(rows: Sequence[Piece | None], weights: Sequence[int]) -> list[float]:
    """Return the y of each branch, with that of the main one at 0 and lines above all others."""
    above, main, below = _arranged([i for i, row in enumerate(rows) if row is not None], weights)
    heights = [0.0] * len(rows)
    pieces = [row or Piece(0.0, ()) for row in rows]
    top, bottom = pieces[main].top, pieces[main].bottom
    for i in reversed(above):
        heights[i] = top - APART - pieces[i].bottom
        top = heights[i] + pieces[i].top
    for i in below:
        heights[i] = bottom + APART - pieces[i].top
        bottom = heights[i] + pieces[i].bottom
    for i, row in enumerate(rows):
        if row is None:
            top -= ROOF
            heights[i] = top
    return heights


def _arranged(branches: list[int], weights: Sequence[int]) -> tuple[list[int], int, list[int]]:
    """Return the branches above the main one, the main one, and those below it.

    Of two branches the longer one is the main one, of more the one in the middle.

    >>> _arranged([0, 2], [5, 0, 1]), _arranged([0, 1, 2], [1, 1, 1])
    (([2], 0, []), ([0], 1, [2]))
    """
    if len(branches) == 2:
        branches = sorted(branches, key=lambda i: weights[i])
    main = len(branches) // 2
    return branches[:main], branches[main], branches[main + 1 :]
