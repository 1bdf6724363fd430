"""Draw the results of a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from minicnn.support.plots import new_figure
from peers.networks import NETWORKS
from peers.results import Case, Result, Run, best, cases, peers_of, ratio
from peers.targets import ROWS, Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLORS = {
    "native": "#d62728",
    "native-avx2": "#e8787a",
    "numpy": "#ffc0bf",
    "tensorflow": "#ff7f0e",
    "keras": "#b35806",
    "torch": "#7f4fc9",
    "jax": "#2a9d8f",
    "onnxruntime": "#4a7fc1",
    "openvino": "#163a70",
}

MAX_WIDTH = 0.16  # of a bar; cases are 1 apart
COLUMNS = 4  # panels per row of the summary


def plot_run(path: Path, run: Run) -> None:
    """Draw each engine's best variant as a bar: its speed relative to the best peer."""
    groups = list(cases(run.results).items())
    figure = new_figure(3 + 2.2 * len(groups), 4.6)
    axes = figure.subplots()
    for place, (_, group) in enumerate(groups):
        _bars(axes, place, group)
    axes.axhline(1, color="black", linewidth=0.8, linestyle=":")
    axes.set_ylim(top=axes.get_ylim()[1] * 1.2)  # room for the numbers
    axes.set_xticks(range(len(groups)), [_label(case) for case, _ in groups])
    axes.set_ylabel("times as fast as the best peer\n(numbers: images per second)")
    present = [engine for engine in COLORS if any(r.engine == engine for r in run.results)]
    handles = [axes.bar(0, 0, color=COLORS[engine]) for engine in present]
    axes.legend(handles, present, fontsize=8, ncols=2)
    about = run.about
    figure.suptitle(
        f"{run.network}: {about['processor']}, {about['threads']} threads; best variants",
        fontsize=9,
    )
    figure.savefig(path, dpi=130)


def plot_summary(path: Path, runs: list[Run]) -> None:
    """Draw one panel per row of the summary, with one bar per network and lines for targets."""
    runs = sorted(runs, key=lambda run: list(NETWORKS).index(run.network))
    rows = [row for row in ROWS if any(row.figure(run) is not None for run in runs)]
    if not rows:  # no peer was installed to compare with
        return
    height = -(-len(rows) // COLUMNS)
    figure = new_figure(3 * COLUMNS, 2.7 * height)
    places = np.ravel(figure.subplots(height, COLUMNS))
    for axes in places[len(rows) :]:
        axes.set_axis_off()
    for axes, row in zip(places, rows, strict=False):
        _targets(axes, row, runs)
    figure.suptitle("minicnn native; the lines are its targets", fontsize=10)
    figure.savefig(path, dpi=130)


def _targets(axes: Axes, row: Row, runs: list[Run]) -> None:
    for place, run in enumerate(runs):
        figure = row.figure(run)
        if figure is not None:
            missed = row.is_met(run.network, figure) is False
            bar = axes.bar(place, figure, color="#e8787a" if missed else "#d62728")
            axes.bar_label(bar, [f"{figure:.2f}"], fontsize=7)
        if run.network in row.targets:
            target = row.targets[run.network]
            axes.plot([place - 0.45, place + 0.45], [target, target], color="black", linewidth=1.2)
    axes.margins(y=0.12)
    axes.set_xticks(range(len(runs)), [run.network for run in runs], fontsize=8)
    axes.set_title(row.name, fontsize=9)


def _bars(axes: Axes, place: int, group: Sequence[Result]) -> None:
    results = list(group)
    rival = best(results, peers_of(results))
    shown = [(e, r) for e in COLORS if (r := best(results, (e,))) is not None]
    width = min(0.85 / len(shown), MAX_WIDTH)
    for i, (engine, result) in enumerate(shown):
        x = place + (i - (len(shown) - 1) / 2) * width
        bar = axes.bar(x, ratio(result, rival) or 1.0, width, color=COLORS[engine])
        speed = result.images_per_second
        text = f"{speed:,.0f}" if speed >= 100 else f"{speed:.1f}"
        axes.bar_label(bar, [text], fontsize=6, rotation=90, padding=3)


def _label(case: Case) -> str:
    return str(case).replace(", ", "\n")
