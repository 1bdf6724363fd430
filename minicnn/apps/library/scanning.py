"""Comparing folders with a library: which pictures are new, changed, moved or deleted."""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from django.db.models import QuerySet

from minicnn.apps.library.differences import Differences, File, Row, differences
from minicnn.apps.library.folders import FolderPart, folder_parts, one_process_at_a_time
from minicnn.apps.library.listing import Listing, Stamp, list_pictures
from minicnn.apps.library.models import Features, Picture
from minicnn.apps.library.opening import Library

ROWS = 500  # in one statement


class Scan(NamedTuple):
    """How the folders differed from the library, in pictures."""

    parts: list[FolderPart]
    found: int  # on the disk
    new: int
    changed: int  # their content is another one
    moved: int  # to another path, with the same content
    deleted: int
    left_out: dict[str, int]  # other files by the reason


class _Compared(NamedTuple):
    """How one part differs from the library."""

    listing: Listing
    new: list[File]
    stamped: list[tuple[Row, File]]  # their size or time is another one
    gone: list[Row]


def scan(
    library: Library, directories: Sequence[str | os.PathLike[str]], *, force: bool = False
) -> Scan:
    """Bring the rows of a library up to date with the files in folders; read no pictures yet.

    New and changed files become rows without features. The row of a moved file keeps them. Files
    that could not be read get another chance.

    Parameters
    ----------
    library : what is changed
    directories : folders, which are searched with all that is below them
    force : also remove all pictures of a folder in which none is left

    Raises
    ------
    FileNotFoundError : there is no such folder; or it is empty but the library has pictures of it,
        as when a disk is not mounted
    """
    parts = folder_parts(library, directories)
    compared = [_compared(library, part, force=force) for part in parts]
    found = differences(
        [file for one in compared for file in one.new],
        [pair for one in compared for pair in one.stamped],
        [row for one in compared for row in one.gone],
    )
    _apply(library, found)
    failed = Picture.objects.using(library.alias).filter(folder__in=[one.folder for one in parts])
    failed.exclude(failure="").update(failure="")
    left_out = sum((one.listing.left_out for one in compared), Counter[str]())
    return Scan(
        parts, sum(len(one.listing.files) for one in compared), len(found.new), len(found.changed),
        len(found.moved), len(found.deleted), dict(left_out),
    )  # fmt: skip


def _compared(library: Library, part: FolderPart, *, force: bool) -> _Compared:
    rows = _rows(library, part)
    listing = list_pictures(part.path, {path: row.stamp for path, row in rows.items()})
    gone = [row for path, row in rows.items() if not listing.may_have(path)]
    if gone and len(gone) == len(rows) and not listing.files and not force:
        raise FileNotFoundError(
            errno.ENOENT,
            f"no pictures here, but the library has {len(rows):,} of this folder. If its disk is "
            "not mounted, mount it; if they are deleted, repeat the command with --force",
            part.path,
        )
    files = [File(part, path, stamp) for path, stamp in sorted(listing.files.items())]
    known = [(rows[file.path], file) for file in files if file.path in rows]
    stamped = [(row, file) for row, file in known if row.stamp != file.stamp]
    return _Compared(listing, [file for file in files if file.path not in rows], stamped, gone)


def _rows(library: Library, part: FolderPart) -> dict[str, Row]:
    """Return {path in the part: row}."""
    pictures = Picture.objects.using(library.alias).filter(folder=part.folder)
    rows = {}
    for key, path, *stamp, sha256 in pictures.values_list(
        "id", "path", "size", "modified", "sha256"
    ).iterator():
        relative = part.relative(path)
        if relative is not None:
            rows[relative] = Row(key, Stamp(*stamp), sha256)
    return rows


def _apply(library: Library, found: Differences) -> None:
    """Change the rows. Another process may have made some of the changes meanwhile."""
    if not any(found):
        return
    with one_process_at_a_time(library):
        for row, file in found.moved:
            _move(library, row, file)
        for row, file in found.touched:
            _unchanged(library, row).update(**_stamp(file))
        for row, file in found.changed:
            _forget_content(library, row, file)
        _delete(library, found.deleted)
        added = [*found.new, *(file for _, file in found.moved)]
        Picture.objects.using(library.alias).bulk_create(
            [_picture(file) for file in added], batch_size=ROWS, ignore_conflicts=True
        )


def _picture(file: File) -> Picture:
    return Picture(folder=file.part.folder, path=file.part.in_folder(file.path), **_stamp(file))


def _stamp(file: File) -> dict[str, int]:
    return {"size": file.stamp.size, "modified": file.stamp.modified}


def _move(library: Library, row: Row, file: File) -> None:
    """Give a row another path, unless that has a row by now."""
    pictures = Picture.objects.using(library.alias)
    where = {"folder": file.part.folder, "path": file.part.in_folder(file.path)}
    if not pictures.filter(**where).exists():
        pictures.filter(id=row.id, sha256=row.sha256).update(**where, **_stamp(file))


def _forget_content(library: Library, row: Row, file: File) -> None:
    """Make a row like that of a new file, so that it is indexed again."""
    if list(_unchanged(library, row).select_for_update()):
        Features.objects.using(library.alias).filter(picture=row.id).delete()
        pictures = Picture.objects.using(library.alias).filter(id=row.id)
        pictures.update(**_stamp(file), sha256="", failure="", claimed_by="")


def _unchanged(library: Library, row: Row) -> QuerySet[Picture]:
    """Return the row, if no other process has noticed a change of its file meanwhile."""
    pictures = Picture.objects.using(library.alias)
    return pictures.filter(id=row.id, size=row.stamp.size, modified=row.stamp.modified)


def _delete(library: Library, rows: Sequence[Row]) -> None:
    pictures = Picture.objects.using(library.alias)
    for start in range(0, len(rows), ROWS):
        keys = [row.id for row in rows[start : start + ROWS]]
        # An indexer that has claimed them must have written before their features are deleted.
        list(pictures.filter(id__in=keys).select_for_update())
        pictures.filter(id__in=keys).delete()
