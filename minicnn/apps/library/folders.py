"""The folders of a library: each picture belongs to one, also where folders contain each other."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from django.db import connections, transaction
from django.db.models import F, TextField, Value
from django.db.models.functions import Concat

from minicnn.apps.library.creating import LOCKED, POSTGRESQL
from minicnn.apps.library.listing import is_unicode
from minicnn.apps.library.models import Folder, Picture
from minicnn.apps.library.opening import Library
from minicnn.errors import ArgumentError

LOCK = int.from_bytes(b"mcnnscan", "big")  # of PostgreSQL


class FolderPart(NamedTuple):
    """A folder on the disk: one of the library's, or a part of one."""

    folder: Folder
    below: str  # "" for the whole folder, else a path in it such as "2024"

    @property
    def path(self) -> str:
        """The absolute path."""
        return os.path.join(self.folder.path, self.below) if self.below else self.folder.path

    def relative(self, path: str) -> str | None:
        """Turn a path in the folder into one in this part; None if it is elsewhere.

        >>> FolderPart(Folder(path="/photos"), "2024").relative("2024/may/1.jpg")
        'may/1.jpg'
        """
        start = f"{self.below}/" if self.below else ""
        return path[len(start) :] if path.startswith(start) else None

    def in_folder(self, path: str) -> str:
        """Turn a path in this part into one in the folder."""
        return f"{self.below}/{path}" if self.below else path


@contextmanager
def one_process_at_a_time(library: Library) -> Iterator[None]:
    """Hold a transaction that no two processes are in at the same time."""
    with transaction.atomic(using=library.alias):
        if connections[library.alias].vendor == POSTGRESQL:  # SQLite's are such transactions
            with connections[library.alias].cursor() as cursor:
                cursor.execute(LOCKED, [LOCK])
        yield


def folder_parts(
    library: Library, directories: Iterable[str | os.PathLike[str]]
) -> list[FolderPart]:
    """Return the given folders as parts of the library's, to which missing ones are added.

    A folder inside one of the library's is a part of that. A folder that contains some of the
    library's takes over their pictures, so that none is there twice.

    Raises
    ------
    FileNotFoundError : there is no such folder
    ArgumentError : its name is not Unicode
    """
    paths = sorted({_checked(one) for one in directories})  # a folder before those in it
    with one_process_at_a_time(library):
        parts = [_part(library, path) for path in paths]
    whole = {part.folder.path for part in parts if not part.below}
    return [part for part in parts if not part.below or part.folder.path not in whole]


def _checked(directory: str | os.PathLike[str]) -> str:
    """Return the path of a folder without links, so that it has one name only."""
    path = os.path.realpath(directory)
    if not os.path.isdir(path):
        seen = "is a file" if os.path.exists(path) else "no such folder"
        raise FileNotFoundError(errno.ENOENT, f"{seen}; give a folder of pictures", str(directory))
    if not is_unicode(path):
        raise ArgumentError(f"a library needs folders whose names are Unicode; got {directory!r}")
    return path


def _part(library: Library, path: str) -> FolderPart:
    folders = list(Folder.objects.using(library.alias).order_by("path"))
    for folder in folders:
        if path == folder.path:
            return FolderPart(folder, "")
        if path.startswith(_within(folder.path)):
            return FolderPart(folder, _relative(path, folder.path))
    new = Folder.objects.using(library.alias).create(path=path)
    for folder in folders:
        if folder.path.startswith(_within(path)):
            _take_over(library, folder, new)
    return FolderPart(new, "")


def _take_over(library: Library, old: Folder, new: Folder) -> None:
    """Give the pictures of a folder to one that contains it."""
    below = Value(_relative(old.path, new.path) + "/")
    pictures = Picture.objects.using(library.alias).filter(folder=old)
    pictures.update(folder=new, path=Concat(below, F("path"), output_field=TextField()))
    old.delete()


def _within(path: str) -> str:
    return path if path.endswith(os.sep) else path + os.sep


def _relative(path: str, start: str) -> str:
    return os.path.relpath(path, start).replace(os.sep, "/")
