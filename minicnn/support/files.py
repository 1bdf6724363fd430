"""Opening files for reading: only regular files, without blocking, and up to a size limit.

A name that ends in `.jpg` may belong to a named pipe, whose reader would wait forever for a writer,
or to a device, which never ends. Both are refused before anything is read. Every error names the
file, and the position in it if its content is wrong.
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
from pathlib import PurePosixPath

from minicnn.errors import FormatError, MiniCNNError, SizeLimitError

Path = str | os.PathLike[str]

# Without it Windows would translate line ends.
BINARY = getattr(os, "O_BINARY", 0)
# Opening a named pipe must not wait for its other end, and opening a terminal must not make it the
# controlling terminal of this process.
NO_WAITING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
CHUNK_BYTES = 1 << 16
# .minicnn-MACHINE-PROCESS-RANDOM.tmp, or the older form with only the random part.
TEMPORARY = re.compile(r"\.minicnn-(?:([0-9a-f]{8})-([0-9]{1,10})-)?[0-9a-f]{16}\.tmp", re.ASCII)
MAX_BYTES_OF_TEXT = 64 << 20  # default limit for lists, tables and settings


def open_regular(path: Path, max_bytes: int | None = None) -> io.BufferedReader:
    """Open a regular file for reading bytes; refuse anything else before it is read.

    Parameters
    ----------
    path : str or path
        Symbolic links are followed.
    max_bytes : int, optional
        The largest size that is accepted; default: any.

    Returns
    -------
    file object
        As `open(path, "rb")` returns it.

    Raises
    ------
    FormatError
        The path is a device, a pipe or a socket, or no valid path.
    SizeLimitError
        The file is larger than `max_bytes`.
    OSError
        As `open` does: `FileNotFoundError`, `IsADirectoryError`, `PermissionError`.
    """
    return os.fdopen(open_handle(path, os.O_RDONLY, max_bytes), "rb")


def read_whole(path: Path, max_bytes: int) -> bytes:
    """Return the content of a regular file; raises as `open_regular` does."""
    with open_regular(path, max_bytes) as file:
        # Read the reported size and one byte more, which shows that a file has grown or that the
        # system reports no size for it.
        content = file.read(os.fstat(file.fileno()).st_size + 1)
        while len(content) <= max_bytes and (more := file.read(CHUNK_BYTES)):
            content += more
    if len(content) > max_bytes:
        raise _too_large(path, f"more than {max_bytes:,}", max_bytes)
    return content


def read_head(path: Path, size: int) -> bytes:
    """Return at most the first `size` bytes of a regular file; raises as `open_regular` does."""
    handle = open_handle(path, os.O_RDONLY)
    try:
        return os.read(handle, size)
    finally:
        os.close(handle)


def read_text(path: Path, max_bytes: int = MAX_BYTES_OF_TEXT) -> str:
    """Return the content of a text file in UTF-8, without a byte order mark.

    Raises
    ------
    FormatError
        The file is not UTF-8; the message and `offset` say where. Also as `open_regular`.
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
            f"line {line} has the byte 0x{content[offset]:02x}, which is not valid UTF-8; save the "
            "file as UTF-8",
            offset,
        ) from error


def text_or_empty(path: Path) -> str:
    """Return the text of a file, or "" if it cannot be read; for files of the operating system."""
    try:
        return read_whole(path, MAX_BYTES_OF_TEXT).decode(errors="replace")
    except (OSError, FormatError, SizeLimitError):
        return ""


def is_below(path: str, folder: str) -> bool:
    """Return whether an absolute path is a folder's, or of something below it.

    >>> is_below("/photos/cats/1.jpg", "/photos"), is_below("/photos 2/1.jpg", "/photos")
    (True, False)
    """
    try:
        return os.path.commonpath([path, folder]) == folder
    except ValueError:  # on Windows, another drive
        return False


def open_below(folder: Path, path: str) -> io.BufferedReader:
    """Open a regular file below a folder for reading bytes, without following any link on the way.

    Parameters
    ----------
    folder : str or path
        It may be below a link itself.
    path : str
        From the folder to the file, with "/"; it may come from an attacker.

    Raises
    ------
    FormatError
        The path leads out of the folder, or to something else than a file.
    OSError
        As `open` does, also if a part of the path is a link.
    """
    parts = PurePosixPath(path).parts
    if not parts or ".." in parts or parts[0].startswith("/"):
        raise FormatError(path, "is not a path below a folder")
    step_by_step = os.open in os.supports_dir_fd
    try:
        return (_open_step_by_step if step_by_step else _open_resolved)(os.fspath(folder), parts)
    except FormatError:
        raise
    except ValueError as error:  # a zero byte, or characters that the system cannot encode
        raise FormatError(repr(path), f"cannot be the name of a file ({error})") from error


def _open_step_by_step(folder: str, parts: tuple[str, ...]) -> io.BufferedReader:
    """Open each folder below the one before, so that no link made in the meantime is followed."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts[:-1]:
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
            handle, above = os.open(part, flags, dir_fd=handle), handle
            os.close(above)
        below = os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | NO_WAITING, dir_fd=handle)
    finally:
        os.close(handle)
    try:
        _check_regular(os.fstat(below), parts[-1], None)
        return os.fdopen(below, "rb")
    except BaseException:
        os.close(below)
        raise


def _open_resolved(folder: str, parts: tuple[str, ...]) -> io.BufferedReader:
    """Open a file of a system that cannot open it step by step, Windows."""
    path = os.path.join(os.path.realpath(folder), *parts)
    if os.path.realpath(path) != path:
        raise FormatError(path, "leads out of its folder by a link")
    return open_regular(path)


@contextmanager
def path_in_errors(path: Path) -> Iterator[None]:
    """Set the file name of every OSError inside the block to `path`.

    The error of a full disk has no file name, and others have that of the temporary file.
    """
    try:
        yield
    except OSError as error:
        if not isinstance(error, MiniCNNError) and _is_nameless(error):
            error.filename = os.fspath(path)
            del error.filename2  # otherwise None is printed
        raise


def open_handle(path: Path, flags: int, max_bytes: int | None = None) -> int:
    """Open a regular file and return its descriptor; raises as `open_regular` does.

    `flags` are those of `os.open`.
    """
    path = os.fspath(path)
    try:
        handle = os.open(path, flags | NO_WAITING | BINARY, 0o666)
    except OSError as error:
        if error.errno == errno.ENXIO:  # a socket, or a pipe without a reader
            raise _not_regular(path) from error
        raise
    except ValueError as error:  # a zero byte, or characters that the system cannot encode
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
