"""The vectors of one extractor, ready to be compared with a query, and always up to date.

Similarities are products of a matrix and a vector. NumPy multiplies float16 slowly, so the numbers
are kept as float32 while they fit into KEPT_BYTES, and converted block by block beyond that: 17 and
175 ms for 100,000 vectors of 1,280 numbers on two cores (2026-11).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minicnn.apps.library.models import Extractor
from minicnn.apps.library.opening import Library
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
CONVERTED_ROWS = 256  # at a time, if they are not kept
SMALL_BLOCK = 1024  # rows; a smaller block is joined with what is added later
MOST_GONE = 0.25  # of the rows; then the files are written again without those
PROBES = 8  # rows whose vectors are compared with the database when files are opened


class Snapshot(NamedTuple):
    """The rows at one moment. It does not change when pictures are added or removed."""

    state: State
    totals: Totals
    vectors: np.ndarray  # float16 (n, D), also those that are gone
    kept: tuple[np.ndarray, ...]  # the same as float32, in blocks; () if they are not kept
    present: np.ndarray | None  # which rows are not gone, int64; None: all are there
    pictures: np.ndarray  # int64 (m,), of the rows that are present
    classes: np.ndarray  # (m, TOP) indices of class names
    roots: np.ndarray  # float32 (m, TOP), square roots of their probabilities
    numbers: dict[str, int]  # {class: its index}

    def similarities(self, vector: np.ndarray) -> np.ndarray:
        """Return the dot products of the present rows and a float32 vector, float32 (m,)."""
        found = np.empty(len(self.vectors), np.float32)
        start = 0
        for block in self.kept or self._converted():
            np.dot(block, vector, out=found[start : start + len(block)])
            start += len(block)
        return found if self.present is None else found[self.present]

    def class_similarities(self, roots: Mapping[str, float]) -> np.ndarray:
        """Return sum_c sqrt(p[c] q[c]) over the stored classes, float32 (m,).

        `roots` are the square roots of the query's probabilities q, {class: root}.
        """
        wanted = np.zeros(len(self.numbers), np.float32)
        for label, root in roots.items():
            if label in self.numbers:
                wanted[self.numbers[label]] = root
        return np.einsum("nk,nk->n", wanted[self.classes], self.roots)

    def pictures_of_class(self, label: str) -> np.ndarray:
        """Return the pictures whose most probable class this is."""
        number = self.numbers.get(label, -1)
        return self.pictures[(self.classes[:, 0] == number) & (self.roots[:, 0] > 0)]

    def _converted(self) -> Iterator[np.ndarray]:
        for start in range(0, len(self.vectors), CONVERTED_ROWS):
            yield self.vectors[start : start + CONVERTED_ROWS].astype(np.float32)


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

    def snapshot(self) -> Snapshot:
        """Return the rows that the database has now."""
        if self._last is None or self._last.totals != totals(self.library, self.extractor):
            with self._files.locked():
                self._last = self._updated()
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
        facts = rows.facts if present is None else rows.facts[present]
        keys = facts["features"]
        return Snapshot(
            state,
            Totals(len(keys), int(keys.sum())),
            rows.vectors,
            self._kept(state, rows.vectors),
            present,
            np.ascontiguousarray(facts["picture"]),
            np.ascontiguousarray(facts["classes"]),
            np.ascontiguousarray(facts["roots"]),
            {label: number for number, label in enumerate(self.extractor.class_names)},
        )

    def _kept(self, state: State, vectors: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return the vectors as float32; those that were kept before are not converted again."""
        if 4 * vectors.size > KEPT_BYTES:
            return ()
        same = self._last is not None and self._last.state.number == state.number
        blocks = list(self._last.kept) if self._last is not None and same else []
        done = sum(map(len, blocks))
        if done == len(vectors):
            return tuple(blocks)
        if blocks and len(blocks[-1]) < SMALL_BLOCK:
            done -= len(blocks.pop())
        return (*blocks, vectors[done:].astype(np.float32))

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
