"""Callbacks that end a training early."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minicnn.callbacks.base import Callback, Logs
from minicnn.callbacks.monitor import MonitorCallback, count_in, number_in
from minicnn.checks import check_flag, check_int, check_number
from minicnn.errors import ArgumentError
from minicnn.support.text import say


class EarlyStopping(MonitorCallback):
    """Ends the training when a value has not improved for `patience` epochs.

    If the value is not among the logs, it warns and does not stop the training.

    Parameters
    ----------
    monitor : the value's name in the logs
    min_delta : a smaller change is no improvement
    patience : epochs to wait for an improvement
    verbose : 1 prints what happens
    mode : "min" or "max", whether smaller or larger is better; "auto" decides by the name
    baseline : an improvement resets the count of epochs only if it is better than this too; an
        epoch that is better than the best so far never ends the training
    restore_best_weights : True restores the weights of the best epoch at the end
    start_from_epoch : epochs before this one do not count
    """

    best_epoch: int
    stopped_epoch: int  # 0 if the training was not stopped
    best_weights: list[np.ndarray] | None
    wait: int  # epochs since the last improvement

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: float = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        self.patience = check_number(patience, "patience", 0.0)
        self.verbose = verbose
        self.baseline = None if baseline is None else check_number(baseline, "baseline")
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = check_int(start_from_epoch, "start_from_epoch", 0)
        self._forget()

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget the values of an earlier training."""
        self._forget()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Stop if the value has not improved for `patience` epochs."""
        value = self.monitored(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        better = self.improves(value, self.best)
        if better or not self._begun:
            self._keep(epoch)
        self.wait += 1
        if better:
            self.best = value
            if self.baseline is None or self.improves(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Print that it stopped, and restore the best weights, if wanted."""
        if self.stopped_epoch and self.verbose:
            say(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.best_weights is not None:
            if self.verbose:
                best = self.best_epoch + 1
                say(f"Restoring model weights from the end of the best epoch: {best}.")
            self.model.set_weights(self.best_weights)

    def get_state(self) -> dict[str, Any]:
        """Return the best value and epoch, the epochs since then, and whether it stopped."""
        return {
            "best": self.best,
            "best_epoch": self.best_epoch if self._begun else None,
            "wait": self.wait,
            "stopped_epoch": self.stopped_epoch or None,
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore the state; a training that was stopped stays stopped."""
        self.best = number_in(state, "best")
        best_epoch = count_in(state, "best_epoch")
        self._begun, self.best_epoch = best_epoch is not None, best_epoch or 0
        self.wait = check_int(state["wait"], "wait", 0)
        self.stopped_epoch = count_in(state, "stopped_epoch") or 0
        if self.stopped_epoch:
            self.model.stop_training = True

    def get_arrays(self) -> dict[str, np.ndarray]:
        """Return the best weights, numbered."""
        return {str(i): weight for i, weight in enumerate(self.best_weights or [])}

    def set_arrays(self, arrays: dict[str, np.ndarray]) -> None:
        """Restore the best weights."""
        best = [arrays[str(i)] for i in range(len(arrays))]
        shapes = [weight.shape for weight in self.model.get_weights()]
        if best and [weight.shape for weight in best] != shapes:
            raise ArgumentError("the best weights do not fit the model")
        self.best_weights = best or None

    def _forget(self) -> None:
        self.best, self.best_weights = None, None
        self.best_epoch = self.stopped_epoch = self.wait = 0
        self._begun = False  # whether an epoch has counted

    def _keep(self, epoch: int) -> None:
        self._begun, self.best_epoch = True, epoch
        if self.restore_best_weights:
            self.best_weights = self.model.get_weights()


class TerminateOnNaN(Callback):
    """Ends the training when the loss is NaN or infinite, instead of raising NumericError.

    All values of that epoch are recorded as NaN, so that it is never the best one. The weights are
    those before the step that failed.

    Parameters
    ----------
    raise_error : True raises the NumericError of `fit`, which says where the first NaN is
    """

    every_batch = False  # steps after a bad loss change nothing
    terminated = False

    def __init__(self, raise_error: bool = False) -> None:
        self.raise_error = check_flag(raise_error, "raise_error")

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget the values of an earlier training."""
        self.terminated = False

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Stop if the loss is not finite."""
        if not math.isfinite((logs or {}).get("loss", 0.0)):
            say(f"Batch {batch}: Invalid loss, terminating training")
            self.terminated = self.model.stop_training = True

    def get_state(self) -> dict[str, Any]:
        """Return whether it stopped the training."""
        return {"terminated": self.terminated}

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore the state; a training that was stopped stays stopped."""
        self.terminated = check_flag(state.get("terminated", False), "terminated")
        if self.terminated:
            self.model.stop_training = True
