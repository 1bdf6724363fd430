"""A short value for the data of a training, by which processes find out whether theirs differ.

Arrays count with all their bytes up to a size, else with some rows; files with their names and
sizes. Of data that comes in batches the first batch counts, too.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from minicnn.models.batches import ArrayBatches, Batches

WHOLE_BYTES = 64 << 20  # an array up to this size is read as a whole, in about 0.1 s
ROWS = 512  # of a larger one, evenly spaced
FILES = 10_000  # whose sizes are read at most
# The attributes under which sources of batches, and what they consist of, keep arrays and files.
HELD = (
    "arrays", "batches", "dataset", "features", "images", "inputs", "labels", "on_disk", "paths",
    "source", "_source", "split", "values", "weights", "sample_weight", "x", "y",
)  # fmt: skip
MAX_DEPTH = 8  # of sources in sources


class Digest(Protocol):
    """A hash of hashlib."""

    def update(self, data: Any, /) -> None:
        """Add bytes."""


def data_digest(data: Batches) -> str:
    """Return 16 hexadecimal digits that differ for different data.

    >>> a, b = (ArrayBatches((np.full((3, 2), v),), np.arange(3), None, 2) for v in (0.0, 1.0))
    >>> data_digest(a) == data_digest(a), data_digest(a) == data_digest(b)
    (True, False)
    """
    digest = hashlib.blake2b(digest_size=8)
    for one in _held(data, MAX_DEPTH):
        if isinstance(one, np.ndarray):
            _add_array(digest, one)
        else:
            _add_files(digest, one)
    if not isinstance(data, ArrayBatches):
        batch, _ = data.begin()  # it stays the next one
        for array in _held(batch, MAX_DEPTH):
            if isinstance(array, np.ndarray):
                _add_array(digest, array)
    return digest.hexdigest()


def _held(value: Any, depth: int) -> Iterator[np.ndarray | list[Path]]:
    """Yield the arrays and the lists of files in a source of batches, in a fixed order."""
    if isinstance(value, np.ndarray) or _is_files(value):
        yield value
    elif depth and isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        for one in value:
            yield from _held(one, depth - 1)
    elif depth and isinstance(value, dict):
        for one in value.values():
            yield from _held(one, depth - 1)
    elif depth and not isinstance(value, (str, int, float, type(None))):
        for name in HELD:
            yield from _held(getattr(value, name, None), depth - 1)


def _is_files(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Path)


def _add_array(digest: Digest, array: np.ndarray) -> None:
    digest.update(f"{array.shape} {array.dtype}".encode())
    if array.dtype.hasobject:
        return
    if array.ndim > 1 and array.nbytes > WHOLE_BYTES:  # labels, of one axis, count as a whole
        array = array[np.linspace(0, len(array) - 1, ROWS).astype(np.int64)]
    digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8))


def _add_files(digest: Digest, paths: list[Path]) -> None:
    """Add the names of files and of their folders, which are classes, and some sizes."""
    for path in paths:
        digest.update(os.fsencode(os.path.join(*path.parts[-2:])) + b"\0")
    for i in np.linspace(0, len(paths) - 1, min(FILES, len(paths))).astype(np.int64):
        with suppress(OSError):  # it is reported when it is read
            digest.update(f"{i} {os.path.getsize(paths[i])} ".encode())
