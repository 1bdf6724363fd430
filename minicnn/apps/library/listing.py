"""Listing the picture files in a folder, by their content or by their names."""

from __future__ import annotations

import errno
import os
import stat
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from minicnn.data.file_kinds import HEIC, IMAGE, RAW, kind_of_file
from minicnn.data.folders import is_ignored, is_image
from minicnn.data.image_files import reads_heic
from minicnn.errors import FormatError

# Of the file in a folder of pictures that is its library. Files of SQLite and ours are beside it.
LIBRARY = ".minicnn-library"
# Why files are left out of a library.
HIDDEN = "hidden"  # and those that operating systems make, such as Thumbs.db
LINK = "a link"
NO_FILE = "a pipe or a device"
NO_IMAGE = "no image"
RAW_FILE = "RAW"
NEEDS_HEIC = "HEIC, which needs pillow-heif"
NOT_UNICODE = "a name that is not Unicode"
CLOSED = "cannot be opened"


class Stamp(NamedTuple):
    """What changes when a file is written."""

    size: int  # bytes
    modified: int  # nanoseconds since 1970


class Listing(NamedTuple):
    """The picture files in a folder and below it; paths are relative to it, with "/"."""

    files: dict[str, Stamp]
    left_out: Counter[str]  # files by the reason; a hidden folder counts as one
    closed: list[str]  # folders that cannot be opened: what is in them is unknown

    def may_have(self, path: str) -> bool:
        """Return whether the file is listed, or is in a folder that cannot be opened."""
        return path in self.files or any(path.startswith(f"{one}/") for one in self.closed)


def stamp_of(path: str) -> Stamp:
    """Return size and time of a regular file.

    Raises
    ------
    FileNotFoundError : there is no such file, or it is now a link, a folder or a device
    """
    found = os.lstat(path)
    if not stat.S_ISREG(found.st_mode):
        raise FileNotFoundError(errno.ENOENT, "no regular file any more", path)
    return Stamp(found.st_size, found.st_mtime_ns)


def list_pictures(folder: str, known: Mapping[str, Stamp]) -> Listing:
    """List the pictures in a folder and all folders below it; links are not followed.

    A file is a picture if its first bytes or its name say so: a damaged one is listed too.

    Parameters
    ----------
    folder : its absolute path
    known : pictures of an earlier listing; those that have not changed are not opened

    Raises
    ------
    FileNotFoundError : there is no such folder
    PermissionError : it cannot be opened; folders below it are reported as `closed`
    """
    if not os.path.isdir(folder):
        seen = "is a file" if os.path.exists(folder) else "no such folder"
        raise FileNotFoundError(errno.ENOENT, f"{seen}; give a folder of pictures", folder)
    listing = Listing({}, Counter(), [])
    waiting = [""]
    while waiting:
        below = waiting.pop()
        try:
            waiting += _listed(folder, below, known, listing)
        except OSError:
            if not below:
                raise
            listing.left_out[CLOSED] += 1
            listing.closed.append(below)
    return listing


def _listed(folder: str, below: str, known: Mapping[str, Stamp], listing: Listing) -> list[str]:
    """Add the files of one folder to the listing; return the folders in it."""
    folders = []
    with os.scandir(os.path.join(folder, below)) as entries:
        for path, entry in _kept(entries, below, listing.left_out):
            if entry.is_dir(follow_symlinks=False):
                folders.append(path)
                continue
            found = entry.stat(follow_symlinks=False)
            stamp = Stamp(found.st_size, found.st_mtime_ns)
            reason = "" if known.get(path) == stamp else _why_no_picture(entry.path)
            if reason:
                listing.left_out[reason] += 1
            else:
                listing.files[path] = stamp
    return folders


def _kept(
    entries: Iterator[os.DirEntry[str]], below: str, left_out: Counter[str]
) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield the folders, and the files that may be pictures, with their relative paths."""
    for entry in entries:
        if entry.name.startswith(LIBRARY):
            continue
        reason = _why_left_out(entry)
        if reason:
            left_out[reason] += 1
        else:
            yield f"{below}/{entry.name}" if below else entry.name, entry


def _why_left_out(entry: os.DirEntry[str]) -> str:
    """Return why a file or folder is left out whatever its content is, or ""."""
    if is_ignored(entry.name):
        return HIDDEN
    if not is_unicode(entry.name):
        return NOT_UNICODE
    if entry.is_symlink():
        return LINK
    regular = entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False)
    return "" if regular else NO_FILE


def is_unicode(name: str) -> bool:
    """Return whether a database can store the name.

    >>> is_unicode("café.jpg"), is_unicode(b"caf\\xe9.jpg".decode(errors="surrogateescape"))
    (True, False)
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _why_no_picture(path: str) -> str:
    """Return why a file is not put into the library, or ""."""
    try:
        kind = kind_of_file(path)
    except (OSError, FormatError):
        kind = ""
    if kind == RAW:
        return RAW_FILE
    if kind == HEIC and not reads_heic():
        return NEEDS_HEIC
    if kind in (IMAGE, HEIC) or is_image(path):
        return ""
    return NO_IMAGE if kind else CLOSED
