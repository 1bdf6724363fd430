"""An approximate index of vectors in files: a graph in which near vectors are neighbors.

It covers the first rows of the vector files. The rows that were appended later are few and compared
one by one, so that a graph need not be written again for each new picture. As vector files, a graph
can be made again at any time.

Malkov, Yashunin: Efficient and robust approximate nearest neighbor search using hierarchical
navigable small world graphs, IEEE PAMI 42 (4), 2018.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from minicnn.data.parallel import default_threads
from minicnn.installed import missing_extra
from minicnn.support.atomic_files import make_names_durable, new_temporary, open_for_changes

# Tuned on 100,000 made vectors of 1,280 numbers in 2,000 groups: recall@20 is 1.000 from 64 on,
# and 256 leaves room for sets that are harder.
NEIGHBORS, EXPLORED_IN_BUILDING, EXPLORED = 16, 64, 256
BLOCK = 1000  # rows that are added at a time

Progress = Callable[[int, int], object]


def has_graphs() -> bool:
    """Return whether the package that makes graphs is installed."""
    try:
        _usearch()
    except ImportError:
        return False
    return True


class Graph:
    """The graph of one set of vector files.

    Parameters
    ----------
    folder : of the vector files
    number : of the vector files
    """

    def __init__(self, folder: Path, number: str, dimensions: int) -> None:
        self.folder, self.number, self.dimensions = folder, number, dimensions
        self.rows = 0  # that are in the graph
        self._index: Any = None
        for rows in sorted(self._written(), reverse=True):
            if self._opened(rows, view=True):
                break

    def near(self, vector: np.ndarray, count: int) -> np.ndarray:
        """Return the numbers of the rows that are most similar, as far as the graph finds them."""
        if self._index is None or not self.rows:
            return np.zeros(0, np.int64)
        found = self._index.search(vector.astype(np.float16), min(count, self.rows))
        return np.asarray(found.keys, np.int64)

    def extend(self, vectors: np.ndarray, progress: Progress = lambda done, total: None) -> None:
        """Add the rows that are not in the graph yet, and write it. The caller holds the lock."""
        if self.rows == len(vectors):
            return
        before = self.rows
        if not self._opened(before, view=False):
            before, self._index = 0, _new_index(self.dimensions)
        for start in range(before, len(vectors), BLOCK):
            block = np.asarray(vectors[start : start + BLOCK])
            keys = np.arange(start, start + len(block))
            self._index.add(keys, block, threads=default_threads(None))
            progress(start + len(block), len(vectors))
        self._write(len(vectors))

    def _write(self, rows: int) -> None:
        """Write the graph under its name in one step, and map it instead of keeping it."""
        old = [self._path(one) for one in self._written()]
        with new_temporary(self.folder) as temporary:
            self._index.save(temporary)
            with open_for_changes(temporary) as file:
                os.fsync(file.fileno())
            os.replace(temporary, self._path(rows))
        make_names_durable(self.folder)
        self._opened(rows, view=True)
        for path in {*old, *self._of_other_files()} - {self._path(rows)}:
            with suppress(OSError):  # on Windows, while another process has it mapped
                path.unlink()

    def _opened(self, rows: int, *, view: bool) -> bool:
        """Open the graph of that many rows; return whether that was possible."""
        if not self._path(rows).is_file():
            return False
        index = _new_index(self.dimensions)
        try:
            (index.view if view else index.load)(os.fspath(self._path(rows)))
        except RuntimeError:  # it is damaged
            return False
        if len(index) != rows or index.ndim != self.dimensions:
            return False
        index.expansion_search = EXPLORED
        self._index, self.rows = index, rows
        return True

    def _written(self) -> list[int]:
        """Return the numbers of rows of the graphs of these vector files."""
        names = (
            path.stem.split("-") for path in self.folder.glob(f"graph-{self.number}-*.usearch")
        )
        return [int(name[2]) for name in names if len(name) == 3 and name[2].isdigit()]

    def _of_other_files(self) -> set[Path]:
        return {
            path
            for path in self.folder.glob("graph-*.usearch")
            if not path.name.startswith(f"graph-{self.number}-")
        }

    def _path(self, rows: int) -> Path:
        return self.folder / f"graph-{self.number}-{rows}.usearch"


def _new_index(dimensions: int) -> Any:
    return _usearch().Index(
        ndim=dimensions,
        metric="ip",
        dtype="f16",
        connectivity=NEIGHBORS,
        expansion_add=EXPLORED_IN_BUILDING,
        expansion_search=EXPLORED,
    )


def _usearch() -> Any:
    try:
        from usearch import index
    except ModuleNotFoundError as error:
        raise missing_extra("searching very large libraries fast needs usearch", "ann") from error
    return index
