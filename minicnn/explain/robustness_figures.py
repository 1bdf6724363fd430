"""Figures of robustness: the curves of `robustness`, and what each strength looks like.

matplotlib is imported when a figure is made, so that nothing else needs it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minicnn.explain.image_changes import (
    BY_NAME,
    IMAGE_CHANGES,
    ImageChange,
    changed_images,
    check_images,
    draw,
    find_change,
)
from minicnn.explain.robustness import RobustnessRow
from minicnn.explain.tiles import GAP, empty_figure, show_tiles
from minicnn.support.plots import QUIET, RIGHT, WRONG, caption, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 3  # of panels
FACTORS = (1, 1.25, 1.5, 2, 3, 4)  # that a logarithmic axis names
COLORS = (RIGHT, WRONG, "#e69f00", "#009e73", "#8e5ea2", "#3f3f3f")
MARKERS = ("o", "s", "^", "D", "v", "P")
TILE = 1.05  # width of an image of the sheet with its gap, in inches
TITLE = 1.25  # width of the names beside the rows of the sheet, in tile widths
WORDS = 0.24  # height of the strength above an image of the sheet, in tile widths
UNITS = {"pixels": " px", "sigma in pixels": " px", "degrees": "°", "% of the side": " %"}


def robustness_figure(measured: Mapping[str, Sequence[RobustnessRow]]) -> Figure:
    """Draw the accuracy over the strength of each change, in one panel per change.

    Parameters
    ----------
    measured : the rows of `robustness` by the name of the model; several are drawn into the same
        panels, in different colors. A broken line is the accuracy on the unchanged images

    Returns
    -------
    matplotlib Figure

    Examples
    --------
    >>> rows = [RobustnessRow("unchanged", None, "", 100, 98)]
    >>> rows += [RobustnessRow("rotation", s, "degrees", 100, n) for s, n in [(10, 97), (20, 87)]]
    >>> figure = robustness_figure({"lenet": rows})
    >>> [axes.get_title() for axes in figure.axes]
    ['rotation']
    """
    tried = {row.change for rows in measured.values() for row in rows}
    changes = [change for change in IMAGE_CHANGES if change.name in tried]
    columns = min(COLUMNS, max(1, len(changes)))
    rows = max(1, math.ceil(len(changes) / columns))
    figure = empty_figure(3.9 * columns, 2.7 * rows + 0.8)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in panels[len(changes) :]:
        axes.remove()
    for axes, change in zip(panels, changes, strict=False):
        for k, (name, found) in enumerate(measured.items()):
            _draw_curve(axes, change, found, caption(name), k)
        _label_panel(axes, change)
    for axes in panels[::columns]:
        axes.set_ylabel("accuracy in %")
    if changes:
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=4, frameon=False)
    return figure


def robustness_sheet(image: np.ndarray, changes: Sequence[str] = tuple(BY_NAME)) -> Figure:
    """Draw an image after each change: a row per change, from the unchanged image to the strongest.

    Parameters
    ----------
    image : uint8 (H, W, C)
    changes : names of the changes to draw; default: all of `IMAGE_CHANGES`

    Returns
    -------
    matplotlib Figure

    Examples
    --------
    >>> figure = robustness_sheet(np.zeros((28, 28, 1), np.uint8), ["rotation"])
    >>> [text.get_text() for text in figure.axes[0].texts][:3]
    ['unchanged', '5°', '10°']
    """
    image = check_images(image[None])[0]
    rows = [_sheet_row(image, find_change(name)) for name in changes]
    columns = max(map(len, rows))
    blank = np.full_like(image, 255)
    tiles = [
        (word, tile) for row in rows for word, tile in row + [("", blank)] * (columns - len(row))
    ]
    height = image.shape[0] / image.shape[1] + WORDS + GAP
    figure = new_figure(TILE * (columns + TITLE), TILE / (1 + GAP) * height * len(rows) + 0.1)
    axes, stacked = figure.subplots(), np.stack([tile for _, tile in tiles])
    places = show_tiles(axes, stacked, columns, above=WORDS, cmap="gray", vmin=0, vmax=255)
    axes.set_xlim(-TITLE * (1 + GAP), columns * (1 + GAP) - GAP)
    for (words, _), place in zip(tiles, places, strict=True):
        place.above(words, color=QUIET, fontsize=9)
    for name, place in zip(changes, places[::columns], strict=True):
        middle = (place.top + place.bottom) / 2
        axes.text(-TITLE * (1 + GAP), middle, name, va="center", fontsize=13)
    return figure


def _sheet_row(image: np.ndarray, change: ImageChange) -> list[tuple[str, np.ndarray]]:
    """Return the unchanged image and that of each strength, with the words above them."""
    strengths = change.strengths_of(image.shape)
    changed = (changed_images(image[None], change.name, strength)[0] for strength in strengths)
    divided = draw(change.name, 1)[0] < 0.5
    words = (_with_unit(change, strength, divided) for strength in strengths)
    return [("unchanged", image), *zip(words, changed, strict=True)]


def _with_unit(change: ImageChange, strength: float, divided: bool) -> str:
    """Return a strength for the sheet; `divided` says what was done with a factor.

    >>> [_with_unit(BY_NAME[name], 2, True) for name in ("shift", "scale", "noise", "JPEG")]
    ['2 px', '÷ 2', '± 2', 'quality 2']
    """
    if change.is_factor:
        return f"{'÷' if divided else '×'} {strength:g}"
    if change.unit in UNITS:
        return f"{strength:g}{UNITS[change.unit]}"
    return f"± {strength:g}" if change.unit == "gray levels" else f"{change.unit} {strength:g}"


def _draw_curve(
    axes: Axes, change: ImageChange, rows: Sequence[RobustnessRow], name: str, k: int
) -> None:
    """Draw the curve of one model, from the unchanged images on."""
    color, marker = COLORS[k % len(COLORS)], MARKERS[k % len(MARKERS)]
    before = 100 * rows[0].accuracy
    points = [(row.strength, 100 * row.accuracy) for row in rows if row.change == change.name]
    strengths, accuracies = zip((change.unchanged, before), *points, strict=True)
    axes.axhline(before, color=color, linewidth=1, linestyle=(0, (4, 3)), alpha=0.7)
    style: dict[str, Any] = {"color": color, "zorder": 3 - 0.01 * k}  # the first lies on the others
    axes.plot(
        strengths, accuracies, marker=marker, markersize=4.5, linewidth=2, label=name, **style
    )


def _label_panel(axes: Axes, change: ImageChange) -> None:
    axes.set_title(change.name, fontsize=13)
    axes.set_ylim(0, 103)
    axes.set_xlabel("factor, × or ÷" if change.is_factor else change.unit)
    if change.is_factor:
        _label_factors(axes, change)
    if change.strengths[-1] < change.strengths[0]:
        axes.invert_xaxis()
    axes.grid(color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _label_factors(axes: Any, change: ImageChange) -> None:
    """Show factors on a logarithmic axis, on which 2 is as far from 1 as 4 is from 2."""
    ticks = [factor for factor in FACTORS if factor <= change.strengths[-1]]
    axes.set_xscale("log")
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_xticks([], minor=True)
