"""The files of the library's pictures, which never lie outside its folders."""

from __future__ import annotations

import os
import stat
from pathlib import PurePosixPath
from typing import BinaryIO

from minicnn.apps.library.models import Picture
from minicnn.apps.web import refusals, service
from minicnn.apps.web.refusals import Refused
from minicnn.errors import FormatError
from minicnn.support.files import BINARY, NO_WAITING, open_regular

NO_LINKS = getattr(os, "O_NOFOLLOW", 0)
FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)
FILE = os.O_RDONLY | NO_LINKS | NO_WAITING | BINARY


def find_picture(number: int) -> Picture:
    """Return the row of a picture; raise Refused (404) if the library has none of this id."""
    rows = Picture.objects.using(service.current().library.alias).select_related("folder")
    found = rows.filter(pk=number).first()
    if found is None:
        raise Refused(404, refusals.NO_PICTURE, "no_picture")
    return found


def open_picture(picture: Picture) -> BinaryIO:
    """Open the file of a picture for reading.

    Raises
    ------
    Refused
        404: there is no such file any more, or its path leads out of the folder: by "..", or by a
        link, which may have been made after the folder was indexed
    """
    try:
        return _open_below(picture.folder.path, picture.path)
    except (OSError, FormatError, ValueError) as error:
        raise Refused(404, refusals.NO_PICTURE, "no_picture") from error


def _open_below(folder: str, path: str) -> BinaryIO:
    relative = PurePosixPath(path)
    if not relative.parts or ".." in relative.parts or relative.is_absolute():
        raise FileNotFoundError(2, "not below the folder", path)
    if os.open in os.supports_dir_fd:
        return _open_step_by_step(folder, relative.parts)
    return _open_resolved(folder, relative.parts)


def _open_step_by_step(folder: str, parts: tuple[str, ...]) -> BinaryIO:
    """Open each folder below the one before, so that no link made in the meantime is followed."""
    handle = os.open(folder, FOLDER)
    try:
        for part in parts[:-1]:
            handle, above = os.open(part, FOLDER | NO_LINKS, dir_fd=handle), handle
            os.close(above)
        return _regular(os.open(parts[-1], FILE, dir_fd=handle), parts[-1])
    finally:
        os.close(handle)


def _regular(handle: int, name: str) -> BinaryIO:
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise FileNotFoundError(2, "not a regular file", name)
    return os.fdopen(handle, "rb")


def _open_resolved(folder: str, parts: tuple[str, ...]) -> BinaryIO:
    """Open a file of a system that cannot open it step by step, Windows."""
    path = os.path.join(os.path.realpath(folder), *parts)
    if os.path.realpath(path) != path:
        raise FileNotFoundError(2, "not below the folder", path)
    return open_regular(path)
