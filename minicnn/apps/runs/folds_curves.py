"""The loss and accuracy curves of all folds of a cross-validation in one figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from minicnn.support.plots import QUIET, RIGHT, new_figure

Curves = Mapping[str, Sequence[float]]
PANELS = {"Loss": ("loss", "val_loss"), "Accuracy": ("accuracy", "val_accuracy")}


def fold_curves(histories: Sequence[Curves], best_epochs: Sequence[int]) -> Any:
    """Draw a thin line per fold and a thick line for their mean: training gray, validation blue.

    Parameters
    ----------
    histories : values per epoch by name, of each fold; folds may have stopped at different epochs
    best_epochs : the epoch of each fold's model, counted from 1, which gets a dot

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = new_figure(16, 6)
    for axes, (title, names) in zip(figure.subplots(1, 2), PANELS.items(), strict=True):
        for name, color, label in zip(
            names, (QUIET, RIGHT), ("training", "validation"), strict=True
        ):
            _draw([one[name] for one in histories], axes, color, label)
        for history, epoch in zip(histories, best_epochs, strict=True):
            axes.plot(epoch, history[names[1]][epoch - 1], "o", color=RIGHT, markersize=7)
        axes.plot([], [], "o", color=RIGHT, markersize=7, label="best epoch of a fold")
        axes.set_title(f"{title} of {len(histories)} folds", fontsize=16)
        axes.set_xlabel("epoch", fontsize=14)
        axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        axes.grid(color="#e6e6e6", linewidth=0.8)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(fontsize=13, framealpha=0.9)
    return figure


def _draw(curves: Sequence[Sequence[float]], axes: Any, color: str, label: str) -> None:
    """Draw the curves of one name, and their mean over the epochs that all folds have."""
    marker = "." if max(map(len, curves)) == 1 else None  # a line of one point is invisible
    for curve in curves:
        epochs = range(1, len(curve) + 1)
        axes.plot(epochs, curve, color=color, linewidth=1.0, alpha=0.5, marker=marker)
    length = min(map(len, curves))
    mean = np.mean([curve[:length] for curve in curves], axis=0)
    axes.plot(
        range(1, length + 1), mean, color=color, linewidth=3.0, label=f"{label}, mean of the folds"
    )
