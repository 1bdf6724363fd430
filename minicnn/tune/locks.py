"""Locks between processes, on a file. Whoever dies lets go of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

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
        self._file: IO[bytes] | None = None

    def acquire(self) -> bool:
        """Wait until nobody else holds it."""
        file = self.path.open("ab")
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX)
        self._file = file
        return True

    def release(self) -> None:
        """Let the next one have it."""
        file, self._file = self._file, None
        if file is not None:
            file.close()


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
        with path.open("rb") as file:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return fcntl is None
