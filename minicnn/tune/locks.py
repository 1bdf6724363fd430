"""Locks between processes, on a file. Whoever dies lets go of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from minicnn.support.files import naming, open_handle

try:
    import fcntl
except ModuleNotFoundError:  # Windows: one process at a time, and nobody is known to be gone
    fcntl = None  # type: ignore[assignment]


class FileLock:
    """A lock on a file that is made for it; Optuna's journal takes one too.

    Threads of one process wait for each other as processes do.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None

    def acquire(self) -> bool:
        """Wait until nobody else holds it."""
        handle = open_handle(self.path, os.O_RDWR | os.O_CREAT)
        try:
            _flock(handle, self.path)
        except BaseException:  # Ctrl-C too: nobody would let go of what was just taken
            os.close(handle)
            raise
        self._handle = handle
        return True

    def release(self) -> None:
        """Let the next one have it."""
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock on this file inside the block."""
    lock = FileLock(path)
    lock.acquire()
    try:
        yield
    finally:
        lock.release()


def is_locked(path: Path) -> bool:
    """Does anybody hold the lock on this file? Where nobody can know: yes, if it is there."""
    try:
        handle = open_handle(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        _flock(handle, path, wait=False)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return fcntl is None


def _flock(handle: int, path: Path, *, wait: bool = True) -> None:
    if fcntl is not None:
        with naming(path):
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
