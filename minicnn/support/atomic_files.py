"""How every file is written: whole files all or not at all, journals a line at a time.

A file under its own name is never half written. The new content goes to a temporary file in the
same folder, is forced to the disk and read back, and then takes over the name in one step. Killed
at any instant, the old file or the new one is there; a kill (or a power cut) can only leave a
`.minicnn-*.tmp` behind, which nothing ever reads and which the next process that writes into the
folder takes away. Where the name is a symbolic link, the link itself is replaced and what it
pointed to stays as it is.
"""

from __future__ import annotations

import errno
import functools
import hashlib
import io
import os
import secrets
import shutil
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType

from minicnn.support.files import (
    BINARY,
    TEMPORARY,
    Path,
    open_handle,
    open_regular,
    path_in_errors,
    text_or_empty,
)

Parts = Iterable[bytes | memoryview]

CHUNK_BYTES = 1 << 20
# No file is written for so long without a byte: whoever began this one is gone.
SECONDS_UNTIL_OLD = 24 * 60 * 60
MAX_SWEPT = 1000  # folders that are remembered: a program may write into ever new ones

_in_use: set[str] = set()  # temporary names, without their folders, that this process writes to
_swept: set[tuple[int, int]] = set()  # folders, by device and inode
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_swept.clear)  # another process, of which others may die


def write_atomically(path: Path, parts: Parts) -> None:
    """Make `path` a file of `parts`, one after the other, or raise and leave it as it was.

    Parameters
    ----------
    path : str or path
        The file to create or replace; its folder must exist.
    parts : iterable of bytes or memoryview
        The content, gone through once.

    Raises
    ------
    OSError
        Whatever the system reports (disk full, no permission, ...), or `EIO` where what was
        written reads back differently; `filename` is the path. The old file is then intact and no
        temporary file is left; only a failure to make the new *name* durable, the very last step,
        comes after the change.
    """
    path = os.fspath(path)
    if os.path.isdir(path) and not os.path.islink(path):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    folder = os.path.dirname(path) or os.curdir
    if not os.path.isdir(folder):
        raise FileNotFoundError(errno.ENOENT, "no such folder; make it first", folder)
    _sweep_once(folder)
    with path_in_errors(path), new_temporary(folder) as temporary:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | BINARY, 0o666)
        try:
            written = _write(handle, parts)
            if _digest_of_file(temporary) != written:
                raise OSError(errno.EIO, "what was written reads back differently", path)
            os.replace(temporary, path)
        except BaseException:  # Ctrl-C too
            with suppress(OSError):
                os.unlink(temporary)
            raise
        make_names_durable(folder)


def write_text(path: Path, text: str) -> None:
    """`write_atomically` of a text in UTF-8; names of files that are no UTF-8 keep their bytes."""
    write_atomically(path, [text.encode(errors="surrogateescape")])


def copy_file(source: Path, target: Path) -> None:
    """Copy a regular file, with its times and permissions, to a new name.

    Raises
    ------
    FileExistsError
        The name is there already.
    FormatError
        `source` is a device, a pipe or a socket.
    OSError
        Whatever the system reports, also that the file changed in the meantime; nothing is left
        under the new name.
    """
    with open_regular(source) as file, path_in_errors(target):
        before = os.fstat(file.fileno())
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | BINARY, 0o666)
        try:
            try:
                for chunk in _chunks(file, source):
                    _write_all(handle, chunk)
            finally:
                os.close(handle)
            after = os.fstat(file.fileno())
            if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
                raise OSError(errno.EBUSY, "changed while it was copied", os.fspath(source))
            shutil.copystat(source, target)
        except BaseException:  # Ctrl-C too
            with suppress(OSError):
                os.unlink(target)
            raise


def open_for_changes(path: Path) -> io.BufferedRandom:
    """A regular file to read and write in place, made if it is not there: a table that grows."""
    return os.fdopen(open_handle(path, os.O_RDWR | os.O_CREAT), "r+b")


class Journal:
    """A text file that only grows, by whole lines; each is on the disk when `add` returns.

    A line that could not be written whole is taken back. Where an earlier program was killed in
    the middle of a line, the next one begins on a line of its own.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, or make it."""
        self.path = os.fspath(path)
        with path_in_errors(self.path):
            self._handle = open_handle(self.path, os.O_RDWR | os.O_CREAT)
            self._length = os.lseek(self._handle, 0, os.SEEK_END)

    def __enter__(self) -> Journal:
        """For `with`."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._handle)

    def add(self, line: str, end: str = "\n") -> None:
        """Write a line behind all others."""
        with path_in_errors(self.path):
            before = self._length
            try:
                if before and self._last_byte() != b"\n":
                    self._write(end.encode())
                self._write((line + end).encode(errors="surrogateescape"))
                os.fsync(self._handle)
            except BaseException:
                with suppress(OSError):
                    os.ftruncate(self._handle, before)
                self._length = before
                raise

    def _last_byte(self) -> bytes:
        os.lseek(self._handle, self._length - 1, os.SEEK_SET)
        return os.read(self._handle, 1)

    def _write(self, data: bytes) -> None:
        os.lseek(self._handle, self._length, os.SEEK_SET)
        _write_all(self._handle, data)
        self._length += len(data)


def append_line(path: Path, line: str) -> None:
    """Add one line to a text file, which is made if it is not there; see `Journal`."""
    with Journal(path) as journal:
        journal.add(line)


def sweep(folder: Path) -> None:
    """Take away the temporary files and folders that killed processes left in `folder`.

    Only names as `new_temporary` makes them are taken, and of those only the ones of processes of
    this machine that are gone, and whatever nobody has written to for a day.
    """
    with suppress(OSError), os.scandir(os.fsdecode(folder)) as entries:
        for entry in entries:
            found = TEMPORARY.fullmatch(entry.name)
            if found and entry.name not in _in_use and _is_left(entry, found[1], found[2]):
                _remove(entry)


@contextmanager
def new_temporary(folder: Path) -> Iterator[str]:
    """A new name in `folder` that nobody sweeps inside the block; making it is the caller's part.

    It says which process of which machine is at work, so that the others can tell whether it
    still is.
    """
    name = f".minicnn-{_machine()}-{os.getpid()}-{secrets.token_hex(8)}.tmp"
    _in_use.add(name)
    try:
        yield os.path.join(folder, name)
    finally:
        _in_use.discard(name)


def make_names_durable(folder: Path) -> None:
    """Force the names in a folder to the disk: a power cut might bring the old ones back."""
    if os.name == "nt":
        return  # there a folder cannot be opened, and its file system keeps a journal of names
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def is_alive(process: int) -> bool:
    """Does this machine run a process of this number? Where nobody can ask: yes."""
    if os.name == "nt":
        return True  # there signal 0 is no question, but Ctrl-C
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        pass  # it is somebody else's
    return True


def _write(handle: int, parts: Parts) -> bytes:
    """Write `parts`, force them to the disk, close; the digest of what should be there."""
    digest = hashlib.sha256()
    try:
        for part in parts:
            digest.update(part)
            _write_all(handle, part)
        os.fsync(handle)
    finally:
        os.close(handle)
    return digest.digest()


def _chunks(file: io.BufferedReader, path: Path) -> Iterator[bytes]:
    """The content piece by piece; errors of reading name `path`."""
    while True:
        with path_in_errors(path):
            chunk = file.read(CHUNK_BYTES)
        if not chunk:
            return
        yield chunk


def _write_all(handle: int, data: bytes | memoryview) -> None:
    rest = memoryview(data).cast("B")
    while rest:  # a write may be short
        rest = rest[os.write(handle, rest) :]


def _digest_of_file(path: str) -> bytes:
    digest = hashlib.sha256()
    handle = os.open(path, os.O_RDONLY | BINARY)
    try:
        while chunk := os.read(handle, CHUNK_BYTES):
            digest.update(chunk)
    finally:
        os.close(handle)
    return digest.digest()


def _sweep_once(folder: str) -> None:
    """Sweep when this process writes into a folder for the first time: a look takes time."""
    status = os.stat(folder)
    if (status.st_dev, status.st_ino) not in _swept:
        if len(_swept) >= MAX_SWEPT:
            _swept.clear()
        sweep(folder)
        _swept.add((status.st_dev, status.st_ino))


def _is_left(entry: os.DirEntry[str], machine: str | None, process: str | None) -> bool:
    """Did whoever made this temporary name go away without it?"""
    if process is None or machine != _machine():  # nobody can be asked
        age = time.time() - entry.stat(follow_symlinks=False).st_mtime
        return age > SECONDS_UNTIL_OLD
    # A name with this process's number that is not in use is an earlier process's.
    return int(process) == os.getpid() or not is_alive(int(process))


def _remove(entry: os.DirEntry[str]) -> None:
    if entry.is_dir(follow_symlinks=False):
        shutil.rmtree(entry.path, ignore_errors=True)
    elif stat.S_ISREG(entry.stat(follow_symlinks=False).st_mode):
        with suppress(OSError):
            os.unlink(entry.path)


@functools.cache
def _machine() -> str:
    """Eight digits for where process numbers mean the same: this machine, since it was started.

    Containers count their processes on their own, so their number space belongs to it.
    """
    marks = [os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")]
    marks.append(text_or_empty("/proc/sys/kernel/random/boot_id"))
    with suppress(OSError):
        marks.append(os.readlink("/proc/self/ns/pid"))
    return hashlib.sha256("\n".join(marks).encode(errors="surrogateescape")).hexdigest()[:8]
