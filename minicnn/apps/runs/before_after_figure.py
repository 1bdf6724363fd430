"""A figure of the accuracy of each class before and after continual learning."""

from __future__ import annotations

from typing import Any

from minicnn.apps.runs.before_after import BeforeAfter, Change
from minicnn.support.plots import QUIET, RIGHT, WRONG, caption, new_figure

ROW, MARGIN = 0.42, 1.5  # height of a row and of everything else, in inches
MOST = 60  # rows; more would make a figure that no screen shows


def before_after_figure(changes: BeforeAfter) -> Any:
    """Draw one row per class: the accuracy before as a ring, that after as a dot, and the change.

    At most 60 classes are drawn, those with the largest losses.

    Returns
    -------
    matplotlib.figure.Figure
    """
    totals = [] if changes.known is None else [changes.known]
    rows = [*_worst(changes.classes), *totals]
    figure = new_figure(8.5, MARGIN + ROW * len(rows))
    axes = figure.subplots()
    _beside(axes, -0.95, "points", QUIET)
    for y, row in enumerate(rows):
        _draw_row(axes, y, row)
    if totals:
        axes.axhline(len(rows) - 1.5, color=QUIET, linewidth=0.8)
    axes.set_yticks(range(len(rows)), [caption(row.cells[0]) for row in rows], fontsize=11)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlabel("test images that are right, %", fontsize=11)
    axes.grid(axis="x", color="#e4e4e4")
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
    _draw_legend(axes, changes.start)
    return figure


def _worst(classes: list[Change]) -> list[Change]:
    """Return the rows to draw, in their order."""
    if len(classes) <= MOST:
        return classes
    by_loss = sorted(classes, key=lambda row: row.points or 0.0)[:MOST]
    return [row for row in classes if row in by_loss]


def _draw_row(axes: Any, y: int, row: Change) -> None:
    after = 100 * row.after
    if row.before is not None:
        before = 100 * row.before
        color = RIGHT if after >= before else WRONG
        axes.plot([before, after], [y, y], color=color, linewidth=3, alpha=0.45, zorder=2)
        axes.scatter(before, y, s=70, facecolor="white", edgecolor=QUIET, linewidth=2, zorder=3)
    axes.scatter(after, y, s=85, color=RIGHT, zorder=4)
    _beside(axes, y, "new" if row.points is None else f"{row.points:+.1f}")


def _beside(axes: Any, y: float, text: str, color: str = "black") -> None:
    """Write to the right of the axes."""
    place = axes.get_yaxis_transform()
    axes.text(1.015, y, text, transform=place, va="center", color=color, fontsize=11)


def _draw_legend(axes: Any, start: str) -> None:
    axes.scatter([], [], s=70, facecolor="white", edgecolor=QUIET, linewidth=2,
                 label=f"before: {caption(start)}")  # fmt: skip
    axes.scatter([], [], s=85, color=RIGHT, label="after")
    axes.legend(
        loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False, fontsize=11,
        handletextpad=0.2, borderaxespad=0.2,
    )  # fmt: skip
