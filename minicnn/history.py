"""History: the curves of a training."""

from __future__ import annotations

import csv
import io
import math
import os
from typing import Any

from minicnn.callbacks.base import ALIASES, Callback, Logs
from minicnn.checks import check_int
from minicnn.support import plots
from minicnn.support.atomic_files import write_text


class Curves(dict[str, list[float]]):
    """{name: one value per epoch}; the older names "acc", "val_acc" and "lr" work too."""

    def __missing__(self, name: str) -> list[float]:
        if ALIASES.get(name) in self:
            return self[ALIASES[name]]
        raise KeyError(f"{name!r}; this training measured {sorted(self)}")


class History(Callback):
    """Records the logs of every epoch; `fit` returns it.

    Attributes
    ----------
    history : {"loss": [...], "accuracy": [...], "val_loss": [...], ...}
    epoch : the epochs, counted from 0
    params : {"epochs": ..., "steps": ...} of the training
    """

    adds_logs = False

    def __init__(self) -> None:
        self.history = Curves()
        self.epoch: list[int] = []
        self.params: dict[str, Any] = {}
        self.rows: list[Logs] = []  # per epoch, because a curve may lack values

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Append the logs of the epoch."""
        row = {name: float(value) for name, value in (logs or {}).items()}
        self.epoch.append(epoch)
        self.rows.append(row)
        for name, value in row.items():
            self.history.setdefault(name, []).append(value)

    def get_state(self) -> dict[str, Any]:
        """Return all rows; NaN and infinity become text, because JSON has no number for them."""
        rows = [{name: _to_json(value) for name, value in row.items()} for row in self.rows]
        return {"epoch": list(self.epoch), "rows": rows}

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore what `get_state` returned."""
        self.history, self.epoch, self.rows = Curves(), [], []
        for epoch, row in zip(state["epoch"], state["rows"], strict=True):
            self.on_epoch_end(check_int(epoch, "epoch", 0), row)

    def plot(self, path: str | os.PathLike[str] | None = None) -> Any:
        """Return a matplotlib figure of loss and accuracy; it is also written to `path` if given.

        Raises
        ------
        MissingExtraError : matplotlib is not installed
        """
        return plots.plot_history(self.history, self.epoch, path)

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write one row per epoch: the epoch, from 0, and the value of every curve that has one."""
        text = io.StringIO()
        writer = csv.DictWriter(text, ["epoch", *self.history], lineterminator="\n")
        writer.writeheader()
        for epoch, row in zip(self.epoch, self.rows, strict=True):
            writer.writerow({"epoch": epoch, **row})
        write_text(path, text.getvalue())


def joined(earlier: dict[str, list[float]], last: History | None) -> dict[str, list[float]]:
    """Return the curves of all trainings so far, with one value per epoch; NaN if there is none.

    >>> joined({"loss": [3.0]}, None)
    {'loss': [3.0]}
    """
    before = max((len(curve) for curve in earlier.values()), default=0)
    rows = [] if last is None else last.rows
    names = dict.fromkeys([*earlier, *(name for row in rows for name in row)])
    curves = {name: list(earlier.get(name, [math.nan] * before)) for name in names}
    for row in rows:
        for name, curve in curves.items():
            curve.append(row.get(name, math.nan))
    return curves


def numbers(curves: dict[str, Any]) -> dict[str, list[float]]:
    """Return curves from a file, which has null where a value was not finite."""
    return {
        str(name): [math.nan if value is None else float(value) for value in curve]
        for name, curve in curves.items()
    }


def _to_json(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)
