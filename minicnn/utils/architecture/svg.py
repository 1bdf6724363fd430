"""Drawings as SVG files, with colors for light and for dark pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape

from minicnn.support.text import printable
from minicnn.utils.architecture.colors import DARK, LIGHT
from minicnn.utils.architecture.curves import head_of, path_of
from minicnn.utils.architecture.marks import Box, Circle, Line, Mark, Point, Text

FONTS = "Helvetica, Arial, 'DejaVu Sans', sans-serif"


def svg_text(marks: Sequence[Mark], width: float, height: float, title: str) -> str:
    """Return the content of an SVG file."""
    size = f'width="{_n(width)}" height="{_n(height)}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(width)} {_n(height)}" {size} '
        f'font-family="{FONTS}" stroke-linejoin="round" role="img">',
        f"<title>{escape(printable(title))}</title>",
        f"<style>{_style_sheet(marks)}</style>",
        f'<rect {size} class="f-paper"/>',
        *map(_element, marks),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _style_sheet(marks: Iterable[Mark]) -> str:
    """Return rules for the colors that occur: "f-" of what is filled, "s-" of lines."""
    fills, lines = {"paper"}, set()
    for mark in marks:
        if isinstance(mark, (Text, Line)):
            fills.add(mark.color)
            lines.add(mark.color)
        else:
            fills.add(mark.fill)
            lines.add(mark.edge)
    rules = [
        "".join(f".f-{name}{{fill:{colors[name]}}}" for name in sorted(fills))
        + "".join(f".s-{name}{{stroke:{colors[name]}}}" for name in sorted(lines))
        for colors in (LIGHT, DARK)
    ]
    return f"{rules[0]}@media (prefers-color-scheme:dark){{{rules[1]}}}"


def _element(mark: Mark) -> str:
    """Return the element of a mark."""
    if isinstance(mark, Text):
        return _text(mark)
    if isinstance(mark, Line):
        return _line(mark)
    style = f'class="f-{mark.fill} s-{mark.edge}" stroke-width="{_n(mark.line)}"'
    if isinstance(mark, Box):
        size = f'width="{_n(mark.width)}" height="{_n(mark.height)}" rx="{_n(mark.radius)}"'
        return f'<rect x="{_n(mark.x)}" y="{_n(mark.y)}" {size} {style}/>'
    if isinstance(mark, Circle):
        return f'<circle cx="{_n(mark.x)}" cy="{_n(mark.y)}" r="{_n(mark.radius)}" {style}/>'
    return f'<polygon points="{_points(mark.points)}" {style}/>'


def _text(mark: Text) -> str:
    place = f'x="{_n(mark.x)}" y="{_n(mark.y)}" text-anchor="{mark.anchor}"'
    weight = ' font-weight="bold"' if mark.bold else ""
    style = f'font-size="{_n(mark.size)}" class="f-{mark.color}"{weight}'
    return f"<text {place} {style}>{escape(printable(mark.text))}</text>"


def _line(mark: Line) -> str:
    """Return the path of a line, and the triangle of an arrow's head."""
    start, curves = path_of(mark)
    path = f"M{_point(start)}" + "".join(
        f"L{_point(curve.end)}" if curve.corner is None
        else f"Q{_point(curve.corner)} {_point(curve.end)}"
        for curve in curves
    )  # fmt: skip
    style = f'fill="none" class="s-{mark.color}" stroke-width="{_n(mark.line)}"'
    head = f'<polygon points="{_points(head_of(mark))}" class="f-{mark.color}"/>'
    return f'<path d="{path}" {style}/>' + (head if mark.head else "")


def _points(points: Iterable[Point]) -> str:
    return " ".join(map(_point, points))


def _point(point: Point) -> str:
    return f"{_n(point[0])},{_n(point[1])}"


def _n(value: float) -> str:
    """Return a number with at most one digit after the point."""
    return f"{value:.1f}".removesuffix(".0")
