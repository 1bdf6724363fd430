"""Work outside the thread of the window, so that the window always answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QThread, Signal

from minicnn.errors import MiniCNNError

SECONDS_BETWEEN_REPORTS = 0.05  # more often than this nobody sees a progress bar move


class Task(QThread):
    """A function that runs in a thread of its own; its signals arrive in the window's thread.

    The function is called with the task: it may call `report`, and should end soon after
    `is_stopped()` becomes true. Either `succeeded` or `failed` is emitted, once.
    """

    progressed = Signal(int, int, str)  # steps done, steps in total, the file that is worked on
    succeeded = Signal(object)  # what the function returned
    failed = Signal(object)  # the error

    def __init__(self, work: Callable[[Task], Any], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._work = work
        self._stop = threading.Event()
        self._reported = 0.0

    def run(self) -> None:
        """Call the function; Qt does this in the new thread."""
        try:
            result = self._work(self)
        except (MiniCNNError, OSError, MemoryError) as error:
            self.failed.emit(error)
        else:
            self.succeeded.emit(result)

    def report(self, done: int, total: int, name: str = "") -> None:
        """Tell the window how far the work is, but not so often that it is busy with listening."""
        now = time.monotonic()
        if done == total or now - self._reported >= SECONDS_BETWEEN_REPORTS:
            self._reported = now
            self.progressed.emit(done, total, name)

    def stop(self) -> None:
        """Ask the function to end."""
        self._stop.set()

    def is_stopped(self) -> bool:
        """Return whether the function was asked to end."""
        return self._stop.is_set()
