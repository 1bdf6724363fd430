"""log.jsonl: what a training says about itself while it runs, a JSON object a line."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any

from minicnn.callbacks import Callback
from minicnn.callbacks.base import Logs
from minicnn.support.atomic_files import append_line

# A group of batches ends when this has passed, so that a line's cost never matters.
SECONDS_A_LINE = 2.0


class RunLog(Callback):
    """Writes a line every few seconds and a line an epoch, and knows the time that training took.

    Lines are only added: after a crash all are there but the last. An interrupted and resumed
    training says so in a line of its own, and trains the rest of the epoch again.
    """

    seconds: float  # of training so far, in all sittings

    every_batch = False  # a line is for many
    adds_logs = False

    def __init__(self, path: Path) -> None:
        self.path = path
        self.seconds = 0.0
        self._epoch = 0
        self._sitting = self._last = time.perf_counter()

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Note the beginning."""
        self._sitting = self._last = time.perf_counter()
        self._write("begin")

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Know the epoch's number."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """A line, if it is time."""
        now = time.perf_counter()
        if now - self._last >= SECONDS_A_LINE:
            self._last = now
            self._write("batches", epoch=self._epoch, batch=batch, **(logs or {}))

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """A line, on the disk when this returns."""
        now = time.perf_counter()
        self.seconds += now - self._sitting
        self._sitting = self._last = now
        self._write("epoch", epoch=epoch, seconds=round(self.seconds, 3), **(logs or {}))

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Note the end."""
        self._write("end", seconds=round(self.seconds, 3))

    def get_state(self) -> dict[str, Any]:
        """The time so far, also in the middle of an epoch."""
        return {"seconds": self.seconds + time.perf_counter() - self._sitting}

    def set_state(self, state: dict[str, Any]) -> None:
        """Count on from there, and say that the training was resumed."""
        self.seconds, self._sitting = state["seconds"], time.perf_counter()
        self._write("resumed", seconds=round(self.seconds, 3))

    def _write(self, event: str, **values: Any) -> None:
        """NaN and infinities become null: JSON has no number for them."""
        row = {"time": round(time.time(), 3), "event": event}
        row |= {k: None if _not_finite(v) else v for k, v in values.items()}
        append_line(self.path, json.dumps(row))


def _not_finite(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)
