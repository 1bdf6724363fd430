"""Ctrl-C during a training: a step is given up as a whole, or finished, so that nothing is torn."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterable, Iterator
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")
_END: Any = object()


class BetweenSteps(KeyboardInterrupt):
    """Ctrl-C, taken up between two steps: weights, optimizer and counters belong together."""


class Interrupt:
    """Inside the `with` block the first Ctrl-C waits for `check`, the second strikes at once.

    Inside a `with interrupt.at_once:` block nothing that lasts is changed, so the first one, too,
    strikes there, as BetweenSteps; inside `with interrupt.whole:` even the second one waits for the
    block's end. Elsewhere than in the main thread Python delivers no signals,
    and this does nothing.
    """

    def __init__(self) -> None:
        self.asked = False
        self.at_once = _AtOnce(self)
        self.whole = _Whole()
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

    def each(self, items: Iterable[T]) -> Iterator[T]:
        """The items; while the next one is waited for, Ctrl-C strikes at once."""
        iterator = iter(items)
        while True:
            with self.at_once:
                item = next(iterator, _END)
            if item is _END:
                return
            yield item

    def _ask(self, _signal: int, _frame: FrameType | None) -> None:
        if self.at_once.inside:
            raise BetweenSteps
        if self.asked:
            self.whole.strike()
        self.asked = True


class _AtOnce:
    def __init__(self, interrupt: Interrupt) -> None:
        self._interrupt, self.inside = interrupt, False

    def __enter__(self) -> None:
        self._interrupt.check()
        self.inside = True

    def __exit__(self, *_: object) -> None:
        self.inside = False


class _Whole:
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
        """Raise KeyboardInterrupt, inside the block when it is left."""
        if not self._inside:
            raise KeyboardInterrupt
        self._struck = True


class Whole:
    """A `with` block that Ctrl-C does not tear: its handler runs when the block is left.

    It changes the handler twice, which takes longer than `Interrupt.whole`, the same in `fit`.
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
