"""The figures of the model of scaling: how well it fits what was measured, and what it predicts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from minicnn.support.plots import new_figure
from scaling.predictions import GIGABITS, RANKS, Model, Point

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TOLERANCE = 0.15
COLORS = {  # of networks
    "lenet": "#2563eb",
    "cifar": "#16a34a",
    "scene": "#ea580c",
    "xray": "#9333ea",
    "photo": "#dc2626",
}
PLACES = {"memory": "o", "loopback": "s", "namespaces": "D"}
PLACE_NAMES = {
    "memory": "shared memory",
    "loopback": "TCP, loopback",
    "namespaces": "TCP, namespaces",
}
RATES = {10: "#2563eb", 100: "#ea580c"}


def plot_check(path: Path, model: Model, rows: list[dict[str, Any]], processors: int) -> None:
    """Draw measured against predicted times of a step, and the speedup in shared memory."""
    figure = new_figure(11, 4.6)
    left, right = figure.subplots(1, 2)
    _draw_times(left, rows)
    _draw_speedups(right, model, [row for row in rows if row["place"] == "memory"])
    right.set_title(f"speedup in shared memory, {processors} processors", fontsize=10)
    figure.savefig(path, dpi=130)


def _draw_times(axes: Axes, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        axes.plot(
            1e3 * row["predicted"],
            1e3 * row["seconds"],
            PLACES[row["place"]],
            color=COLORS[row["network"]],
            markersize=4 + row["ranks"],
            alpha=0.75,
            markeredgewidth=0,
        )
    ends = np.array([1.0, 2000.0])
    axes.plot(ends, ends, color="black", linewidth=0.8)
    axes.fill_between(ends, (1 - TOLERANCE) * ends, (1 + TOLERANCE) * ends, color="0.88", zorder=0)
    axes.set(xscale="log", yscale="log", xlabel="predicted, ms per step", xlim=ends, ylim=ends)
    axes.set_ylabel("measured, ms per step")
    axes.set_title("1, 2 and 4 ranks (larger markers); band: 15 %", fontsize=10)
    for name in {row["network"]: None for row in rows}:
        axes.plot([], [], "o", color=COLORS[name], label=name)
    for place in {row["place"]: None for row in rows}:
        axes.plot([], [], PLACES[place], color="0.4", label=PLACE_NAMES[place])
    axes.legend(fontsize=8, frameon=False)


def _draw_speedups(axes: Axes, model: Model, rows: list[dict[str, Any]]) -> None:
    for name in {row["network"]: None for row in rows}:
        own = [row for row in rows if row["network"] == name]
        ranks = [row["ranks"] for row in own]
        predicted = [model.training(name, count, "memory").seconds for count in ranks]
        axes.plot(ranks, predicted[0] / np.array(predicted), color=COLORS[name], linewidth=1)
        measured = np.array([row["seconds"] for row in own])
        axes.plot(ranks, measured[0] / measured, "o", color=COLORS[name], label=name)
    axes.set(xscale="log", xlabel="ranks; lines: predicted, dots: measured", ylim=(0, 2.3))
    _power_ticks(axes, [1, 2, 4])
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, frameon=False, loc="lower right")


def plot_predictions(path: Path, model: Model, names: list[str]) -> None:
    """Draw the efficiency of weak and of strong scaling of each network."""
    figure = new_figure(2.9 * len(names) + 0.6, 6)
    rows = figure.subplots(2, len(names), sharex=True, sharey=True, squeeze=False)
    for scaling, row in zip(("weak", "strong"), rows, strict=True):
        for name, axes in zip(names, row, strict=True):
            _draw_efficiency(axes, getattr(model, scaling), name)
            if scaling == "weak":
                axes.set_title(name, fontsize=11)
            else:
                axes.set_xlabel("ranks")
        row[0].set_ylabel(f"efficiency, {scaling} scaling")
    rows[0][0].legend(fontsize=8, frameon=False, loc="lower left")
    figure.savefig(path, dpi=120)


def _draw_efficiency(axes: Axes, scaling: Callable[..., list[Point]], name: str) -> None:
    for gigabits in GIGABITS:
        for overlap, style in ((True, "-"), (False, "--")):
            points = scaling(name, gigabits, overlap=overlap)
            axes.plot(
                [point.ranks for point in points],
                [point.efficiency for point in points],
                style,
                color=RATES[gigabits],
                linewidth=1.8 if overlap else 1,
                label=f"{gigabits} Gbit/s{'' if overlap else ', no overlap'}",
            )
    axes.set(xscale="log", ylim=(0, 1.05))
    _power_ticks(axes, RANKS[::2])
    axes.grid(alpha=0.3)


def _power_ticks(axes: Axes, ticks: list[int]) -> None:
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.minorticks_off()
