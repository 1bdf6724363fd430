"""The vectors of one extractor in files, always brought up to date with the database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from minicnn.apps.library.feature_extractor import unit_rows
from minicnn.apps.library.graph import Graph, Progress, has_graphs
from minicnn.apps.library.models import Extractor
from minicnn.apps.library.opening import Library
from minicnn.apps.library.snapshot import Snapshot, with_graph
from minicnn.apps.library.stored_rows import (
    Rows,
    Totals,
    all_keys,
    rows_after,
    rows_of_keys,
    totals,
)
from minicnn.apps.library.vector_files import State, VectorFiles

KEPT_BYTES = 1_100_000_000  # of float32: 200,000 vectors of 1,280 numbers
SMALL_BLOCK = 1024  # rows; a smaller block is joined with what is added later
MOST_GONE = 0.25  # of the rows; then the files are written again without those
PROBES = 8  # rows whose vectors are compared with the database when files are opened
EXACT_ROWS = 200_000  # up to here all vectors are compared; above, a graph finds the near ones
MOST_NOT_IN_GRAPH = 10_000  # rows; then they are added to it


class VectorTable:
    """What the database has of one extractor; processes may share it, threads must take turns.

    Parameters
    ----------
    library, extractor : whose rows
    folder : where the files are kept
    """

    def __init__(self, library: Library, extractor: Extractor, folder: Path) -> None:
        self.library, self.extractor = library, extractor
        self._files = VectorFiles(folder, extractor.dimensions)
        self._last: Snapshot | None = None

    def snapshot(self, progress: Progress = lambda done, total: None) -> Snapshot:
        """Return the rows that the database has now; `progress` is that of making a graph."""
        if self._last is None or self._last.totals != totals(self.library, self.extractor):
            with self._files.locked():
                last = self._updated()
                self._last = self._with_graph(last, progress)
        return self._last

    def _updated(self) -> Snapshot:
        """Bring the files up to date; return what they have."""
        state = self._files.state()
        if self._last is None and not self._agrees(self._files.read(state)):
            state = self._files.replace([])
        newest = self._newest(state)
        state = self._files.append(state, rows_after(self.library, self.extractor, newest))
        keys = self._files.read(state).facts["features"]
        there = totals(self.library, self.extractor, int(keys.max(initial=0)))
        if there == Totals(len(keys), int(keys.sum())):
            return self._snapshot(state, None)
        return self._repaired(state)

    def _with_graph(self, snapshot: Snapshot, progress: Progress) -> Snapshot:
        """Return a snapshot of many rows with a graph, which is made or extended if needed."""
        rows = len(snapshot.vectors)
        if rows <= EXACT_ROWS or not has_graphs():
            return snapshot
        graph = self._last.graph if self._last is not None else None
        if graph is None or graph.number != snapshot.number:
            graph = Graph(self._files.folder, snapshot.number, self.extractor.dimensions)
        if rows - graph.rows > MOST_NOT_IN_GRAPH:
            graph = Graph(self._files.folder, snapshot.number, self.extractor.dimensions)
            graph.extend(snapshot.vectors, progress)
        return with_graph(snapshot, graph)

    def _repaired(self, state: State) -> Snapshot:
        """Add rows that a transaction added late, and leave out rows that are gone."""
        keys = self._files.read(state).facts["features"]
        there = all_keys(self.library, self.extractor)
        late = np.setdiff1d(there, keys)
        state = self._files.append(state, rows_of_keys(self.library, self.extractor, late))
        rows = self._files.read(state)
        present = np.flatnonzero(np.isin(rows.facts["features"], there))
        if len(present) < (1 - MOST_GONE) * len(rows.facts):
            state = self._files.replace(_blocks(rows, present))
            return self._snapshot(state, None)
        return self._snapshot(state, present)

    def _snapshot(self, state: State, present: np.ndarray | None) -> Snapshot:
        rows = self._files.read(state)
        return Snapshot(
            state.number,
            rows.vectors,
            self._kept(state, rows.vectors),
            present,
            rows.facts if present is None else rows.facts[present],
            {label: number for number, label in enumerate(self.extractor.class_names)},
        )

    def _kept(self, state: State, vectors: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return the vectors as float32; those that were kept before are not converted again."""
        if 4 * vectors.size > KEPT_BYTES:
            return ()
        same = self._last is not None and self._last.number == state.number
        blocks = list(self._last.kept) if self._last is not None and same else []
        done = sum(map(len, blocks))
        if done == len(vectors):
            return tuple(blocks)
        if blocks and len(blocks[-1]) < SMALL_BLOCK:
            done -= len(blocks.pop())
        return (*blocks, unit_rows(vectors[done:]))

    def _newest(self, state: State) -> int:
        return int(self._files.read(state).facts["features"].max(initial=0))

    def _agrees(self, rows: Rows) -> bool:
        """Return whether some of the rows are as in the database, if they are there at all.

        A database that was brought back from a copy gives the same keys to other pictures.
        """
        some = np.unique(np.linspace(0, len(rows.facts) - 1, PROBES).astype(np.int64))
        if not len(rows.facts):
            return True
        ours = {int(rows.facts["features"][i]): rows.vectors[i] for i in some}
        theirs = rows_of_keys(self.library, self.extractor, rows.facts["features"][some])
        return all(
            np.array_equal(ours[int(fact["features"])], vector)
            for block in theirs
            for fact, vector in zip(block.facts, block.vectors, strict=True)
        )


def _blocks(rows: Rows, chosen: np.ndarray, size: int = 4096) -> Iterator[Rows]:
    for start in range(0, len(chosen), size):
        some = chosen[start : start + size]
        yield Rows(rows.facts[some], rows.vectors[some])
