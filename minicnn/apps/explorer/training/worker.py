"""A thread that works in small pieces, and answers calls between them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")
IDLE_SECONDS = 5.0  # after which `piece` is asked again, even if nobody called


class Worker:
    """Runs `piece` again and again while it returns True, and `call`ed functions in between.

    Everything that the thread works on is read and changed in that thread alone, so nothing of it
    needs a lock.

    Parameters
    ----------
    name : of the thread
    piece : does a piece of the work; returns whether there is more to do now
    failed : is called with the error of a piece
    """

    def __init__(
        self, name: str, piece: Callable[[], bool], failed: Callable[[Exception], None]
    ) -> None:
        self._piece, self._failed = piece, failed
        self._calls: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None]
        self._calls = queue.SimpleQueue()
        self._lock = threading.Lock()  # of `_ended`
        self._ended = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def call(self, function: Callable[[], T]) -> T:
        """Run a function between two pieces; return its result, or raise its error.

        After `end` it runs in the calling thread.
        """
        with self._lock:
            if self._ended:
                return function()
            future: Future[T] = Future()
            self._calls.put((function, future))
        return future.result()

    def end(self) -> None:
        """End the thread after the piece that it works on, and wait for it."""
        with self._lock:
            if not self._ended:
                self._calls.put(None)
                self._ended = True
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _work(self) -> None:
        more = True
        while self._answered(wait=not more):
            try:
                more = self._piece()
            except Exception as error:  # the thread must live on, to answer calls
                self._failed(error)
                more = False

    def _answered(self, *, wait: bool) -> bool:
        """Run all functions that wait; return False at the end."""
        try:
            found = self._calls.get(block=wait, timeout=IDLE_SECONDS)
            while found is not None:
                _run(*found)
                found = self._calls.get(block=False)
        except queue.Empty:
            return True
        return False


def _run(function: Callable[[], Any], future: Future[Any]) -> None:
    try:
        future.set_result(function())
    except BaseException as error:  # the caller gets it
        future.set_exception(error)
