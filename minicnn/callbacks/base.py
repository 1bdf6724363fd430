"""What a callback is: code that a training calls at its turning points."""

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

# Older scripts say "acc" and "lr".
ALIASES = {"acc": "accuracy", "val_acc": "val_accuracy", "lr": "learning_rate"}
RISING = ("acc", "auc", "precision", "recall", "f1")  # parts of names of what should grow


class Trainer(Protocol):
    """What callbacks may use of a model."""

    stop_training: bool
    optimizer: Any

    def get_weights(self) -> list[np.ndarray]:
        """Copies of all parameters."""

    def set_weights(self, weights: list[np.ndarray]) -> None:
        """Replace all parameters."""

    def save(self, path: Any, *, include_optimizer: bool = True) -> None:
        """Write the model."""

    def save_weights(self, path: Any) -> None:
        """Write the weights."""

    def check_savable(self) -> None:
        """Raise the error that `save` would raise."""

    def save_checkpoint(self, path: Any) -> None:
        """Write all that training needs to go on."""

    def load_checkpoint(self, path: Any) -> None:
        """Go on from a checkpoint; calls every callback's `set_state` and `set_arrays`."""


class Callback:
    """Does nothing; a subclass overrides the hooks it needs.

    Epochs and batches are counted from 0. `logs` holds the loss and the metrics, at an epoch's end
    those of the validation too. A resumed training calls `on_epoch_begin` again for the epoch
    that it goes on with.
    """

    moves_learning_rate: ClassVar[bool] = False  # should a history report it?
    model: Trainer

    @property
    def adds_logs(self) -> bool:
        """May it put numbers of its own into `logs`, for the callbacks after it?

        By default if `on_epoch_end` is overridden. What the callbacks after it ask for cannot be
        checked before the first step then.
        """
        return overrides(self, "on_epoch_end")

    @property
    def every_batch(self) -> bool:
        """Must the hooks of batches be called at every step, with the model as it is then?

        By default if they are overridden. If no callback wants that, a GPU takes many steps at a
        time, and `on_train_batch_end` comes after the last of them.
        """
        return any(overrides(self, f"on_train_batch_{end}") for end in ("begin", "end"))

    def set_model(self, model: Trainer) -> None:
        """Called once before the training."""
        self.model = model

    def check_logs(self, epoch: Collection[str], batch: Collection[str]) -> None:
        """Refuse, before the first step, to wait for numbers that will never come.

        Parameters
        ----------
        epoch, batch : the names that `logs` will have at the end of an epoch, and of a batch
        """

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Before the first epoch."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """After the last epoch."""

    def on_interrupt(self) -> None:
        """After Ctrl-C, between two steps; the training then ends without `on_train_end`."""

    def on_exit(self) -> None:
        """Last of all, whatever ended the training, an error too: let go of what is held."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Before an epoch."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """After an epoch and its validation."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a step."""

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a step."""

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Before a validation."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """After a validation."""

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a batch of a validation."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a batch of a validation."""

    def get_state(self) -> dict[str, Any]:
        """What a resumed training must know, JSON-able; called after the hooks of an epoch."""
        return {}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what `get_state` gave; called after `on_train_begin`."""

    def get_arrays(self) -> dict[str, np.ndarray]:
        """The arrays that belong to the state."""
        return {}

    def set_arrays(self, arrays: dict[str, np.ndarray]) -> None:
        """Take over what `get_arrays` gave."""


# How many arguments each hook is called with.
HOOKS = {
    name: len(inspect.signature(hook).parameters) - 1
    for name, hook in vars(Callback).items()
    if name.startswith("on_")
}


def overrides(callback: Callback, hook: str) -> bool:
    """Has it a hook of its own, in its class or set on the object?"""
    return hook in vars(callback) or getattr(type(callback), hook) is not getattr(Callback, hook)


class CallbackList:
    """Several callbacks, called one after the other."""

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
        """Let each refuse what it will not find; see `Callback.check_logs`."""
        for callback in self.callbacks:
            callback.check_logs(epoch, batch)
            if callback.adds_logs:
                return

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Before the first epoch."""
        self._call("on_train_begin", logs)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """After the last epoch."""
        self._call("on_train_end", logs)

    def on_interrupt(self) -> None:
        """After Ctrl-C."""
        self._call("on_interrupt")

    def on_exit(self) -> None:
        """Last of all."""
        self._call("on_exit")

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Before an epoch."""
        self._call("on_epoch_begin", epoch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """After an epoch and its validation."""
        self._call("on_epoch_end", epoch, logs)

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a step."""
        self._call("on_train_batch_begin", batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a step."""
        self._call("on_train_batch_end", batch, logs)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Before a validation."""
        self._call("on_test_begin", logs)

    def on_test_end(self, logs: Logs | None = None) -> None:
        """After a validation."""
        self._call("on_test_end", logs)

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a batch of a validation."""
        self._call("on_test_batch_begin", batch, logs)

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a batch of a validation."""
        self._call("on_test_batch_end", batch, logs)

    def _call(self, hook: str, *arguments: Any) -> None:
        for callback in self.callbacks:
            getattr(callback, hook)(*arguments)


# Names that Keras has besides; who overrides these alone would wait for ever.
OTHER_NAMES = {"on_batch_begin": "on_train_batch_begin", "on_batch_end": "on_train_batch_end"}


def _check_hooks(callback: Callback) -> None:
    """Refuse a hook that cannot be called, before it is called after an epoch of work."""
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
        except ValueError:  # a function that does not tell its arguments
            continue


def number_in(state: dict[str, Any], name: str) -> float | None:
    """A number of a callback's saved state, which may have been changed since; None stays None."""
    return None if state[name] is None else check_number(state[name], name)


def count_in(state: dict[str, Any], name: str) -> int | None:
    """An integer >= 0 of a callback's saved state; None stays None."""
    return None if state[name] is None else check_int(state[name], name, 0)


class Monitor:
    """Watches one number of the logs for a new best. NaN and infinity never are."""

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
        """Today's number."""
        logs = logs or {}
        self.check(logs)
        return float(logs[self.name])

    def check(self, names: Collection[str]) -> None:
        """Refuse to watch what is not among these names of the logs."""
        if self.name not in names:
            raise ArgumentError(
                f"{self.owner} watches {self.name!r}, but this training reports "
                f"{sorted(names)}{self._advice(names)}"
            )

    def _advice(self, names: Collection[str]) -> str:
        measured = self.name.removeprefix("val_")
        if measured != self.name and measured in names:
            return "; for val_... pass validation_data or validation_split to fit"
        close = difflib.get_close_matches(self.name, names, n=1)
        return f": did you mean {close[0]!r}?" if close else "; compile's metrics may add it"

    def improves(self, value: float, on: float | None) -> bool:
        """Is `value` better than `on` by more than min_delta? Anything finite is than None."""
        if not math.isfinite(value):
            return False
        # In this order, so that rounding decides as it does in Keras.
        return on is None or self.sign * value - self.min_delta > self.sign * on

    @property
    def best_text(self) -> str:
        """The best so far, as messages write it."""
        return f"{-self.sign * math.inf if self.best is None else self.best:.5f}"


def check_path(value: Any, name: str) -> Path:
    """A path, and not the empty one, which would mean the current folder."""
    if not isinstance(value, (str, os.PathLike)) or not os.fspath(value):
        raise ArgumentError(f"{name} must be a path, a text that is not empty; got {value!r:.80}")
    return Path(value)


def make_folder(path: Path) -> None:
    """Make a folder that files will be written to; say now if that will not be possible."""
    path.mkdir(parents=True, exist_ok=True)
    if not os.access(path, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, "no right to write in this folder", str(path))
