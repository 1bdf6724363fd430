"""The callback that shows the progress of a training, an evaluation or a prediction."""

from __future__ import annotations

from typing import Any

from minicnn.callbacks.base import Callback, Logs
from minicnn.support.progress import Progress


class ProgbarLogger(Callback):
    """Shows the progress, as `fit`, `evaluate` and `predict` do by themselves unless `verbose=0`.

    It is for a `CallbackList` of one's own. Given to `fit` it shows what `fit` would show.

    >>> from minicnn.callbacks import CallbackList
    >>> loop = CallbackList(add_progbar=True, verbose=0, epochs=1, steps=2)
    >>> [type(one).__name__ for one in loop]
    ['ProgbarLogger']
    """

    adds_logs = False
    every_batch = False  # a bar needs no step of its own

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._epochs: int | None = None  # None outside of a training
        self._seen = 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Remember that epochs follow."""
        self._epochs = (self.params or {}).get("epochs")

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Start the epoch's bar."""
        self._begin(epoch)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Show that the batch is done."""
        self._update(batch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Finish the epoch's bar."""
        self._end(logs)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Remember that no epoch follows."""
        self._epochs = None

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Start a bar, unless this is a validation within an epoch."""
        if self._epochs is None:
            self._begin(None)

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Show that the batch is done."""
        if self._epochs is None:
            self._update(batch, logs)

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Finish the bar of an evaluation."""
        if self._epochs is None:
            self._end(logs)

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Start a bar."""
        self._begin(None)

    def on_predict_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Show that the batch is done."""
        self._update(batch, None)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Finish the bar."""
        self._end(None)

    def on_exit(self) -> None:
        """Restore the terminal."""
        if self._progress is not None:
            self._progress.close()

    def _begin(self, epoch: int | None) -> None:
        params, self._seen = self.params or {}, 0
        if self._progress is None:
            self._progress = Progress(params.get("verbose", "auto"))
        self._progress.begin_epoch(epoch, self._epochs, params.get("steps"))

    def _update(self, batch: int, logs: Logs | None) -> None:
        if self._progress is not None:
            self._progress.update(batch + 1, logs or {}, batch + 1 - self._seen)
            self._seen = batch + 1

    def _end(self, logs: Logs | None) -> None:
        if self._progress is not None:
            self._progress.end_epoch(logs or {})
