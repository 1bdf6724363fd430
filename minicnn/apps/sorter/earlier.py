"""What earlier sortings did, from the journals that they left."""

from __future__ import annotations

import os
from pathlib import Path

from minicnn.apps.sorter.journal import FOLDER, journals_in
from minicnn.apps.sorter.journal_reading import read_journal
from minicnn.errors import FormatError


class Earlier:
    """The folders that earlier sortings made, and the files that they put somewhere.

    What was undone does not count.

    The journals of a sorting are in the folder into which it sorted, so those of a folder are known
    once `read` has been called for it and for the folders above it.
    """

    def __init__(self) -> None:
        self._paths: set[str] = set()

    def read(self, folder: Path) -> None:
        """Read the journals in a folder; one that is damaged does not count."""
        if not os.path.isdir(folder / FOLDER):
            return
        for path in journals_in(folder):
            try:
                record = read_journal(path)
            except (OSError, FormatError):
                continue
            files = {one.target for one in record.files if one.is_sorted}
            used = {str(parent) for target in files for parent in Path(target).parents}
            self._paths |= {os.path.join(folder, one) for one in files}
            self._paths |= {os.path.join(folder, one) for one in record.folders if one in used}

    def has(self, path: str) -> bool:
        """Return whether an earlier sorting made this folder or put this file here."""
        return path in self._paths
