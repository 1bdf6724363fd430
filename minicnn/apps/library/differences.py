"""How the files on a disk differ from the rows of a library, decided by their contents."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from minicnn.apps.library.folders import FolderPart
from minicnn.apps.library.listing import Stamp
from minicnn.data.parallel import map_in_threads
from minicnn.data.tools.fingerprints import file_digest
from minicnn.errors import FormatError


class Row(NamedTuple):
    """What a library knows of a file."""

    id: int
    stamp: Stamp
    sha256: str  # "" if it has not been read


class File(NamedTuple):
    """A file on the disk."""

    part: FolderPart
    path: str  # in the part
    stamp: Stamp

    @property
    def name(self) -> str:
        """The absolute path."""
        return os.path.join(self.part.path, self.path)


class Differences(NamedTuple):
    """What has to be done, so that the library has the files of the disk."""

    new: list[File]
    changed: list[tuple[Row, File]]
    touched: list[tuple[Row, File]]  # another time, but the same content
    moved: list[tuple[Row, File]]
    deleted: list[Row]


def differences(
    new: Sequence[File], stamped: Sequence[tuple[Row, File]], gone: Sequence[Row]
) -> Differences:
    """Find out which files have moved, and which have another time only.

    Parameters
    ----------
    new : files that the library does not have
    stamped : files of the library whose size or time is another one, with their rows
    gone : rows whose files do not exist any more
    """
    moved, rest = _moved(new, gone)
    same, other = _by_content(stamped)
    known = {row.id for row, _ in moved}
    return Differences(rest, other, same, moved, [row for row in gone if row.id not in known])


def _moved(new: Sequence[File], gone: Sequence[Row]) -> tuple[list[tuple[Row, File]], list[File]]:
    """Return the new files that have the content of a row whose file is gone, and the others."""
    origins = defaultdict(list)
    for row in gone:
        if row.sha256:
            origins[row.sha256].append(row)
    sizes = {row.stamp.size for rows in origins.values() for row in rows}
    candidates = [file for file in new if file.stamp.size in sizes]
    contents = dict(zip(candidates, _contents(candidates), strict=True))
    moved, rest = [], []
    for file in new:
        rows = origins.get(contents.get(file, ""))
        if rows:
            moved.append((rows.pop(), file))
        else:
            rest.append(file)
    return moved, rest


def _by_content(
    stamped: Sequence[tuple[Row, File]],
) -> tuple[list[tuple[Row, File]], list[tuple[Row, File]]]:
    """Return the files whose content is that of their row, and the others."""
    contents = _contents([file for _, file in stamped])
    same: list[tuple[Row, File]] = []
    other: list[tuple[Row, File]] = []
    for (row, file), sha256 in zip(stamped, contents, strict=True):
        (same if row.sha256 and sha256 == row.sha256 else other).append((row, file))
    return same, other


def _contents(files: Sequence[File]) -> list[str]:
    """Return the SHA-256 of each file, "" if it cannot be read."""
    return map_in_threads(_sha256, files) if files else []


def _sha256(file: File) -> str:
    try:
        return file_digest(Path(file.name)).hex()
    except (OSError, FormatError):
        return ""
