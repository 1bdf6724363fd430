"""Writing files: whole files atomically, journals line by line.

A file is never half written. The new content goes to a temporary file in the same folder, is forced
to the disk and read back, and then replaces the old file in one step. If the process is killed at
any moment, either the old file or the new one exists. A kill or a power failure can only leave a
`.minicnn-*.tmp` behind, which is never read and which the next process that writes to the folder
removes. If the name is a symbolic link, the link is replaced and its target does not change.

Of several processes that train together, only the main one writes: on the others
`write_atomically`, `write_text`, `append_line` and `sweep` do nothing.
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
from minicnn.support.main_process import by_main_only

Parts = Iterable[bytes | memoryview]

CHUNK_BYTES = 1 << 20
# A temporary file to which nothing was written for so long has no process that writes it.
SECONDS_UNTIL_OLD = 24 * 60 * 60
MAX_SWEPT = 1000  # folders that are remembered, as a process may write to more and more folders

_in_use: set[str] = set()  # temporary names, without their folders, that this process writes to
_swept: set[tuple[int, int]] = set()  # (device, inode) of folders
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_swept.clear)  # the child sweeps again


@by_main_only
def write_atomically(path: Path, parts: Parts, *, durable: bool = True) -> None:
    """Write `parts`, one after the other, to a file; on an error the old file does not change.

    Parameters
    ----------
    path : str or path
        The file to create or replace; its folder must exist.
    parts : iterable of bytes or memoryview
        The content; it is iterated over once.
    durable : bool
        Wait until the disk has the content, and read it back. Without that, a power failure may
        leave a file with the new name and other content, so its reader must notice that.

    Raises
    ------
    OSError
        The error of the system (disk full, no permission, ...), or `EIO` if the file reads back
        differently than it was written; `filename` is the path. The old file is intact then, and
        no temporary file is left. Only the last step, which makes the new *name* durable, can fail
        after the change.
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
            written = _write(handle, parts, durable=durable)
            if durable:
                _check_content(temporary, written)
            os.replace(temporary, path)
        except BaseException:  # Ctrl-C too
            with suppress(OSError):
                os.unlink(temporary)
            raise
        if durable:
            make_names_durable(folder)


def write_text(path: Path, text: str) -> None:
    """Write a text in UTF-8 atomically; file names in it that are not UTF-8 keep their bytes."""
    write_atomically(path, [text.encode(errors="surrogateescape")])


def copy_file(source: Path, target: Path) -> None:
    """Copy a regular file, with its times and permissions, to a new name.

    Raises
    ------
    FileExistsError
        The new name exists already.
    FormatError
        `source` is a device, a pipe or a socket.
    OSError
        The error of the system, or the file changed while it was copied; the new name does not
        exist then.
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


def copy_durably(source: Path, target: Path) -> str:
    """Copy the bytes of a regular file to a new name, and be sure that they are on the disk.

    Returns
    -------
    The SHA-256 of the bytes, in hexadecimal digits

    Raises
    ------
    FileExistsError
        The new name exists already.
    FormatError
        `source` is a device, a pipe or a socket.
    OSError
        The error of the system, or `EIO` if the copy reads back differently than it was written;
        the new name does not exist then.
    """
    with open_regular(source) as file, path_in_errors(target):
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | BINARY, 0o600)
        try:
            written = _write(handle, _chunks(file, source))
            _check_content(target, written)
        except BaseException:  # Ctrl-C too
            with suppress(OSError):
                os.unlink(target)
            raise
    return written.hex()


def open_for_changes(path: Path) -> io.BufferedRandom:
    """Open a regular file for reading and writing in place; it is created if needed."""
    return os.fdopen(open_handle(path, os.O_RDWR | os.O_CREAT), "r+b")


class Journal:
    """A text file to which whole lines are appended; each is on the disk when `add` returns.

    A line that cannot be written completely is removed again. If an earlier process was killed in
    the middle of a line, the next entry begins on a new line.
    """

    def __init__(self, path: Path) -> None:
        """Open the file; it is created if needed."""
        self.path = os.fspath(path)
        with path_in_errors(self.path):
            self._handle = open_handle(self.path, os.O_RDWR | os.O_CREAT)
            self._length = os.lseek(self._handle, 0, os.SEEK_END)

    def __enter__(self) -> Journal:
        """Return the journal itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file."""
        os.close(self._handle)

    def add(self, line: str, end: str = "\n") -> None:
        """Append a line."""
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


@by_main_only
def append_line(path: Path, line: str) -> None:
    """Append one line to a text file, which is created if needed; see `Journal`."""
    with Journal(path) as journal:
        journal.add(line)


@by_main_only
def sweep(folder: Path) -> None:
    """Remove the temporary files and folders that killed processes left in `folder`.

    Only names of the form that `new_temporary` makes are removed: those of processes of this
    machine that have ended, and those that have not changed for a day.
    """
    with suppress(OSError), os.scandir(os.fsdecode(folder)) as entries:
        for entry in entries:
            found = TEMPORARY.fullmatch(entry.name)
            if found and entry.name not in _in_use and _is_abandoned(entry, found[1], found[2]):
                _remove(entry)


@contextmanager
def new_temporary(folder: Path) -> Iterator[str]:
    """Yield a new name in `folder`, which no process sweeps during the block.

    The caller creates the file or folder. The name contains the machine and the process, so that
    others can find out whether that process still runs.
    """
    name = f".minicnn-{machine_mark()}-{os.getpid()}-{secrets.token_hex(8)}.tmp"
    _in_use.add(name)
    try:
        yield os.path.join(folder, name)
    finally:
        _in_use.discard(name)


def make_names_durable(folder: Path) -> None:
    """Force the names in a folder to the disk, so that a power failure does not undo renames."""
    if os.name == "nt":
        return  # Windows cannot open folders, and its file system has a journal of names
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def is_alive(process: int) -> bool:
    """Return whether this machine runs a process of this number; True if that is unknown."""
    if os.name == "nt":
        return True  # on Windows signal 0 is Ctrl-C and not a test
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        pass  # the process belongs to another user
    return True


def _write(handle: int, parts: Parts, *, durable: bool = True) -> bytes:
    """Write `parts`, by default also to the disk, and close the file; return their SHA-256."""
    digest = hashlib.sha256()
    try:
        for part in parts:
            digest.update(part)
            _write_all(handle, part)
        if durable:
            os.fsync(handle)
    finally:
        os.close(handle)
    return digest.digest()


def _chunks(file: io.BufferedReader, path: Path) -> Iterator[bytes]:
    """Yield the content in chunks; errors of reading name `path`."""
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


def _check_content(path: Path, digest: bytes) -> None:
    if _digest_of_file(path) != digest:
        raise OSError(errno.EIO, "the file reads back differently than it was written")


def _digest_of_file(path: Path) -> bytes:
    digest = hashlib.sha256()
    handle = os.open(path, os.O_RDONLY | BINARY)
    try:
        while chunk := os.read(handle, CHUNK_BYTES):
            digest.update(chunk)
    finally:
        os.close(handle)
    return digest.digest()


def _sweep_once(folder: str) -> None:
    """Sweep a folder only the first time this process writes to it, as that takes time."""
    status = os.stat(folder)
    if (status.st_dev, status.st_ino) not in _swept:
        if len(_swept) >= MAX_SWEPT:
            _swept.clear()
        sweep(folder)
        _swept.add((status.st_dev, status.st_ino))


def _is_abandoned(entry: os.DirEntry[str], machine: str | None, process: str | None) -> bool:
    """Return whether the process that made this temporary name has ended."""
    if process is None or machine != machine_mark():  # whether it still runs is unknown
        age = time.time() - entry.stat(follow_symlinks=False).st_mtime
        return age > SECONDS_UNTIL_OLD
    # A name with the number of this process that it does not use belongs to an earlier process.
    return int(process) == os.getpid() or not is_alive(int(process))


def _remove(entry: os.DirEntry[str]) -> None:
    if entry.is_dir(follow_symlinks=False):
        shutil.rmtree(entry.path, ignore_errors=True)
    elif stat.S_ISREG(entry.stat(follow_symlinks=False).st_mode):
        with suppress(OSError):
            os.unlink(entry.path)


@functools.cache
def machine_mark() -> str:
    """Return eight digits that identify this machine since it was started.

    Containers number their processes separately, so the process namespace is included.
    """
    marks = [os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")]
    marks.append(text_or_empty("/proc/sys/kernel/random/boot_id"))
    with suppress(OSError):
        marks.append(os.readlink("/proc/self/ns/pid"))
    return hashlib.sha256("\n".join(marks).encode(errors="surrogateescape")).hexdigest()[:8]
