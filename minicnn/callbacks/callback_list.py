"""Several callbacks whose hooks are called one after the other."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from minicnn.callbacks.base import HOOKS, Callback, Logs, Trainer, overrides
from minicnn.callbacks.history import History
from minicnn.callbacks.progress import ProgbarLogger
from minicnn.checks import quoted
from minicnn.errors import ArgumentError


class CallbackList(Callback):
    """Several callbacks whose hooks are called one after the other, for loops of one's own.

    Parameters
    ----------
    callbacks : a callback, or a list of callbacks and of such lists; default: none
    add_history : True adds a History unless there is one
    add_progbar : True adds a ProgbarLogger unless there is one
    model : the model that the callbacks are told; default: none
    params : what the callbacks are told as `params`: verbose, epochs, steps

    >>> history = CallbackList(add_history=True, epochs=1)
    >>> history.on_epoch_end(0, {"loss": 0.5})
    >>> [one.history for one in history]
    [{'loss': [0.5]}]
    """

    def __init__(
        self,
        callbacks: Iterable[Any] | Callback | None = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        self.callbacks = flat(callbacks)
        for callback in self.callbacks:
            if not isinstance(callback, Callback):
                raise ArgumentError(
                    f"callbacks must be objects like EarlyStopping(); got {quoted(callback)}"
                )
            _check_hooks(callback)
        if add_history and self.history is None:
            self.callbacks.append(History())
        if add_progbar and not any(isinstance(one, ProgbarLogger) for one in self.callbacks):
            self.callbacks.append(ProgbarLogger())
        if model is not None:
            self.set_model(model)
        self.set_params(params)

    def __iter__(self) -> Iterator[Callback]:
        return iter(self.callbacks)

    @property
    def history(self) -> History | None:
        """The last History of the list, None if there is none."""
        found = [one for one in self.callbacks if isinstance(one, History)]
        return found[-1] if found else None

    @property
    def every_batch(self) -> bool:
        """Whether a callback needs its hooks to be called at every step."""
        return any(callback.every_batch for callback in self.callbacks)

    def set_model(self, model: Trainer) -> None:
        """Call `set_model` of each callback."""
        self.model = model
        self._call("set_model", model)

    def set_params(self, params: dict[str, Any]) -> None:
        """Call `set_params` of each callback, if there are any parameters."""
        self.params = params
        if params:
            self._call("set_params", params)

    def check_logs(self, epoch: Collection[str], batch: Collection[str]) -> None:
        """Call `check_logs` of each callback, up to the first that adds to the logs."""
        for callback in self.callbacks:
            callback.check_logs(epoch, batch)
            if callback.adds_logs:
                return

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Call `on_epoch_end` of each callback; the history records what they add to the logs."""
        logs = {} if logs is None else logs
        history = self.history
        for callback in self.callbacks:
            callback.on_epoch_end(epoch, logs)
            if history is not None and callback.adds_logs:
                history.complete(epoch, logs)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Call `on_train_begin` of each callback."""
        self._call("on_train_begin", {} if logs is None else logs)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Call `on_train_end` of each callback."""
        self._call("on_train_end", {} if logs is None else logs)

    def on_interrupt(self) -> None:
        """Call `on_interrupt` of each callback."""
        self._call("on_interrupt")

    def on_exit(self) -> None:
        """Call `on_exit` of each callback."""
        self._call("on_exit")

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Call `on_epoch_begin` of each callback."""
        self._call("on_epoch_begin", epoch, {} if logs is None else logs)

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Call `on_train_batch_begin` of each callback."""
        self._call("on_train_batch_begin", batch, {} if logs is None else logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Call `on_train_batch_end` of each callback."""
        self._call("on_train_batch_end", batch, {} if logs is None else logs)

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Call `on_batch_begin` of each callback."""
        self._call("on_batch_begin", batch, {} if logs is None else logs)

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Call `on_batch_end` of each callback."""
        self._call("on_batch_end", batch, {} if logs is None else logs)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Call `on_test_begin` of each callback."""
        self._call("on_test_begin", {} if logs is None else logs)

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Call `on_test_end` of each callback."""
        self._call("on_test_end", {} if logs is None else logs)

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Call `on_test_batch_begin` of each callback."""
        self._call("on_test_batch_begin", batch, {} if logs is None else logs)

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Call `on_test_batch_end` of each callback."""
        self._call("on_test_batch_end", batch, {} if logs is None else logs)

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Call `on_predict_begin` of each callback."""
        self._call("on_predict_begin", {} if logs is None else logs)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Call `on_predict_end` of each callback."""
        self._call("on_predict_end", {} if logs is None else logs)

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Call `on_predict_batch_begin` of each callback."""
        self._call("on_predict_batch_begin", batch, {} if logs is None else logs)

    def on_predict_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Call `on_predict_batch_end` of each callback."""
        self._call("on_predict_batch_end", batch, {} if logs is None else logs)

    def _call(self, hook: str, *arguments: Any) -> None:
        for callback in self.callbacks:
            getattr(callback, hook)(*arguments)


def flat(callbacks: Any) -> list[Any]:
    """Return the callbacks of a list, and of the lists in it, as one list.

    >>> flat(["a", ["b", ("c",)]])
    ['a', 'b', 'c']
    """
    if callbacks is None:
        return []
    if isinstance(callbacks, str) or not isinstance(callbacks, Iterable):
        return [callbacks]
    return [one for element in callbacks for one in flat(element)]


def _check_hooks(callback: Callback) -> None:
    """Raise ArgumentError for a hook with other arguments, before an epoch is spent."""
    for name, count in HOOKS.items():
        if not overrides(callback, name):
            continue
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
