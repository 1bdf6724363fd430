"""Callbacks that end a training."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

import numpy as np

from minicnn.callbacks.base import Callback, Logs, Monitor, count_in, number_in
from minicnn.checks import check_flag, check_int, check_number
from minicnn.errors import ArgumentError


class EarlyStopping(Callback):
    """Ends the training when a number has not become better for `patience` epochs.

    Parameters
    ----------
    monitor : name in the logs
    min_delta : less than this is no improvement
    patience : epochs to wait for one
    verbose : 1 prints what happens
    mode : "min" or "max": which is better; "auto" goes by the name
    baseline : an epoch that is better than the best so far never ends the training, but the count
        of epochs to wait starts anew only at one that is better than this too
    restore_best_weights : in the end, go back to the weights of the best epoch
    start_from_epoch : epochs before this one do not count
    """

    adds_logs = False
    best_epoch: int | None
    stopped_epoch: int | None
    best_weights: list[np.ndarray]
    wait: int  # epochs since the best

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        delta = check_number(min_delta, "min_delta")
        self.monitor = Monitor("EarlyStopping", monitor, mode, delta)
        self.patience = check_int(patience, "patience", 0)
        self.verbose = verbose
        self.baseline = None if baseline is None else check_number(baseline, "baseline")
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = check_int(start_from_epoch, "start_from_epoch", 0)
        self._forget()

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Start afresh."""
        self._forget()

    def check_logs(self, epoch: Collection[str], batch: Collection[str]) -> None:
        """Is there what it watches?"""
        self.monitor.check(epoch)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Compare, wait, perhaps stop."""
        if epoch < self.start_from_epoch:
            return
        value = self.monitor.value(logs)
        better = self.monitor.improves(value, self.monitor.best)
        if better or self.best_epoch is None:
            self._keep(epoch)
        self.wait += 1
        if better:
            self.monitor.best = value
            if self.baseline is None or self.monitor.improves(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Say so, and go back to the best weights if that is wanted."""
        if self.stopped_epoch is not None and self.verbose:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.best_weights and self.best_epoch is not None:
            if self.verbose:
                best = self.best_epoch + 1
                print(f"Restoring model weights from the end of the best epoch: {best}.")
            self.model.set_weights(self.best_weights)

    def get_state(self) -> dict[str, Any]:
        """The best value and epoch, how long it is ago, whether it was the end."""
        return {
            "best": self.monitor.best,
            "best_epoch": self.best_epoch,
            "wait": self.wait,
            "stopped_epoch": self.stopped_epoch,
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on waiting; a training that had been stopped stays so."""
        self.monitor.best = number_in(state, "best")
        self.best_epoch = count_in(state, "best_epoch")
        self.wait = check_int(state["wait"], "wait", 0)
        self.stopped_epoch = count_in(state, "stopped_epoch")
        if self.stopped_epoch is not None:
            self.model.stop_training = True

    def get_arrays(self) -> dict[str, np.ndarray]:
        """The best weights, numbered."""
        return {str(i): weight for i, weight in enumerate(self.best_weights)}

    def set_arrays(self, arrays: dict[str, np.ndarray]) -> None:
        """Take the best weights back."""
        best = [arrays[str(i)] for i in range(len(arrays))]
        shapes = [weight.shape for weight in self.model.get_weights()]
        if best and [weight.shape for weight in best] != shapes:
            raise ArgumentError("the best weights do not fit the model")
        self.best_weights = best

    def _forget(self) -> None:
        self.monitor.best = self.best_epoch = self.stopped_epoch = None
        self.best_weights = []
        self.wait = 0

    def _keep(self, epoch: int) -> None:
        self.best_epoch = epoch
        if self.restore_best_weights:
            self.best_weights = self.model.get_weights()


class TerminateOnNaN(Callback):
    """Ends the training when the loss is NaN or infinite, instead of raising NumericError.

    Every number of that epoch is recorded as NaN, so that nobody takes the epoch for the best. The
    weights are those before the step that failed.
    """

    every_batch = False  # steps after a bad loss change nothing
    terminated = False

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Start afresh."""
        self.terminated = False

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Look at the loss."""
        if not math.isfinite((logs or {}).get("loss", 0.0)):
            print(f"Batch {batch}: Invalid loss, terminating training")
            self.terminated = self.model.stop_training = True

    def get_state(self) -> dict[str, Any]:
        """Was it the end?"""
        return {"terminated": self.terminated}

    def set_state(self, state: dict[str, Any]) -> None:
        """A training that had been ended stays so."""
        self.terminated = check_flag(state.get("terminated", False), "terminated")
        if self.terminated:
            self.model.stop_training = True
