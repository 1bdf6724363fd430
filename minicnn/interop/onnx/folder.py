"""Parts of files that lie beside a model: plain names in its folder, and nothing else."""

from __future__ import annotations

import os
import stat

from minicnn.errors import FormatError, TruncatedError, UnsafeFileError
from minicnn.support.files import open_regular
from minicnn.support.text import printable, quoted


def read_part(folder: str, name: str, offset: int, size: int, path: str, what: str) -> bytes:
    """Return `size` bytes of a file of the folder, from `offset` on.

    The name must be one of a file directly in the folder: no other folder, no link.

    Raises
    ------
    UnsafeFileError : the name leads elsewhere, or the file is a link
    FormatError : there is no such file
    TruncatedError : it ends too early
    """
    place = f"{what}, whose data are in the file {quoted(printable(name))},"
    if name in (".", "..") or any(mark in name for mark in ("/", "\\", "\0", ":")):
        raise UnsafeFileError(path, f"{place} points out of the model's folder; refused")
    full = os.path.join(folder, name)
    try:
        status = os.lstat(full)
    except OSError as error:
        raise FormatError(path, f"{place} cannot be read: the file is missing") from error
    if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
        raise UnsafeFileError(path, f"{place} is a link or no regular file; refused")
    if status.st_size < offset + size:
        raise TruncatedError(
            path, f"{place} needs bytes {offset}-{offset + size}; the file has {status.st_size}"
        )
    with open_regular(full) as file:
        opened = os.fstat(file.fileno())
        if (opened.st_dev, opened.st_ino) != (status.st_dev, status.st_ino):
            raise UnsafeFileError(path, f"{place} was exchanged while it was read; refused")
        file.seek(offset)
        content = file.read(size)
    if len(content) < size:
        raise TruncatedError(path, f"{place} ended early")
    return content
