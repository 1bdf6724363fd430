"""The reliability diagram: how often predictions of each probability are right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minicnn.apps.runs.calibrating import CalibrationCheck
from minicnn.metrics.calibration import BINS, Bin
from minicnn.support.plots import QUIET, RIGHT, new_figure

LARGEST = 420  # area of the dot of a bin that has all images, in points


def reliability_figure(check: CalibrationCheck) -> Any:
    """Draw accuracy by probability, before and after the calibration.

    A dot is as large as the share of the images that it stands for.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = new_figure(6.4, 5.6)
    axes = figure.subplots()
    axes.plot([0, 100], [0, 100], color=QUIET, linewidth=1, linestyle="--", label="perfect")
    _draw(axes, check.points_before, "before", {"facecolor": "white", "edgecolor": QUIET})
    _draw(axes, check.points, "calibrated", {"color": RIGHT})
    axes.set_xlabel("probability of the predicted class, %", fontsize=11)
    axes.set_ylabel("predictions that are right, %", fontsize=11)
    axes.set_xticks(range(0, 101, 100 // BINS))
    axes.set_xlim(0, 103)
    axes.set_ylim(0, 103)
    axes.grid(color="#e4e4e4")
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for handle in axes.legend(loc="upper left", frameon=False, fontsize=11).legend_handles[1:]:
        handle.set_sizes([60])
    return figure


def _draw(axes: Any, points: Sequence[Bin], label: str, style: dict[str, str]) -> None:
    total = sum(point.images for point in points)
    x = [100 * point.confidence for point in points]
    y = [100 * point.accuracy for point in points]
    sizes = [25 + LARGEST * point.images / total for point in points]
    axes.plot(x, y, color=style.get("color", QUIET), linewidth=1, alpha=0.6)
    axes.scatter(x, y, s=sizes, label=label, zorder=3, alpha=0.85, **style)
