"""log.jsonl, the log that a training writes while it runs: one JSON object per line."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any

from minicnn.callbacks import Callback
from minicnn.callbacks.base import Logs
from minicnn.support.atomic_files import append_line

# Batches are logged at most this often, so that the time for writing never matters.
SECONDS_PER_LINE = 2.0


class RunLog(Callback):
    """Write a line every few seconds and one per epoch, and measure the training time.

    Lines are only appended, so a crash loses at most the last one. A resumed training writes the
    line "resumed" and repeats the epoch that was interrupted.
    """

    seconds: float  # training time so far, including the time before interruptions

    every_batch = False  # a line may cover many batches
    adds_logs = False

    def __init__(self, path: Path) -> None:
        self.path = path
        self.seconds = 0.0
        self._epoch = 0
        self._counted = self._last_line = time.perf_counter()

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Log that the training begins."""
        self._counted = self._last_line = time.perf_counter()
        self._write("begin")

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Remember the epoch for the lines about its batches."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Log the batch if the last line is long enough ago."""
        now = time.perf_counter()
        if now - self._last_line >= SECONDS_PER_LINE:
            self._last_line = now
            self._write("batches", epoch=self._epoch, batch=batch, **(logs or {}))

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Log the epoch; its line is on the disk when this returns."""
        now = time.perf_counter()
        self.seconds += now - self._counted
        self._counted = self._last_line = now
        self._write("epoch", epoch=epoch, seconds=round(self.seconds, 3), **(logs or {}))

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Log that the training has ended."""
        self._write("end", seconds=round(self.seconds, 3))

    def get_state(self) -> dict[str, Any]:
        """Return the training time so far, which checkpoints save."""
        return {"seconds": self.seconds + time.perf_counter() - self._counted}

    def set_state(self, state: dict[str, Any]) -> None:
        """Continue counting from a checkpoint's time, and log that the training was resumed."""
        self.seconds, self._counted = state["seconds"], time.perf_counter()
        self._write("resumed", seconds=round(self.seconds, 3))

    def _write(self, event: str, **values: Any) -> None:
        """Append a line; NaN and infinity become null, as JSON has no number for them."""
        row = {"time": round(time.time(), 3), "event": event}
        row |= {k: None if _is_nonfinite(v) else v for k, v in values.items()}
        append_line(self.path, json.dumps(row))


def _is_nonfinite(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)
