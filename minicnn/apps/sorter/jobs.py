"""The files of one group while they are carried, and how that ended."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from minicnn.apps.sorter.journal import Entry, Record
from minicnn.apps.sorter.transfer import Transfer
from minicnn.errors import FormatError

GROUPS_AT_A_TIME = 32
BYTES_AT_A_TIME = 32 << 20


class Job:
    """The files of one group, and how carrying them ended."""

    def __init__(self, entries: Sequence[Entry], transfers: Sequence[Transfer]) -> None:
        self.entries, self.transfers = entries, transfers
        self.failure: tuple[Path, str] | None = None
        self.there_already = False
        self.number = 0  # in the names

    @property
    def is_open(self) -> bool:
        """Whether nothing has ended it yet."""
        return self.failure is None and not self.there_already

    @property
    def is_copied(self) -> bool:
        """Whether some of the files are copied, not renamed."""
        return any(one.temporary is not None for one in self.transfers)

    @property
    def placed(self) -> list[Entry]:
        """The files that have their new names."""
        return [e for e, one in zip(self.entries, self.transfers, strict=True) if one.placed]

    def take_back(self) -> None:
        """Give the files that were placed their old names again."""
        for one in self.transfers:
            one.take_back()
            one.there = False

    def copy(self) -> None:
        """Make the temporary copies of those files."""
        for one in self.transfers:
            if one.temporary is not None:
                one.copy()


def file_of(job: Job, error: OSError | FormatError) -> Path:
    """Return which file of a group an error is about, where it is now; else that of the image."""
    path = error.path if isinstance(error, FormatError) else error.filename
    named = [one for one in job.transfers if str(path) in (str(one.source), str(one.target))]
    return (named or job.transfers)[0].source


def chunks(record: Record, groups: Sequence[Sequence[Entry]]) -> Iterator[list[Sequence[Entry]]]:
    """Cut the groups into parts that are carried at a time, by their number and their bytes."""
    part: list[Sequence[Entry]] = []
    size = 0
    for group in groups:
        part.append(group)
        size += sum(_size(record.path_of(entry.source)) for entry in group)
        if len(part) == GROUPS_AT_A_TIME or size >= BYTES_AT_A_TIME:
            yield part
            part, size = [], 0
    if part:
        yield part


def _size(path: Path) -> int:
    try:
        return os.stat(path, follow_symlinks=False).st_size
    except OSError:
        return 0
