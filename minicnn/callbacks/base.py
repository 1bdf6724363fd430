"""The base class of callbacks: code that is called before and after epochs and batches."""

from __future__ import annotations

import errno
import inspect
import os
from collections.abc import Collection
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np

from minicnn.checks import quoted
from minicnn.errors import ArgumentError
from minicnn.support.main_process import by_main_only

Logs = dict[str, float]


class Trainer(Protocol):
    """The part of a model that callbacks may use."""

    stop_training: bool
    optimizer: Any
    parameters: Any

    def get_weights(self) -> list[np.ndarray]:
        """Return copies of all parameters."""

    def set_weights(self, weights: list[np.ndarray]) -> None:
        """Replace all parameters by these arrays."""

    def overwrite_with_averages(self) -> None:
        """Replace the weights by their moving averages, if the optimizer keeps these."""

    def save(self, path: Any, *, include_optimizer: bool = True) -> None:
        """Write the model to a file."""

    def save_weights(self, path: Any) -> None:
        """Write the weights to a file."""

    def check_savable(self) -> None:
        """Raise the error that `save` would raise."""

    def save_checkpoint(self, path: Any) -> None:
        """Write everything that is needed to resume the training."""

    def load_checkpoint(self, path: Any) -> None:
        """Resume from a checkpoint; this calls `set_state` and `set_arrays` of every callback."""


class Callback:
    """Base class of callbacks. Its hooks do nothing; a subclass overrides those that it needs.

    `fit` calls the hooks of the training and, for its validation, `on_test_...`; `evaluate` calls
    `on_test_...` and `predict` `on_predict_...`. Epochs and batches are counted from 0. `logs`
    holds the loss and the metrics over the samples of the epoch so far; at the end of an epoch also
    those of the validation, as "val_loss" and so on. What `on_epoch_end` adds to `logs` is seen by
    the callbacks after it, and recorded in the history.

    `self.model` is the model; `self.model.stop_training = True` ends the training. `self.params`
    is {"verbose": ..., "epochs": ..., "steps": ...}, of which `steps`, the number of batches, is
    None while it is not known. When a training is resumed in the middle of an epoch,
    `on_epoch_begin` is called again for it.

    `get_state` and `set_state` make a callback resumable: what the first one returns is stored in
    checkpoints, and the second one restores it.

    Examples
    --------
    A callback that stops when the loss is low enough, and remembers when that was:

    >>> import minicnn as mc
    >>> class StopBelow(mc.callbacks.Callback):
    ...     def __init__(self, loss):
    ...         self.loss, self.epoch = loss, None
    ...
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         if logs["loss"] < self.loss:
    ...             self.epoch, self.model.stop_training = epoch, True
    ...
    ...     def get_state(self):
    ...         return {"epoch": self.epoch}
    ...
    ...     def set_state(self, state):
    ...         self.epoch = state["epoch"]
    >>> x, y = np.zeros((8, 2), np.float32), np.zeros((8, 1))
    >>> model = mc.Sequential([mc.Input((2,)), mc.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> stop = StopBelow(0.1)
    >>> history = model.fit(x, y, epochs=5, verbose=0, callbacks=[stop])
    >>> stop.epoch, len(history.epoch)
    (0, 1)
    """

    moves_learning_rate: ClassVar[bool] = False  # True adds the learning rate to the logs
    model: Trainer = None  # type: ignore[assignment]  # until `set_model`
    params: dict[str, Any] | None = None

    @property
    def adds_logs(self) -> bool:
        """Whether this callback may add values to `logs`, for the callbacks after it.

        By default it may if it overrides `on_epoch_end`. The names that later callbacks monitor can
        then not be checked before the first step.
        """
        return overrides(self, "on_epoch_end")

    @property
    def every_batch(self) -> bool:
        """Whether the batch hooks must be called at every step, with the model as it is then.

        By default they must if one is overridden. If no callback needs it, a GPU takes several
        steps per call, and `on_train_batch_end` is called after the last of them.
        """
        return any(overrides(self, hook) for hook in BATCH_HOOKS)

    def set_model(self, model: Trainer) -> None:
        """Set `self.model`; called before the first hook."""
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """Set `self.params`; called before the first hook."""
        self.params = params

    def check_logs(self, epoch: Collection[str], batch: Collection[str]) -> None:
        """Raise ArgumentError, before the first step, if `logs` will lack a name that is needed.

        Parameters
        ----------
        epoch, batch : the names that `logs` will have at the end of an epoch, and of a batch
        """

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Called before the first epoch."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Called after the last epoch."""

    def on_interrupt(self) -> None:
        """Called after Ctrl-C, between two steps; `on_train_end` is not called then."""

    def on_exit(self) -> None:
        """Called last, whatever ended the training, even an error: release files and locks."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Called before an epoch."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Called after an epoch and its validation."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before a training step."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after a training step."""
        self.on_batch_end(batch, logs)

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """The older name of `on_train_batch_begin`, which calls it."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """The older name of `on_train_batch_end`, which calls it."""

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Called before an evaluation or a validation."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Called after an evaluation or a validation."""

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before a batch of an evaluation or a validation."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after a batch of an evaluation or a validation."""

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Called before a prediction."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Called after a prediction."""

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before a batch of a prediction."""

    def on_predict_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Called after a batch of a prediction; `logs` is {"outputs": the batch's outputs}."""

    def get_state(self) -> dict[str, Any]:
        """Return what a resumed training must know, JSON-able; called after the epoch's hooks."""
        return {}

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore what `get_state` returned; called after `on_train_begin`."""

    def get_arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays that belong to the state."""
        return {}

    def set_arrays(self, arrays: dict[str, np.ndarray]) -> None:
        """Restore what `get_arrays` returned."""


# The hooks that belong to a training step.
BATCH_HOOKS = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")
# The number of arguments that each hook is called with.
HOOKS = {
    name: len(inspect.signature(hook).parameters) - 1
    for name, hook in vars(Callback).items()
    if name.startswith("on_")
}


def overrides(callback: Callback, hook: str) -> bool:
    """Return whether the callback has its own hook, in its class or set on the object."""
    return hook in vars(callback) or getattr(type(callback), hook) is not getattr(Callback, hook)


def check_path(value: Any, name: str) -> Path:
    """Return a path; an empty one, which would mean the current folder, is an error."""
    if not isinstance(value, (str, os.PathLike)) or not os.fspath(value):
        raise ArgumentError(f"{name} must be a path that is not empty; got {quoted(value)}")
    return Path(value)


@by_main_only
def make_folder(path: Path) -> None:
    """Create a folder for files, and raise PermissionError now if no file could be written."""
    path.mkdir(parents=True, exist_ok=True)
    if not os.access(path, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, "no permission to write in this folder", str(path))
