"""What callbacks do that watch one value of the logs: find it, and compare it with the best."""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection
from typing import Any

from minicnn.callbacks.base import Callback, Logs, Trainer
from minicnn.checks import check_int, check_number, quoted, warn_caller
from minicnn.errors import ArgumentError

# Names that older scripts use.
ALIASES = {"acc": "accuracy", "val_acc": "val_accuracy", "lr": "learning_rate"}
# A value whose name contains one of these is better when it is larger, unless it is a loss.
RISING = (
    "acc", "auc", "precision", "recall", "f1", "fbeta", "f_beta", "iou", "io_u", "r2_score",
    "correlation", "cosine_similarity", "sensitivity", "specificity", "true_",
)  # fmt: skip


class Monitor:
    """Compares one value of the logs with the best so far; NaN and infinity are never better."""

    def __init__(self, owner: str, name: str, mode: str, min_delta: float = 0.0) -> None:
        if not isinstance(name, str):
            raise ArgumentError(f"monitor must be a name in the logs; got {quoted(name)}")
        if mode not in ("auto", "min", "max"):
            raise ArgumentError(f'mode must be "auto", "min" or "max"; got {quoted(mode)}')
        self.owner, self.name, self.mode = owner, name, mode
        rising = mode == "max" or (mode == "auto" and _rises(name))
        self.sign = 1.0 if rising else -1.0
        self.min_delta = abs(min_delta)
        self.best: float | None = None

    def found_in(self, names: Collection[str]) -> str | None:
        """Return the monitored name as it is among these names, None if it is not.

        >>> Monitor("EarlyStopping", "val_acc", "auto").found_in(["loss", "val_accuracy"])
        'val_accuracy'
        """
        known = (self.name, ALIASES.get(self.name, self.name))
        return next((name for name in known if name in names), None)

    def value(self, logs: Logs | None) -> float:
        """Return the monitored value of these logs."""
        logs = logs or {}
        return float(logs[self.check(logs)])

    def check(self, names: Collection[str]) -> str:
        """Return the monitored name as it is among these; raise ArgumentError if it is not."""
        found = self.found_in(names)
        if found is None:
            raise ArgumentError(f"{self.owner} {self.missing(names)}")
        return found

    def missing(self, names: Collection[str]) -> str:
        """Return the text that says which names there are instead of the monitored one."""
        return (
            f"monitors {self.name!r}, but this training reports "
            f"{sorted(names)}{self._advice(names)}"
        )

    def _advice(self, names: Collection[str]) -> str:
        name = ALIASES.get(self.name, self.name)
        measured = name.removeprefix("val_")
        if measured != name and measured in names:
            return "; for val_... pass validation_data or validation_split to fit"
        close = difflib.get_close_matches(self.name, names, n=1)
        return f": did you mean {close[0]!r}?" if close else "; compile's metrics may add it"

    def improves(self, value: float, on: float | None) -> bool:
        """Return whether `value` is better than `on` by more than min_delta, or `on` is None."""
        if not math.isfinite(value):
            return False
        # The terms are in Keras's order, so that rounding decides alike.
        return on is None or self.sign * value - self.min_delta > self.sign * on

    @property
    def best_text(self) -> str:
        """The best value so far, formatted for messages."""
        return f"{-self.sign * math.inf if self.best is None else self.best:.5f}"


class MonitorCallback(Callback):
    """Base class of callbacks that act on one value of the logs.

    If the value is not in the logs, the callback warns once and does nothing; in epochs without a
    validation it does nothing without a warning.
    """

    adds_logs = False
    without = "does nothing"  # what happens if the value is missing, for the warning

    def __init__(
        self,
        monitor: str = "val_loss",
        mode: str = "auto",
        baseline: float | None = None,
        min_delta: float = 0,
    ) -> None:
        delta = check_number(min_delta, "min_delta")
        self._watch = Monitor(type(self).__name__, monitor, mode, delta)
        self._watch.best = baseline
        self._checked = False  # whether `check_logs` or a warning has said what is missing
        self._missing = False  # whether the value is in none of the logs, as far as is known

    @property
    def monitor(self) -> str:
        """The name of the value."""
        return self._watch.name

    @property
    def mode(self) -> str:
        """ "min", "max" or "auto"."""
        return self._watch.mode

    @property
    def min_delta(self) -> float:
        """By how much a value must be better than the best."""
        return self._watch.min_delta

    @property
    def best(self) -> float | None:
        """The best value so far, None before the first."""
        return self._watch.best

    @best.setter
    def best(self, value: float | None) -> None:
        self._watch.best = value

    def set_model(self, model: Trainer) -> None:
        """Set `self.model`; the names in its logs are to be looked at anew."""
        super().set_model(model)
        self._checked = False

    def check_logs(self, epoch: Collection[str], batch: Collection[str]) -> None:
        """Warn if the logs will not have the monitored value."""
        self._warn_if_missing(epoch)

    def monitored(self, logs: Logs | None) -> float | None:
        """Return the monitored value; None if these logs lack it, with a warning the first time."""
        logs = logs or {}
        found = self._watch.found_in(logs)
        if found is None and not self._checked:
            self._warn_if_missing(logs)
        return None if found is None else float(logs[found])

    def improves(self, value: float, on: float | None) -> bool:
        """Return whether `value` is better than `on` by more than min_delta, or `on` is None."""
        return self._watch.improves(value, on)

    def _warn_if_missing(self, names: Collection[str]) -> None:
        self._checked, self._missing = True, self._watch.found_in(names) is None
        if self._missing:
            watch = self._watch
            warn_caller(f"{watch.owner} {self.without}: it {watch.missing(names)}")


def number_in(state: dict[str, Any], name: str) -> float | None:
    """Return a number of a saved state, which may be wrong, after a check, or None."""
    return None if state[name] is None else check_number(state[name], name)


def count_in(state: dict[str, Any], name: str) -> int | None:
    """Return an integer >= 0 of a saved state, which may be wrong, after a check, or None."""
    return None if state[name] is None else check_int(state[name], name, 0)


def _rises(name: str) -> bool:
    return any(part in name for part in RISING) and not name.endswith("loss")
