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
    """A function that runs in a thread of its own; signals arrive in the thread of the window.

    The function is called with the task. It may call `report`, and should end soon after
    `is_stopped()` becomes true. Then `finished` is emitted, and either `result` or `error` is set.

    Parameters
    ----------
    work : the function
    parent : the object that this one ends with
    """

    progressed = Signal(int, int, str)  # steps done, steps in total, the file that is worked on

    def __init__(self, work: Callable[[Task], Any], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.result: Any = None
        self.error: Exception | None = None
        self._work = work
        self._stop = threading.Event()
        self._reported = 0.0

    def run(self) -> None:
        """Call the function; Qt does this in the new thread."""
        try:
            self.result = self._work(self)
        except (MiniCNNError, OSError, MemoryError) as error:
            self.error = error
        except Exception as error:  # a bug: the window says so, and the terminal where it is
            self.error = error
            raise

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
