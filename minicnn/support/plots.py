"""Pictures of a training. matplotlib is imported when the first one is drawn."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from typing import Any

from minicnn.installed import missing_extra
from minicnn.support.atomic_files import write_atomically
from minicnn.support.text import printable

# Of every picture but the papers' curves; told apart also by those who see no red or no green.
RIGHT, WRONG, QUIET = "#2c6fa6", "#c0392b", "#777777"

Curves = Mapping[str, Sequence[float]]


def plot_history(
    history: Curves, epochs: Sequence[int], path: str | os.PathLike[str] | None = None
) -> Any:
    """Loss curves, and next to them accuracy curves if there are any.

    Parameters
    ----------
    history : as `History.history`
    epochs : numbers of the epochs, from 0; the axis counts from 1
    path : where to write the picture as well; its extension says the format

    Returns
    -------
    matplotlib.figure.Figure
    """
    accuracies = {name: name for name in ("accuracy", "val_accuracy") if name in history}
    panels = 2 if accuracies else 1
    figure = new_figure(8 * panels, 6)
    axes = figure.subplots(1, panels, squeeze=False)[0]
    numbers = [epoch + 1 for epoch in epochs]
    labels = {"loss": "Training loss", "val_loss": "Validation Loss"}
    _draw(axes[0], history, numbers, labels, "Loss")
    if accuracies:
        labels = {"accuracy": "Training Accuracy", "val_accuracy": "Validation Accuracy"}
        _draw(axes[1], history, numbers, labels, "Accuracy")
    if path is not None:
        save_figure(figure, path)
    return figure


def save_figure(figure: Any, path: str | os.PathLike[str]) -> None:
    """Write a matplotlib figure, whole or not at all; its ending says as what, default: PNG."""
    kind = os.path.splitext(path)[1].lstrip(".")
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind or "png")
    write_atomically(path if kind else f"{os.fspath(path)}.png", [buffer.getbuffer()])


def new_figure(width: float, height: float, dpi: int = 100) -> Any:
    """An empty matplotlib figure of so many inches; no window opens and no state is shared."""
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as err:
        raise missing_extra("plotting needs matplotlib", "plot") from err
    return Figure(figsize=(width, height), dpi=dpi, layout="constrained")


def caption(text: object) -> str:
    """A name as matplotlib writes it: as it is, where a pair of $ would make a formula of it."""
    return printable(text).replace("$", r"\$")


def _draw(
    axes: Any, history: Curves, numbers: list[int], labels: dict[str, str], what: str
) -> None:
    """One panel: the training in red, the validation in blue."""
    for (name, label), color in zip(labels.items(), ("red", "blue"), strict=True):
        if name in history:
            values = history[name]
            # A single point has no line to be seen.
            marker = "o" if len(values) == 1 else None
            last = numbers[-len(values) :] if len(values) else []
            axes.plot(last, values, color=color, linewidth=3.0, label=label, marker=marker)
    axes.set_xlabel("Epochs", fontsize=16)
    axes.set_ylabel(what, fontsize=16)
    axes.set_title(f"{what} Curves", fontsize=16)
    axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    if axes.lines:
        axes.legend(fontsize=18)
