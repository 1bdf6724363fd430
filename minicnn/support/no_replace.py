"""Giving a file another name without ever replacing a file that has this name already.

`os.rename` replaces the other file, and to look first whether there is one leaves a gap in which
another process may create it. Each way here is refused by the system itself if the name is taken.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import sys
from collections.abc import Callable
from contextlib import suppress

from minicnn.support.files import Path, open_handle

AT_FDCWD = -100  # relative paths begin at the working directory
RENAME_NOREPLACE = 1  # of Linux's renameat2
RENAME_EXCL = 4  # of macOS's renamex_np
# What the system answers where a file system does not know the way that was tried. A missing
# permission for hard links, as on FAT, is EPERM.
UNKNOWN_WAY = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM)

Rename = Callable[[str, str], None]


def rename_without_replacing(old: Path, new: Path) -> None:
    """Rename a file in one step; nothing changes if the new name is taken.

    Raises
    ------
    FileExistsError
        The new name belongs to another file, also on a disk that ignores upper and lower case.
    NotImplementedError
        The system or the file system cannot do that in one step.
    OSError
        The error of the system; `EXDEV` if the names are on two file systems.
    """
    rename = _system_rename()
    if rename is None:
        raise NotImplementedError("this system has no renaming without replacing")
    try:
        rename(os.fspath(old), os.fspath(new))
    except OSError as error:
        if error.errno in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP):
            raise NotImplementedError(str(error)) from error
        raise


def place_without_replacing(temporary: Path, name: Path) -> None:
    """Give a temporary file its final name in the same folder, on any file system.

    Where the system cannot rename without replacing, a second name (a hard link) is made and the
    first one removed. On a file system without hard links, an empty file reserves the name and is
    replaced. A kill in between leaves the temporary file, so its content has a name at any time.

    Raises
    ------
    FileExistsError : the name belongs to another file; the temporary file stays
    OSError : the error of the system
    """
    with suppress(NotImplementedError):
        return rename_without_replacing(temporary, name)
    try:
        os.link(temporary, name)
    except OSError as error:
        if error.errno not in UNKNOWN_WAY:
            raise
        _reserve_and_replace(temporary, name)
        return None
    try:
        os.unlink(temporary)
    except BaseException:  # Ctrl-C too
        with suppress(OSError):
            os.unlink(name)
        raise


def _reserve_and_replace(temporary: Path, name: Path) -> None:
    os.close(open_handle(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
    try:
        os.replace(temporary, name)
    except BaseException:  # Ctrl-C too
        with suppress(OSError):
            os.unlink(name)
        raise


@functools.cache
def _system_rename() -> Rename | None:
    """Return the system's function that renames without replacing, or None."""
    if os.name == "nt":
        return os.rename  # never replaces on Windows
    library = ctypes.CDLL(None, use_errno=True)
    if sys.platform == "darwin" and hasattr(library, "renamex_np"):
        return lambda old, new: _call(library.renamex_np, old, new, (), RENAME_EXCL)
    if hasattr(library, "renameat2"):
        return lambda old, new: _call(library.renameat2, old, new, (AT_FDCWD,), RENAME_NOREPLACE)
    return None


def _call(
    function: Callable[..., int], old: str, new: str, before: tuple[int, ...], flag: int
) -> None:
    """Call a C function of (folder, old name, folder, new name, flag) or without the folders."""
    names = (os.fsencode(old), os.fsencode(new))
    if any(b"\0" in name for name in names):
        raise ValueError("embedded null byte")
    arguments = [one for name in names for one in (*before, name)]
    if function(*arguments, ctypes.c_uint(flag)) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), old, None, new)
