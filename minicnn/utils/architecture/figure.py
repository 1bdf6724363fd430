"""Drawings as matplotlib figures, for PNG and PDF files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minicnn.support.plots import caption, new_figure
from minicnn.utils.architecture.colors import LIGHT
from minicnn.utils.architecture.curves import head_of, path_of
from minicnn.utils.architecture.marks import Box, Circle, Line, Mark, Polygon, Text

MAX_PIXELS = 24_000  # of a side of the picture
ALIGNMENT = {"start": "left", "middle": "center", "end": "right"}


def figure_of(marks: Sequence[Mark], width: float, height: float, dpi: int) -> Any:
    """Return a matplotlib figure of marks; lengths are in points of 1/72 inch."""
    dpi = min(dpi, int(MAX_PIXELS * 72 / max(width, height)))
    figure = new_figure(width / 72, height / 72, dpi)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.set_axis_off()
    for order, mark in enumerate(marks):
        _draw(axes, mark, order)
    return figure


def _draw(axes: Any, mark: Mark, order: int) -> None:
    """Draw a mark on top of those that were drawn before it."""
    if isinstance(mark, Text):
        _draw_text(axes, mark, order)
    elif isinstance(mark, Line):
        _draw_line(axes, mark, order)
    else:
        patch = _patch(mark)
        patch.set(facecolor=LIGHT[mark.fill], edgecolor=LIGHT[mark.edge], linewidth=mark.line)
        patch.set(zorder=order, joinstyle="round")
        axes.add_patch(patch)


def _patch(mark: Box | Circle | Polygon) -> Any:
    from matplotlib import patches

    if isinstance(mark, Circle):
        return patches.Circle((mark.x, mark.y), mark.radius)
    if isinstance(mark, Polygon):
        return patches.Polygon(mark.points, closed=True)
    radius = min(mark.radius, mark.width / 2, mark.height / 2)
    style = f"round,pad=0,rounding_size={radius}"
    return patches.FancyBboxPatch((mark.x, mark.y), mark.width, mark.height, boxstyle=style)


def _draw_text(axes: Any, mark: Text, order: int) -> None:
    axes.text(
        mark.x, mark.y, caption(mark.text), fontsize=mark.size, color=LIGHT[mark.color],
        ha=ALIGNMENT[mark.anchor], va="baseline", weight="bold" if mark.bold else "normal",
        zorder=order,
    )  # fmt: skip


def _draw_line(axes: Any, mark: Line, order: int) -> None:
    """Draw a line, and an arrow's head at its end."""
    from matplotlib.patches import PathPatch, Polygon
    from matplotlib.path import Path

    start, curves = path_of(mark)
    points, codes = [start], [Path.MOVETO]
    for curve in curves:
        if curve.corner is None:
            points.append(curve.end)
            codes.append(Path.LINETO)
        else:
            points += [curve.corner, curve.end]
            codes += [Path.CURVE3] * 2
    color = LIGHT[mark.color]
    style: dict[str, Any] = {"linewidth": mark.line, "zorder": order, "capstyle": "butt"}
    axes.add_patch(PathPatch(Path(points, codes), fill=False, edgecolor=color, **style))
    if mark.head:
        axes.add_patch(Polygon(head_of(mark), closed=True, color=color, linewidth=0, zorder=order))
