"""The base class of callbacks: code that `fit` calls before and after epochs and steps."""

from __future__ import annotations

import difflib
import errno
import inspect
import math
import os
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np

from minicnn.checks import check_int, check_number, quoted, warn_caller
from minicnn.errors import ArgumentError

Logs = dict[str, float]

# Names that older scripts use.
ALIASES = {"acc": "accuracy", "val_acc": "val_accuracy", "lr": "learning_rate"}
# A value whose name contains one of these is better when it is larger.
RISING = ("acc", "auc", "precision", "recall", "f1")


class Trainer(Protocol):
    """The part of a model that callbacks may use."""

    stop_training: bool
    optimizer: Any

    def get_weights(self) -> list[np.ndarray]:
        """Return copies of all parameters."""

    def set_weights(self, weights: list[np.ndarray]) -> None:
        """Replace all parameters by these arrays."""

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

    Epochs and batches are counted from 0. `logs` holds the loss and the metrics over the samples of
    the epoch so far; at the end of an epoch also those of the validation, as "val_loss" and so on.
    `self.model` is the model that is trained; `self.model.stop_training = True` ends the training.
    When a training is resumed in the middle of an epoch, `on_epoch_begin` is called again for it.

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
    model: Trainer

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
        return any(overrides(self, f"on_train_batch_{end}") for end in ("begin", "end"))

    def set_model(self, model: Trainer) -> None:
        """Set `self.model`; called once before the training."""
        self.model = model

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

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after a training step."""

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Called before a validation."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Called after a validation."""

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before a batch of a validation."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after a batch of a validation."""

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


# The number of arguments that each hook is called with.
HOOKS = {
    name: len(inspect.signature(hook).parameters) - 1
    for name, hook in vars(Callback).items()
    if name.startswith("on_")
}


def overrides(callback: Callback, hook: str) -> bool:
    """Return whether the callback has its own hook, in its class or set on the object."""
    return hook in vars(callback) or getattr(type(callback), hook) is not getattr(Callback, hook)


class CallbackList:
    """Several callbacks whose hooks are called one after the other."""

    def __init__(self, callbacks: Iterable[Callback], model: Trainer) -> None:
        self.callbacks = list(callbacks)
        for callback in self.callbacks:
            if not isinstance(callback, Callback):
                raise ArgumentError(
                    f"callbacks must be objects like EarlyStopping(); got {callback!r:.80}"
                )
            _check_hooks(callback)
            callback.set_model(model)

    def __iter__(self) -> Iterator[Callback]:
        return iter(self.callbacks)

    def check_logs(self, epoch: Collection[str], batch: Collection[str]) -> None:
        """Call `check_logs` of each callback, up to the first that adds to the logs."""
        for callback in self.callbacks:
            callback.check_logs(epoch, batch)
            if callback.adds_logs:
                return

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Call `on_train_begin` of each callback."""
        self._call("on_train_begin", logs)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Call `on_train_end` of each callback."""
        self._call("on_train_end", logs)

    def on_interrupt(self) -> None:
        """Call `on_interrupt` of each callback."""
        self._call("on_interrupt")

    def on_exit(self) -> None:
        """Call `on_exit` of each callback."""
        self._call("on_exit")

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Call `on_epoch_begin` of each callback."""
        self._call("on_epoch_begin", epoch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Call `on_epoch_end` of each callback."""
        self._call("on_epoch_end", epoch, logs)

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Call `on_train_batch_begin` of each callback."""
        self._call("on_train_batch_begin", batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Call `on_train_batch_end` of each callback."""
        self._call("on_train_batch_end", batch, logs)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Call `on_test_begin` of each callback."""
        self._call("on_test_begin", logs)

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Call `on_test_end` of each callback."""
        self._call("on_test_end", logs)

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Call `on_test_batch_begin` of each callback."""
        self._call("on_test_batch_begin", batch, logs)

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Call `on_test_batch_end` of each callback."""
        self._call("on_test_batch_end", batch, logs)

    def _call(self, hook: str, *arguments: Any) -> None:
        for callback in self.callbacks:
            getattr(callback, hook)(*arguments)


# Older names of Keras. A callback that overrides only these would never be called.
OTHER_NAMES = {"on_batch_begin": "on_train_batch_begin", "on_batch_end": "on_train_batch_end"}


def _check_hooks(callback: Callback) -> None:
    """Raise ArgumentError for a hook with other arguments, before an epoch is spent."""
    for name, called in OTHER_NAMES.items():
        if hasattr(callback, name):
            warn_caller(f"{type(callback).__name__}.{name} is never called; name it {called}")
    for name, count in HOOKS.items():
        try:
            inspect.signature(getattr(callback, name)).bind(*range(count))
        except TypeError as err:
            given = ", ".join(["epoch" if "epoch" in name else "batch", "logs"][-count:][:count])
            raise ArgumentError(
                f"{type(callback).__name__} is called as {name}({given}), which does not fit its "
                f"arguments: {err}"
            ) from err
        except ValueError:  # a built-in function without a signature
            continue


def number_in(state: dict[str, Any], name: str) -> float | None:
    """Return a number of a saved state, which may be wrong, after a check, or None."""
    return None if state[name] is None else check_number(state[name], name)


def count_in(state: dict[str, Any], name: str) -> int | None:
    """Return an integer >= 0 of a saved state, which may be wrong, after a check, or None."""
    return None if state[name] is None else check_int(state[name], name, 0)


class Monitor:
    """Compares one value of the logs with the best so far; NaN and infinity are never better."""

    def __init__(self, owner: str, name: str, mode: str, min_delta: float = 0.0) -> None:
        if not isinstance(name, str):
            raise ArgumentError(f"monitor must be a name in the logs; got {quoted(name)}")
        if mode not in ("auto", "min", "max"):
            raise ArgumentError(f'mode must be "auto", "min" or "max"; got {quoted(mode)}')
        self.owner, self.name = owner, ALIASES.get(name, name)
        rising = mode == "max" or (mode == "auto" and any(part in self.name for part in RISING))
        self.sign = 1.0 if rising else -1.0
        self.min_delta = abs(min_delta)
        self.best: float | None = None

    def value(self, logs: Logs | None) -> float:
        """Return the monitored value of these logs."""
        logs = logs or {}
        self.check(logs)
        return float(logs[self.name])

    def check(self, names: Collection[str]) -> None:
        """Raise ArgumentError unless the monitored name is among these names of the logs."""
        if self.name not in names:
            raise ArgumentError(
                f"{self.owner} monitors {self.name!r}, but this training reports "
                f"{sorted(names)}{self._advice(names)}"
            )

    def _advice(self, names: Collection[str]) -> str:
        measured = self.name.removeprefix("val_")
        if measured != self.name and measured in names:
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


def check_path(value: Any, name: str) -> Path:
    """Return a path; an empty one, which would mean the current folder, is an error."""
    if not isinstance(value, (str, os.PathLike)) or not os.fspath(value):
        raise ArgumentError(f"{name} must be a path that is not empty; got {value!r:.80}")
    return Path(value)


def make_folder(path: Path) -> None:
    """Create a folder for files, and raise PermissionError now if no file could be written."""
    path.mkdir(parents=True, exist_ok=True)
    if not os.access(path, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, "no permission to write in this folder", str(path))
