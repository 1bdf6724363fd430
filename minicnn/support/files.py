"""How every file is opened for reading: without waiting, regular files only, up to a limit.

A name that ends in `.jpg` can belong to a named pipe, which would wait for ever for somebody to
write to it, or to a device, which never ends. Both are refused before anything is read of them.
Whatever goes wrong names the file; where its content is at fault, also the place in it.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from minicnn.errors import FormatError, MiniCNNError, SizeLimitError

Path = str | os.PathLike[str]

# Windows would otherwise translate line ends; elsewhere every file is binary.
BINARY = getattr(os, "O_BINARY", 0)
# Opening a named pipe must not wait for somebody at its other end, and opening a terminal must not
# make it this process's own.
NO_WAITING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
CHUNK_BYTES = 1 << 16
# .minicnn-MACHINE-PROCESS-RANDOM.tmp, and the form that had only the random part.
TEMPORARY = re.compile(r"\.minicnn-(?:([0-9a-f]{8})-([0-9]{1,10})-)?[0-9a-f]{16}\.tmp", re.ASCII)
MAX_BYTES_OF_TEXT = 64 << 20  # of lists, tables and settings, unless a reader says otherwise


def open_regular(path: Path, max_bytes: int | None = None) -> io.BufferedReader:
    """A regular file, opened for reading its bytes; anything else is refused unread.

    Parameters
    ----------
    path : str or path
        A symbolic link is followed.
    max_bytes : int, optional
        Refuse a file that is larger; default: any size.

    Returns
    -------
    file object
        As `open(path, "rb")` returns it; for decoders that take a file.

    Raises
    ------
    FormatError
        The path names a device, a pipe or a socket, or cannot be a path.
    SizeLimitError
        The file is larger than `max_bytes`.
    OSError
        As `open` does: `FileNotFoundError`, `IsADirectoryError`, `PermissionError`.
    """
    return os.fdopen(open_handle(path, os.O_RDONLY, max_bytes), "rb")


def read_whole(path: Path, max_bytes: int) -> bytes:
    """The content of a regular file of at most `max_bytes`; raises as `open_regular` does."""
    with open_regular(path, max_bytes) as file:
        # As much memory as the file has bytes, not as it may have. The system gives some files no
        # size, and others grow: one byte more shows that.
        content = file.read(os.fstat(file.fileno()).st_size + 1)
        while len(content) <= max_bytes and (more := file.read(CHUNK_BYTES)):
            content += more
    if len(content) > max_bytes:
        raise _too_large(path, f"more than {max_bytes:,}", max_bytes)
    return content


def read_text(path: Path, max_bytes: int = MAX_BYTES_OF_TEXT) -> str:
    """The content of a text file in UTF-8, without the mark that some editors put before it.

    Raises
    ------
    FormatError
        The file is no text in UTF-8; the message and `offset` say where. Else as `open_regular`.
    """
    content = read_whole(path, max_bytes)
    start = len(codecs.BOM_UTF8) if content.startswith(codecs.BOM_UTF8) else 0
    try:
        return content[start:].decode("utf-8")
    except UnicodeDecodeError as error:
        offset = start + error.start
        line = content.count(b"\n", 0, offset) + 1
        raise FormatError(
            path,
            f"line {line} has the byte 0x{content[offset]:02x}, which is no text in UTF-8; save "
            "the file as UTF-8",
            offset,
        ) from error


def text_or_empty(path: Path) -> str:
    """The text of a file that tells of the machine or the program; "" where there is none."""
    try:
        return read_whole(path, MAX_BYTES_OF_TEXT).decode(errors="replace")
    except (OSError, FormatError, SizeLimitError):
        return ""


@contextmanager
def path_in_errors(path: Path) -> Iterator[None]:
    """Let every error of the system inside the block say that it is about `path`.

    A full disk's error names no file, and others name the temporary one.
    """
    try:
        yield
    except OSError as error:
        if not isinstance(error, MiniCNNError) and _is_nameless(error):
            error.filename = os.fspath(path)
            del error.filename2  # None would be printed
        raise


def open_handle(path: Path, flags: int, max_bytes: int | None = None) -> int:
    """The number of an opened regular file; `flags` are those of `os.open`. Raises as above."""
    path = os.fspath(path)
    try:
        handle = os.open(path, flags | NO_WAITING | BINARY, 0o666)
    except OSError as error:
        if error.errno == errno.ENXIO:  # a socket, or a pipe that nobody reads
            raise _not_regular(path) from error
        raise
    except ValueError as error:  # a zero byte, or text that the system cannot write
        raise FormatError(repr(path), f"cannot be the name of a file ({error})") from error
    try:
        _check_regular(os.fstat(handle), path, max_bytes)
    except BaseException:
        os.close(handle)
        raise
    return handle


def _is_nameless(error: OSError) -> bool:
    return error.filename is None or TEMPORARY.search(os.fsdecode(error.filename)) is not None


def _check_regular(status: os.stat_result, path: str, max_bytes: int | None) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if not stat.S_ISREG(status.st_mode):
        raise _not_regular(path)
    if max_bytes is not None and status.st_size > max_bytes:
        raise _too_large(path, f"{status.st_size:,}", max_bytes)


def _not_regular(path: str) -> FormatError:
    return FormatError(path, "is a device, a pipe or a socket; give a regular file")


def _too_large(path: Path, size: str, max_bytes: int) -> SizeLimitError:
    return SizeLimitError(
        f"{os.fspath(path)}: holds {size} bytes, and at most {max_bytes:,} are read"
    )
