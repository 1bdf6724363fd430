"""Locks between processes, each on a file of its own.

The system holds the lock for the process that has the file open, so it is released however that
process ends. A file that a killed process left behind does not matter: the next one locks it.

held         refuses a file that another process has locked
FileLock     waits until the lock is free; its file stays
FolderLock   refuses a folder in which another process works; its file is removed at the end; of
             several processes that train together, only the main one takes it

Windows has no such locks: there no process is kept out. Some network file systems have none
either: a FileLock is then an OSError, as its user relies on it, and a FolderLock, which only guards
against accidents, keeps no process out.
"""

from __future__ import annotations

import errno
import os
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType

from minicnn.errors import FolderInUseError
from minicnn.support.files import Path, open_handle, path_in_errors
from minicnn.support.main_process import by_main_only

try:
    import fcntl
except ModuleNotFoundError:  # Windows
    fcntl = None  # type: ignore[assignment]

NAME = ".minicnn.lock"
# What the system answers where the file system has no locks.
NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL)


class FileLock:
    """An exclusive lock on a file, which is created if needed; Optuna's journal accepts it too.

    Threads of one process exclude each other as processes do.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None

    def acquire(self) -> bool:
        """Wait until the lock is free and take it; return True, as Optuna expects."""
        handle = open_handle(self.path, os.O_RDWR | os.O_CREAT)
        try:
            with path_in_errors(self.path):
                _flock(handle)
        except BaseException:  # Ctrl-C too; an open file would keep the lock
            os.close(handle)
            raise
        self._handle = handle
        return True

    def release(self) -> None:
        """Release the lock; do nothing if it is not held."""
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


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the lock on an existing file inside the block; do not wait for it, and write nothing.

    Raises
    ------
    FolderInUseError
        Another process or thread holds the lock.
    OSError
        The file cannot be opened.
    """
    handle = open_handle(path, os.O_RDWR)
    try:
        with path_in_errors(path):
            if not _try_flock(handle):
                raise FolderInUseError(os.path.dirname(os.path.abspath(path)), None)
        yield
    finally:
        os.close(handle)


def is_locked(path: Path) -> bool:
    """Return whether a process holds the lock on this file.

    Where the system has no locks, return whether the file exists.
    """
    try:
        handle = open_handle(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        with path_in_errors(path):
            _flock(handle, wait=False)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return fcntl is None


class FolderLock:
    """Keeps other processes and threads out of a folder while a `with` block works in it.

    Parameters
    ----------
    folder : str or path
        It must exist. The lock file in it holds the number of the process that works there, for
        the error message, and is removed at the end.
    name : str
        Name of the lock file; only locks of the same name exclude each other.

    Raises
    ------
    FolderInUseError
        Another process or thread holds the lock when the block is entered.
    OSError
        The lock file cannot be created.
    """

    def __init__(self, folder: Path, name: str = NAME) -> None:
        """Store the paths; nothing is locked yet."""
        self.folder, self.path = os.fspath(folder), os.path.join(os.fspath(folder), name)
        self._handle: int | None = None

    def __enter__(self) -> FolderLock:
        """Take the lock, or raise FolderInUseError."""
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Release the lock."""
        self.release()

    @by_main_only
    def acquire(self) -> None:
        """Take the lock, or raise FolderInUseError."""
        with path_in_errors(self.path):
            while (handle := self._lock_file()) is None:
                pass  # the previous owner removed the file after it was opened here
            self._handle = handle
            _held.add(self)
            try:
                os.ftruncate(handle, 0)
                os.write(handle, f"{os.getpid()}\n".encode())
            except BaseException:  # a full disk; the lock would stay until the process ends
                self.release()
                raise

    def release(self) -> None:
        """Remove the lock file and release the lock; do nothing if it is not held."""
        handle, self._handle = self._handle, None
        _held.discard(self)
        if handle is not None:
            with suppress(OSError):  # the folder may have been removed
                os.unlink(self.path)
            os.close(handle)

    def forget(self) -> None:
        """Close the file in a forked child, which leaves the lock to the parent process."""
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)

    def _lock_file(self) -> int | None:
        """Return a handle of the locked file, or None if its name was removed in the meantime."""
        handle = open_handle(self.path, os.O_RDWR | os.O_CREAT)
        try:
            if not _try_flock(handle):
                raise FolderInUseError(self.folder, _process_in(handle))
            if _still_has_name(handle, self.path):
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)
        return None


_held: weakref.WeakSet[FolderLock] = weakref.WeakSet()


def _flock(handle: int, *, wait: bool = True) -> None:
    """Lock an opened file; with `wait=False` raise BlockingIOError if it is locked already."""
    if fcntl is not None:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))


def _try_flock(handle: int) -> bool:
    """Lock an opened file without waiting; False if it is locked, True where there are no locks."""
    try:
        _flock(handle, wait=False)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
    return True


def _still_has_name(handle: int, path: str) -> bool:
    """Return whether `path` is still the opened file; its last owner may have removed it."""
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False


def _process_in(handle: int) -> int | None:
    """Return the process number in a lock file; None if it has not been written yet."""
    text = os.pread(handle, 20, 0).strip() if hasattr(os, "pread") else b""
    return int(text) if text.isdigit() else None


def _forget_all() -> None:
    for lock in list(_held):
        lock.forget()
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
