"""Figures. matplotlib is imported when the first one is drawn."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from typing import Any

from minicnn.installed import missing_extra
from minicnn.support.atomic_files import write_atomically
from minicnn.support.text import printable

# The colors of all figures except the papers' curves; they differ for the color-blind too.
RIGHT, WRONG, QUIET = "#2c6fa6", "#c0392b", "#777777"

Curves = Mapping[str, Sequence[float]]


def plot_history(
    history: Curves, epochs: Sequence[int], path: str | os.PathLike[str] | None = None
) -> Any:
    """Draw the loss curves and, if there are any, the accuracy curves beside them.

    Parameters
    ----------
    history : values per epoch by name, as `History.history`
    epochs : the epochs, counted from 0; the axis counts from 1
    path : file to which the figure is also written, in the format of its extension

    Returns
    -------
    matplotlib.figure.Figure
    """
    accuracies = {name: name for name in ("accuracy", "val_accuracy") if name in history}
    panels = 2 if accuracies else 1
    figure = new_figure(8 * panels, 6)
    axes = figure.subplots(1, panels, squeeze=False)[0]
    shown = [epoch + 1 for epoch in epochs]
    labels = {"loss": "Training loss", "val_loss": "Validation Loss"}
    _draw(axes[0], history, shown, labels, "Loss")
    if accuracies:
        labels = {"accuracy": "Training Accuracy", "val_accuracy": "Validation Accuracy"}
        _draw(axes[1], history, shown, labels, "Accuracy")
    if path is not None:
        save_figure(figure, path)
    return figure


def save_figure(figure: Any, path: str | os.PathLike[str]) -> None:
    """Write a matplotlib figure atomically, in the format of the file's extension (default PNG)."""
    kind = os.path.splitext(path)[1].lstrip(".")
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind or "png")
    write_atomically(path if kind else f"{os.fspath(path)}.png", [buffer.getbuffer()])


def new_figure(width: float, height: float, dpi: int = 100) -> Any:
    """Return an empty matplotlib figure without a window; `width` and `height` are in inches."""
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as err:
        raise missing_extra("plotting needs matplotlib", "plot") from err
    return Figure(figsize=(width, height), dpi=dpi, layout="constrained")


def caption(text: object) -> str:
    """Escape a name for matplotlib, which would read a pair of $ as a formula."""
    return printable(text).replace("$", r"\$")


def _draw(axes: Any, history: Curves, epochs: list[int], labels: dict[str, str], what: str) -> None:
    """Draw one panel: training in red, validation in blue."""
    for (name, label), color in zip(labels.items(), ("red", "blue"), strict=True):
        if name in history:
            values = history[name]
            # A line through a single point would be invisible.
            marker = "o" if len(values) == 1 else None
            last = epochs[-len(values) :] if len(values) else []
            axes.plot(last, values, color=color, linewidth=3.0, label=label, marker=marker)
    axes.set_xlabel("Epochs", fontsize=16)
    axes.set_ylabel(what, fontsize=16)
    axes.set_title(f"{what} Curves", fontsize=16)
    axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    if axes.lines:
        axes.legend(fontsize=18)
