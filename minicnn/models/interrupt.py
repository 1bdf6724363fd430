"""Ctrl-C during a training: the step in progress is finished first, so that nothing is torn."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any


class BetweenSteps(KeyboardInterrupt):
    """Ctrl-C, taken up between two steps: weights, optimizer and counters belong together."""


class Interrupt:
    """Inside the `with` block the first Ctrl-C waits for `check`, the second strikes at once.

    Elsewhere than in the main thread Python delivers no signals, and this does nothing.
    """

    def __init__(self) -> None:
        self.asked = False
        self._before: Any = None

    def __enter__(self) -> Interrupt:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def check(self) -> None:
        """Raise BetweenSteps if Ctrl-C was pressed; the caller's state is whole here."""
        if self.asked:
            self.asked = False
            raise BetweenSteps

    def _ask(self, _signal: int, _frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
