"""What must hold for every drawing of a network: nothing overlaps, and nothing is cut off."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import Any

from minicnn.utils.architecture.marks import Box, Circle, Line, Rectangle, Text


def overlap(a: Rectangle, b: Rectangle) -> bool:
    """Return whether two rectangles have more in common than an edge."""
    return min(a[2], b[2]) - max(a[0], b[0]) > 0.01 and min(a[3], b[3]) - max(a[1], b[1]) > 0.01


def within(a: Rectangle, b: Rectangle) -> bool:
    """Return whether the first rectangle is inside the second."""
    return a[0] >= b[0] and a[1] >= b[1] and a[2] <= b[2] and a[3] <= b[3]


def crosses(line: Line, box: Rectangle) -> bool:
    """Return whether a line passes through a rectangle, by Liang and Barsky's clipping."""
    for (x0, y0), (x1, y1) in pairwise(line.points):
        start, end = 0.0, 1.0
        for delta, low, high in (
            (x1 - x0, box[0] - x0, box[2] - x0),
            (y1 - y0, box[1] - y0, box[3] - y0),
        ):
            if delta == 0:
                if low >= 0 or high <= 0:
                    start = 2.0
                continue
            near, far = sorted((low / delta, high / delta))
            start, end = max(start, near), min(end, far)
        if start < end:
            return True
    return False


def mistakes(drawing: Any) -> list[str]:
    """Return what is wrong with a drawing, [] for nothing."""
    texts = [mark for mark in drawing.marks if isinstance(mark, Text)]
    found = [
        f"{a.text!r} on {b.text!r}"
        for a, b in combinations(texts, 2)
        if overlap(a.bounds, b.bounds)
    ]
    page = (0.0, 0.0, drawing.width, drawing.height)
    found += [f"{mark} leaves the page" for mark in drawing.marks if not within(mark.bounds, page)]
    for text in texts:
        found += [problem for mark in drawing.marks if (problem := _between(text, mark))]
    return found


def _between(text: Text, mark: Any) -> str:
    """Return what is wrong between a text and another mark, "" for nothing."""
    if isinstance(mark, Line):
        return f"a line through {text.text!r}" if crosses(mark, text.bounds) else ""
    if isinstance(mark, Text) or not overlap(text.bounds, mark.bounds):
        return ""
    inside = within(text.bounds, mark.bounds) and isinstance(mark, (Box, Circle))
    on_paper = inside and not mark.fill.endswith("-face")
    return "" if on_paper else f"{text.text!r} across the edge of a {type(mark).__name__}"
