"""Where a library keeps the files that make searching fast; all of them can be made again."""

from __future__ import annotations

import hashlib
import tempfile
from functools import cache
from pathlib import Path

from minicnn.apps.library.opening import Library
from minicnn.support.cache_folder import user_cache

ENDING = "-vectors"  # of the folder beside an SQLite file


def vector_folder(library: Library) -> Path:
    """Return the folder: beside the SQLite file, or in the user's cache for PostgreSQL.

    If nothing can be written there, it is a temporary folder of this process.
    """
    file = library.file
    if file is not None:
        return _writable(file.with_name(file.name + ENDING))
    name = hashlib.sha256(library.name.encode()).hexdigest()[:16]
    return _writable(user_cache() / "libraries" / name)


@cache
def _writable(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        temporary = tempfile.TemporaryDirectory(prefix="minicnn-vectors-")
        _temporary.append(temporary)
        return Path(temporary.name)


_temporary: list[tempfile.TemporaryDirectory[str]] = []  # removed when the process ends
