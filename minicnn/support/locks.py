"""One process at a time in a folder: a lock file with the number of the process at work.

The system holds the lock for the process that has the file open, so a process that dies in whatever
way lets go of it, and a file that a killed one left is simply taken over. The number in the file is
only for the message. Where the system or the file system has no such locks (Windows, some network
folders), nobody is kept out.
"""

from __future__ import annotations

import errno
import os
import weakref
from contextlib import suppress
from types import TracebackType

from minicnn.errors import FolderInUseError
from minicnn.support.files import Path, naming, open_handle

try:
    import fcntl
except ModuleNotFoundError:  # Windows
    fcntl = None  # type: ignore[assignment]

NAME = ".minicnn.lock"
NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL)


class FolderLock:
    """Keeps other processes and threads out of a folder while a `with` block works in it.

    Parameters
    ----------
    folder : str or path
        It must exist; the lock file in it is taken away at the end.
    name : str
        Of the lock file: who takes the same one keeps each other out.

    Raises
    ------
    FolderInUseError
        When the block is entered: somebody else is at work there.
    OSError
        The lock file cannot be made.
    """

    def __init__(self, folder: Path, name: str = NAME) -> None:
        """Nothing is locked yet."""
        self.folder, self.path = os.fspath(folder), os.path.join(os.fspath(folder), name)
        self._handle: int | None = None

    def __enter__(self) -> FolderLock:
        """Take the lock, or raise at once."""
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Let go of it."""
        self.release()

    def acquire(self) -> None:
        """Take the lock, or raise FolderInUseError."""
        with naming(self.path):
            while (handle := self._take()) is None:
                pass  # whoever had the file took it away in that moment
            self._handle = handle
            _held.add(self)
            try:
                os.ftruncate(handle, 0)
                os.write(handle, f"{os.getpid()}\n".encode())
            except BaseException:  # a full disk: nobody would ever let go of it
                self.release()
                raise

    def release(self) -> None:
        """Take the lock file away and let the next one in; nothing where it is not held."""
        handle, self._handle = self._handle, None
        _held.discard(self)
        if handle is not None:
            with suppress(OSError):  # the folder may be gone
                os.unlink(self.path)
            os.close(handle)

    def forget(self) -> None:
        """In a process that was forked off: the lock stays with the parent alone."""
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)

    def _take(self) -> int | None:
        """The locked file; None if it is no longer the one of that name."""
        handle = open_handle(self.path, os.O_RDWR | os.O_CREAT)
        try:
            if not _lock(handle):
                raise FolderInUseError(self.folder, _process_of(handle))
            if _is_still(handle, self.path):
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)
        return None


_held: weakref.WeakSet[FolderLock] = weakref.WeakSet()


def _lock(handle: int) -> bool:
    if fcntl is None:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
    return True


def _is_still(handle: int, path: str) -> bool:
    """Does the name still belong to the opened file? Its last owner may have taken it away."""
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False


def _process_of(handle: int) -> int | None:
    """The number in the file; None in the moment before it is written."""
    text = os.pread(handle, 20, 0).strip() if hasattr(os, "pread") else b""
    return int(text) if text.isdigit() else None


def _forget_all() -> None:
    for lock in list(_held):
        lock.forget()
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
