"""Callbacks that change the learning rate."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from minicnn.callbacks.base import Callback, Logs
from minicnn.callbacks.monitor import MonitorCallback, count_in, number_in
from minicnn.checks import check_int, check_number, quoted
from minicnn.errors import ArgumentError
from minicnn.support.text import say


class LearningRateMover(Callback):
    """Base class of callbacks that set the learning rate."""

    moves_learning_rate = True
    adds_logs = False

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Raise ArgumentError if the optimizer's learning rate follows a schedule."""
        if self.model.optimizer.has_schedule:
            raise ArgumentError(
                f"{type(self).__name__} sets the learning rate, but the optimizer's follows a "
                "schedule; give the optimizer a number as learning_rate, or drop the callback"
            )


class LearningRateScheduler(LearningRateMover):
    """Sets the learning rate of each epoch to schedule(epoch) or schedule(epoch, rate before)."""

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        if not callable(schedule):
            raise ArgumentError(f"schedule must be a function of the epoch; got {quoted(schedule)}")
        self.schedule, self.verbose = schedule, verbose
        self._takes_rate = _positional(schedule) > 1
        self._done: int | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget the epochs of an earlier training."""
        super().on_train_begin(logs)
        self._done = None

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Set the rate, once per epoch even if a training is resumed in its middle."""
        if epoch == self._done:
            return
        before = (self.model.optimizer.learning_rate,) if self._takes_rate else ()
        rate = check_number(self.schedule(epoch, *before), "the schedule's result", 0.0)
        self.model.optimizer.learning_rate = rate
        self._done = epoch
        if self.verbose:
            say(f"Epoch {epoch + 1}: LearningRateScheduler setting learning rate to {rate:g}.")

    def get_state(self) -> dict[str, Any]:
        """Return the last epoch whose rate was set."""
        return {"done": self._done}

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore the last epoch whose rate was set."""
        self._done = count_in(state, "done")


class ReduceLROnPlateau(MonitorCallback, LearningRateMover):
    """Multiplies the learning rate by `factor` after `patience` epochs without an improvement.

    If the value is not among the logs, it warns and leaves the learning rate as it is.

    Parameters
    ----------
    monitor, mode, min_delta : what counts as an improvement: see EarlyStopping
    factor : between 0 and 1
    patience : epochs to wait for an improvement
    verbose : 1 prints each reduction
    cooldown : epochs after a reduction that do not count
    min_lr : the smallest learning rate
    """

    moves_learning_rate = True
    wait: int  # epochs since the last improvement
    cooldown_counter: float  # epochs that do not count, from now on

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: float = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: float = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        self.factor = _below_one(factor)
        self.patience = check_number(patience, "patience", 0.0)
        self.cooldown = check_number(cooldown, "cooldown", 0.0)
        self.min_lr = check_number(min_lr, "min_lr", 0.0)
        self.verbose = verbose
        self.wait, self.cooldown_counter = 0, 0

    def in_cooldown(self) -> bool:
        """Return whether epochs do not count, because of a reduction not long ago."""
        return self.cooldown_counter > 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget the values of an earlier training."""
        super().on_train_begin(logs)
        self.best, self.wait, self.cooldown_counter = None, 0, 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Reduce the rate if the value has not improved for `patience` epochs."""
        value = self.monitored(logs)
        if value is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self.improves(value, self.best):
            self.best, self.wait = value, 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def get_state(self) -> dict[str, Any]:
        """Return the best value, and the epochs since then."""
        return {"best": self.best, "wait": self.wait, "resting": self.cooldown_counter}

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore the best value, and the epochs since then."""
        self.best = number_in(state, "best")
        self.wait = check_int(state["wait"], "wait", 0)
        self.cooldown_counter = check_number(state["resting"], "resting")

    def _reduce(self, epoch: int) -> None:
        optimizer = self.model.optimizer
        if optimizer.learning_rate <= self.min_lr:
            return
        rate = max(optimizer.learning_rate * self.factor, self.min_lr)
        optimizer.learning_rate = rate
        self.wait, self.cooldown_counter = 0, self.cooldown
        if self.verbose:
            say(f"Epoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {rate:g}.")


def _below_one(factor: float) -> float:
    if check_number(factor, "factor", 0.0) >= 1.0:
        raise ArgumentError(f"factor must be below 1, or nothing would be reduced; got {factor:g}")
    return factor


def _positional(function: Callable[..., float]) -> int:
    """Return how many positional arguments the function takes."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in kinds for p in inspect.signature(function).parameters.values())
