"""Ctrl-C during a training: a step is abandoned before it changes the model, or finished."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterable, Iterator
from types import FrameType
from typing import Any, TypeVar

from minicnn.support.main_process import is_alone

T = TypeVar("T")
_END: Any = object()


class BetweenSteps(KeyboardInterrupt):
    """Ctrl-C between two steps, where weights, optimizer and counters belong together."""


class Interrupt:
    """Handles Ctrl-C inside a `with` block: the first one waits for `check`, the second does not.

    Inside `with interrupt.interruptible:`, where nothing lasting changes, the first Ctrl-C raises
    BetweenSteps immediately. Inside `with interrupt.uninterruptible:` even the second one waits for
    the end of the block. Python delivers signals to the main thread only; in other threads this
    class does nothing. Of several processes that train together none can stop at a step of its own,
    so there it does nothing either, and Ctrl-C ends the job.
    """

    def __init__(self) -> None:
        self.asked = False
        self.interruptible = _Interruptible(self)
        self.uninterruptible = _UninterruptibleInFit()
        self._before: Any = None

    def __enter__(self) -> Interrupt:
        if is_alone() and threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def check(self) -> None:
        """Raise BetweenSteps if Ctrl-C was pressed; to be called between two steps."""
        if self.asked:
            self.asked = False
            raise BetweenSteps

    def each(self, items: Iterable[T]) -> Iterator[T]:
        """Yield the items; Ctrl-C raises immediately while the next one is awaited."""
        iterator = iter(items)
        while True:
            with self.interruptible:
                item = next(iterator, _END)
            if item is _END:
                return
            yield item

    def _ask(self, _signal: int, _frame: FrameType | None) -> None:
        if self.interruptible.inside:
            raise BetweenSteps
        if self.asked:
            self.uninterruptible.strike()
        self.asked = True


class _Interruptible:
    """A `with` block in which Ctrl-C raises BetweenSteps immediately."""

    def __init__(self, interrupt: Interrupt) -> None:
        self._interrupt, self.inside = interrupt, False

    def __enter__(self) -> None:
        self._interrupt.check()
        self.inside = True

    def __exit__(self, *_: object) -> None:
        self.inside = False


class _UninterruptibleInFit:
    """A `with` block at whose end a second Ctrl-C raises KeyboardInterrupt."""

    def __init__(self) -> None:
        self._inside = self._struck = False

    def __enter__(self) -> None:
        self._inside = True

    def __exit__(self, *_: object) -> None:
        self._inside = False
        if self._struck:
            self._struck = False
            raise KeyboardInterrupt

    def strike(self) -> None:
        """Raise KeyboardInterrupt, or note it until the block ends."""
        if not self._inside:
            raise KeyboardInterrupt
        self._struck = True


class Uninterruptible:
    """A `with` block that Ctrl-C does not interrupt: the handler runs when the block ends.

    It replaces the signal handler for the block; `Interrupt.uninterruptible` is faster.
    """

    def __init__(self) -> None:
        self._before: Any = None
        self._noted = False

    def __enter__(self) -> None:
        self._before, self._noted = None, False
        handler = signal.getsignal(signal.SIGINT)
        if callable(handler) and threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._note)

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
        if self._noted:
            self._before(signal.SIGINT, None)

    def _note(self, _signal: int, _frame: FrameType | None) -> None:
        self._noted = True
