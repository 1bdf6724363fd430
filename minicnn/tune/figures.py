"""Figures of a search: its progress, the effect of each hyperparameter, the learning curves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from minicnn.errors import ArgumentError
from minicnn.support.plots import QUIET, RIGHT, WRONG, caption, new_figure
from minicnn.tune.results import Result, names_of

BEST, COMPLETE, PRUNED = WRONG, RIGHT, QUIET  # red, blue, gray
COLUMNS = 3
LOG_RANGE = 30  # floats whose largest is this many times the smallest get a logarithmic axis


def progress_figure(results: Sequence[Result], objective: str, direction: str) -> Any:
    """Draw the score of each trial and the best score so far, by trial number."""
    rows = sorted(_scored(results), key=lambda one: one.number)
    figure = new_figure(9, 5)
    axes = figure.subplots()
    for state, color in (("pruned", PRUNED), ("complete", COMPLETE)):
        own = [one for one in rows if one.state == state]
        if own:
            axes.scatter([r.number for r in own], [r.score for r in own], c=color, label=state)
    better = max if direction == "max" else min
    done = [one for one in rows if one.state == "complete"]
    best = [better(one.score for one in done[: i + 1]) for i in range(len(done))]
    axes.step([one.number for one in done], best, BEST, where="post", label="best so far")
    axes.set(xlabel="trial", ylabel=objective)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, frameon=False)
    return figure


def values_figure(results: Sequence[Result], objective: str) -> Any:
    """Draw the trials' scores against the value of each hyperparameter, one panel for each."""
    rows = _scored(results)
    names = names_of(rows)
    columns = max(1, min(COLUMNS, len(names)))
    lines = max(1, math.ceil(len(names) / columns))
    figure = new_figure(4 * columns, 3 * lines)
    panels = figure.subplots(lines, columns, squeeze=False, sharey=True).ravel()
    for panel, name in zip(panels, names, strict=False):
        own = [one for one in rows if name in one.values]
        values = [one.values[name] for one in own]
        named = any(isinstance(value, (str, bool, type(None))) for value in values)
        if named:
            values = [str(value) for value in values]
        colors = [COMPLETE if one.state == "complete" else PRUNED for one in own]
        panel.scatter(values, [one.score for one in own], c=colors)
        panel.set_xlabel(caption(name))
        _scale_values(panel, values, named)
    if any(one.state == "pruned" for one in rows):
        figure.suptitle("Gray: pruned trials", fontsize=10)
    for panel in panels[len(names) :]:
        panel.set_axis_off()
    for first in panels[::columns]:
        first.set_ylabel(objective)
    return figure


def curves_figure(results: Sequence[Result], objective: str) -> Any:
    """Draw each trial's objective by epoch: the best trial red, pruned ones gray."""
    rows = _scored(results)
    figure = new_figure(9, 5)
    axes = figure.subplots()
    for rank, one in reversed(list(enumerate(rows))):
        complete = one.state == "complete"
        color = BEST if rank == 0 and complete else COMPLETE if complete else PRUNED
        epochs = [step + 1 for step in one.curve]
        style = {"color": color, "marker": ".", "alpha": 1.0 if color == BEST else 0.5}
        axes.plot(epochs, list(one.curve.values()), linewidth=1.2, **style)
    axes.set(xlabel="epoch", ylabel=objective, title="Best trial: red; pruned trials: gray")
    axes.xaxis.get_major_locator().set_params(integer=True)
    return figure


def _scale_values(panel: Any, values: Sequence[Any], named: bool) -> None:
    """Fit a panel's x axis to names, to integers, or to floats of several orders of magnitude."""
    if named:
        panel.set_xlim(-0.5, len(set(values)) - 0.5)
    elif all(isinstance(value, int) for value in values):
        panel.xaxis.get_major_locator().set_params(integer=True)
    elif min(values) > 0 and max(values) > LOG_RANGE * min(values):
        panel.set_xscale("log")


def _scored(results: Sequence[Result]) -> list[Result]:
    found = [one for one in results if not math.isnan(one.score)]
    if not found:
        raise ArgumentError("no trial of this search has a score yet")
    return found
