"""Whole files: written all or not at all, read all or refused.

A file under its own name is never half written. The new content goes to a temporary file in the
same folder, is forced to the disk and read back, and then takes over the name in one step. Killed
at any instant, the old file or the new one is there; a kill (or a power cut) can only leave a
`.minicnn-*.tmp` behind, which nothing ever reads. Where the name is a symbolic link, the link
itself is replaced and what it pointed to stays as it is.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import stat
from collections.abc import Iterable
from contextlib import suppress

from minicnn.errors import FormatError, SizeLimitError

Path = str | os.PathLike[str]
Parts = Iterable[bytes | memoryview]

CHUNK_BYTES = 1 << 20
# Windows would otherwise translate line ends; elsewhere every file is binary.
BINARY = getattr(os, "O_BINARY", 0)
# Opening a named pipe must not wait for somebody to write to it.
NO_WAITING = getattr(os, "O_NONBLOCK", 0)


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
        written reads back differently. The old file is then intact and no temporary file is left;
        only a failure to make the new *name* durable, the very last step, comes after the change.
    """
    path = os.fspath(path)
    if os.path.isdir(path) and not os.path.islink(path):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    folder = os.path.dirname(path) or os.curdir
    if not os.path.isdir(folder):
        raise FileNotFoundError(errno.ENOENT, "no such folder; make it first", folder)
    temporary = os.path.join(folder, f".minicnn-{secrets.token_hex(8)}.tmp")
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
    _make_name_durable(folder)


def read_whole(path: Path, most_bytes: int) -> bytes:
    """The content of a regular file of at most `most_bytes`; anything else is refused unread.

    Raises
    ------
    FormatError
        The path names a device, a pipe or a socket.
    SizeLimitError
        The file is larger than `most_bytes`.
    OSError
        As `open` does: `FileNotFoundError`, `IsADirectoryError`, `PermissionError`.
    """
    handle = os.open(path, os.O_RDONLY | NO_WAITING | BINARY)
    try:
        _check_regular(os.fstat(handle), os.fspath(path), most_bytes)
        with open(handle, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(handle)


def _check_regular(status: os.stat_result, path: str, most_bytes: int) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if not stat.S_ISREG(status.st_mode):
        raise FormatError(path, "is a device, a pipe or a socket; give a regular file")
    if status.st_size > most_bytes:
        raise SizeLimitError(
            f"{path}: holds {status.st_size:,} bytes, and at most {most_bytes:,} are read"
        )


def _write(handle: int, parts: Parts) -> bytes:
    """Write `parts`, force them to the disk, close; the digest of what should be there."""
    digest = hashlib.sha256()
    try:
        for part in parts:
            digest.update(part)
            rest = memoryview(part).cast("B")
            while rest:  # a write may be short
                rest = rest[os.write(handle, rest) :]
        os.fsync(handle)
    finally:
        os.close(handle)
    return digest.digest()


def _digest_of_file(path: str) -> bytes:
    digest = hashlib.sha256()
    handle = os.open(path, os.O_RDONLY | BINARY)
    try:
        while chunk := os.read(handle, CHUNK_BYTES):
            digest.update(chunk)
    finally:
        os.close(handle)
    return digest.digest()


def _make_name_durable(folder: str) -> None:
    """Without this a power cut may bring the old file back after the save was reported."""
    if os.name == "nt":
        return  # there a folder cannot be opened, and its file system keeps a journal of names
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
