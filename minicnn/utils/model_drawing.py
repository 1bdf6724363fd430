"""A network as a picture drawn by matplotlib: boxes with names and shapes, joined by arrows."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

from minicnn.support.plots import caption, new_figure
from minicnn.utils.graph_layout import layout
from minicnn.utils.layer_boxes import Box, Boxes

# Inches, and points for type.
TITLE, TEXT = 9.0, 8.0
LINE, PAD, GAP, LANE, RANK_GAP, MARGIN = 0.2, 0.12, 0.3, 0.12, 0.42, 0.2
MIN_WIDTH, SPACE = 1.5, 0.18
SLACK = 1.06  # letters are wider where there are few pixels for them
MAX_PIXELS = 24_000  # of a side of the picture
EDGE, INK, QUIET = "#5d6b7a", "#1d2733", "#5d6b7a"
# The color of a title, by parts of the names of classes; the first one that fits counts.
COLORS = {
    "Input": "#8a94a0", "Conv": "#2c6fa6", "Pool": "#2f8f83", "Norm": "#8b6bb1", "Drop": "#a7663a",
    "Random": "#a7663a", "Dense": "#b5543f", "Flatten": "#6f7b87", "Reshape": "#6f7b87",
    "Permute": "#6f7b87", "Add": "#c08a2b", "Multiply": "#c08a2b", "Concatenate": "#c08a2b",
    "Average": "#c08a2b", "Maximum": "#c08a2b", "Subtract": "#c08a2b", "Rescaling": "#6f7b87",
}  # fmt: skip
OTHER = "#4f7f4b"


class Place(NamedTuple):
    """Where a box is: its middle and its size."""

    x: float
    y: float
    width: float
    height: float


def draw(boxes: Boxes, rankdir: str = "TB", dpi: int = 200) -> Any:
    """Return a matplotlib figure of boxes; `rankdir` is TB, BT, LR or RL, from where to where."""
    places, ways = _arranged(boxes, rankdir)
    left, right, bottom, top = _frame(places, ways)
    width, height = right - left + 2 * MARGIN, top - bottom + 2 * MARGIN
    dpi = min(dpi, int(MAX_PIXELS / max(width, height)))
    figure = new_figure(width, height, dpi)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(left - MARGIN, right + MARGIN)
    axes.set_ylim(bottom - MARGIN, top + MARGIN)
    axes.set_axis_off()
    for way in ways:
        _draw_arrow(axes, way, across=rankdir in ("LR", "RL"))
    for box, place in zip(boxes.boxes, places, strict=True):
        _draw_box(axes, box, place)
    return figure


def _arranged(boxes: Boxes, rankdir: str) -> tuple[list[Place], list[list[tuple[float, float]]]]:
    """Return the place of each box, and the points of each arrow."""
    sizes = [_size(box) for box in boxes.boxes]
    across = rankdir in ("LR", "RL")
    side = [h if across else w for w, h in sizes]
    along = [w if across else h for w, h in sizes]
    found = layout(side, boxes.arrows, GAP, LANE)
    thick = [0.0] * (max(found.ranks) + 1)
    for rank, length in zip(found.ranks, along, strict=True):
        thick[rank] = max(thick[rank], length)
    starts = [sum(thick[:rank]) + rank * RANK_GAP for rank in range(len(thick))]
    sign = 1 if rankdir in ("LR", "BT") else -1

    def point(middle: float, depth: float) -> tuple[float, float]:
        return (sign * depth, -middle) if across else (middle, sign * depth)

    places = []
    for (w, h), rank, middle in zip(sizes, found.ranks, found.middles, strict=True):
        places.append(Place(*point(middle, starts[rank] + thick[rank] / 2), w, h))
    ways = []
    for start, end in boxes.arrows:
        half = along[start] / 2
        first = starts[found.ranks[start]] + thick[found.ranks[start]] / 2 + half
        last = starts[found.ranks[end]] + (thick[found.ranks[end]] - along[end]) / 2
        way = [point(found.middles[start], first)]
        for rank, middle in found.bends[start, end]:
            way += [point(middle, starts[rank]), point(middle, starts[rank] + thick[rank])]
        ways.append([*way, point(found.middles[end], last)])
    return places, ways


def _frame(
    places: list[Place], ways: list[list[tuple[float, float]]]
) -> tuple[float, float, float, float]:
    xs = [x for way in ways for x, _ in way]
    ys = [y for way in ways for _, y in way]
    for place in places:
        xs += [place.x - place.width / 2, place.x + place.width / 2]
        ys += [place.y - place.height / 2, place.y + place.height / 2]
    return min(xs), max(xs), min(ys), max(ys)


def _size(box: Box) -> tuple[float, float]:
    """Return the width and height of a box, as its text needs them."""
    widths = [_text_width(box.title, TITLE, bold=True)]
    widths += [_text_width(f"{label}:{value}", TEXT) + SPACE for label, value in box.lines]
    height = LINE + PAD + (len(box.lines) * LINE + PAD if box.lines else 0)
    return max(MIN_WIDTH, SLACK * max(widths) + 2 * PAD), height


@lru_cache(maxsize=4096)
def _text_width(text: str, points: float, *, bold: bool = False) -> float:
    """Return the width of a text in inches."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    font = FontProperties(weight="bold" if bold else "normal")
    return float(TextPath((0, 0), caption(text), points, prop=font).vertices[:, 0].max()) / 72


def _draw_box(axes: Any, box: Box, place: Place) -> None:
    """Draw a rounded box, whose title is white on the color of its kind."""
    from matplotlib.patches import FancyBboxPatch, Rectangle

    left, bottom = place.x - place.width / 2, place.y - place.height / 2
    top = bottom + place.height
    color = next((c for part, c in COLORS.items() if part in box.kind), OTHER)
    style: dict[str, Any] = {"boxstyle": "round,pad=0,rounding_size=0.06", "linewidth": 0.9}
    outline = FancyBboxPatch(
        (left, bottom),
        place.width,
        place.height,
        facecolor="white",
        edgecolor=color,
        zorder=2,
        **style,
    )
    axes.add_patch(outline)
    head = LINE + PAD
    title = Rectangle((left, top - head), place.width, head, facecolor=color, zorder=3)
    axes.add_patch(title)
    title.set_clip_path(outline)
    middle = {"va": "center_baseline", "zorder": 4}
    axes.text(
        place.x, top - head / 2, caption(box.title), fontsize=TITLE, weight="bold", color="white",
        ha="center", **middle,
    )  # fmt: skip
    for i, (label, value) in enumerate(box.lines):
        y = top - head - PAD / 2 - (i + 0.5) * LINE
        axes.text(left + PAD, y, f"{label}:", fontsize=TEXT, color=QUIET, ha="left", **middle)
        axes.text(
            left + place.width - PAD, y, caption(value), fontsize=TEXT, color=INK, ha="right",
            **middle,
        )  # fmt: skip


def _draw_arrow(axes: Any, way: list[tuple[float, float]], *, across: bool) -> None:
    """Draw a line through the points, smooth where it turns, with a head at its end."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    points, codes = [way[0]], [Path.MOVETO]
    for (x0, y0), (x1, y1) in pairwise(way):
        if (y0 if across else x0) == (y1 if across else x1):
            points.append((x1, y1))
            codes.append(Path.LINETO)
            continue
        turn = [((x0 + x1) / 2, y0), ((x0 + x1) / 2, y1)]
        if not across:
            turn = [(x0, (y0 + y1) / 2), (x1, (y0 + y1) / 2)]
        points += [*turn, (x1, y1)]
        codes += [Path.CURVE4] * 3
    line: dict[str, Any] = {"color": EDGE, "linewidth": 1.1, "shrinkA": 0, "shrinkB": 0}
    arrow = FancyArrowPatch(
        path=Path(points, codes), arrowstyle="-|>,head_length=3.5,head_width=2", zorder=1, **line
    )
    axes.add_patch(arrow)
