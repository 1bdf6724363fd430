"""History: the curves of a training."""

from __future__ import annotations

import csv
import io
import math
import os
from typing import Any

from minicnn.callbacks.base import Callback, Logs
from minicnn.callbacks.monitor import ALIASES
from minicnn.checks import check_int, quoted
from minicnn.errors import ArgumentError
from minicnn.support import plots
from minicnn.support.atomic_files import write_text


class Curves(dict[str, list[float]]):
    """{name: one value per epoch}; the older names "acc", "val_acc" and "lr" work too."""

    def __missing__(self, name: str) -> list[float]:
        if ALIASES.get(name) in self:
            return self[ALIASES[name]]
        raise KeyError(f"{name!r}; this training measured {sorted(self)}")


class History(Callback):
    """Records the logs of every epoch; `fit` makes one and returns it, unless it is given one.

    Attributes
    ----------
    history : {"accuracy": [...], "loss": [...], "val_accuracy": [...], ...}; a value that is not
        measured in every epoch has a shorter list
    epoch : the epochs, counted from 0
    params : {"verbose": ..., "epochs": ..., "steps": ...} of the training
    """

    adds_logs = False

    def __init__(self) -> None:
        self.params = {}
        self.history = Curves()
        self.epoch: list[int] = []
        self.rows: list[Logs] = []  # per epoch, because a curve may lack values

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Count the epochs anew; the curves of an earlier training are continued."""
        self.epoch, self.rows = [], []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Append the logs of the epoch."""
        row = {name: _number(name, value) for name, value in (logs or {}).items()}
        self.epoch.append(epoch)
        self.rows.append(row)
        for name, value in row.items():
            self.history.setdefault(name, []).append(value)

    def complete(self, epoch: int, logs: Logs) -> None:
        """Record what was added to the logs, or changed in them, after `on_epoch_end` had them."""
        if not self.epoch or self.epoch[-1] != epoch:
            return
        row = self.rows[-1]
        for name, given in logs.items():
            value = _number(name, given)
            if name not in row:
                self.history.setdefault(name, []).append(value)
            elif value != row[name]:
                self.history[name][-1] = value
            row[name] = value

    def get_state(self) -> dict[str, Any]:
        """Return all rows; NaN and infinity become text, because JSON has no number for them."""
        rows = [{name: _to_json(value) for name, value in row.items()} for row in self.rows]
        return {"epoch": list(self.epoch), "rows": rows}

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore what `get_state` returned."""
        self.history, self.epoch, self.rows = Curves(), [], []
        for epoch, row in zip(state["epoch"], state["rows"], strict=True):
            numbers = {name: float(value) for name, value in row.items()}
            self.on_epoch_end(check_int(epoch, "epoch", 0), numbers)

    def plot(self, path: str | os.PathLike[str] | None = None, *, epochs: int | None = None) -> Any:
        """Return a matplotlib figure of loss and accuracy by epoch.

        Parameters
        ----------
        path : file to which the figure is also written
        epochs : draw only this many epochs, the first ones; default: all

        Raises
        ------
        MissingExtraError : matplotlib is not installed
        """
        count = None if epochs is None else check_int(epochs, "epochs")
        return plots.plot_history(aligned(self.rows[:count]), self.epoch[:count], path)

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write one row per epoch: the epoch, from 0, and the value of every curve that has one."""
        text = io.StringIO()
        writer = csv.DictWriter(text, ["epoch", *aligned(self.rows)], lineterminator="\n")
        writer.writeheader()
        for epoch, row in zip(self.epoch, self.rows, strict=True):
            writer.writerow({"epoch": epoch, **row})
        write_text(path, text.getvalue())


def aligned(rows: list[Logs]) -> dict[str, list[float]]:
    """Return {name: one value per row}, NaN where a row has none.

    >>> aligned([{"loss": 2.0}, {"loss": 1.0, "val_loss": 3.0}])
    {'loss': [2.0, 1.0], 'val_loss': [nan, 3.0]}
    """
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name, math.nan) for row in rows] for name in names}


def _number(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError) as err:
        raise ArgumentError(
            f"the logs of an epoch hold numbers; {name!r} is {quoted(value)}: keep other things in "
            "attributes of the callback"
        ) from err


def _to_json(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)
