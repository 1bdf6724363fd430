"""The vectors of one extractor at one moment, and how similar they are to a query.

Similarities are products of a matrix and a vector. NumPy multiplies float16 slowly, so the numbers
are kept as float32 where there is memory for them, and converted block by block otherwise: 17 and
175 ms for 100,000 vectors of 1,280 numbers on two cores (2026-11). Rounding to float16 changes the
length of a vector by up to 0.05 %, so that it is made 1 again: no similarity is above 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from minicnn.apps.library.feature_extractor import unit_rows
from minicnn.apps.library.graph import Graph
from minicnn.apps.library.stored_rows import Rows, Totals

CONVERTED_ROWS = 256  # at a time, if they are not kept


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Rows of vectors that do not change, whatever happens in the library."""

    number: str  # of the vector files; "" if they are from a database
    vectors: np.ndarray  # float16 (n, D), also those that are gone
    kept: tuple[np.ndarray, ...]  # the same as float32 of length 1, in blocks; () if not kept
    present: np.ndarray | None  # which rows are not gone, int64, ascending; None: all are there
    facts: np.ndarray  # FACTS (m,) of the rows that are present
    numbers: Mapping[str, int]  # {class: its index}
    graph: Graph | None = None  # an approximate index of the vectors; None: they are few

    @cached_property
    def pictures(self) -> np.ndarray:
        """The pictures of the rows that are present, int64 (m,)."""
        return np.ascontiguousarray(self.facts["picture"])

    @cached_property
    def totals(self) -> Totals:
        """What the database says about the rows if nothing has changed."""
        keys = self.facts["features"]
        return Totals(len(keys), int(keys.sum()))

    def similarities(self, vector: np.ndarray) -> np.ndarray:
        """Return the dot products of the present rows and a float32 vector, float32 (m,)."""
        found = np.empty(len(self.vectors), np.float32)
        start = 0
        for block in self.kept or converted(self.vectors):
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
        return np.einsum("nk,nk->n", wanted[self._classes], self._roots)

    def pictures_of_class(self, label: str) -> np.ndarray:
        """Return the pictures whose most probable class this is."""
        number = self.numbers.get(label, -1)
        return self.pictures[(self._classes[:, 0] == number) & (self._roots[:, 0] > 0)]

    def near(self, vector: np.ndarray, count: int) -> np.ndarray:
        """Return about `count` pictures that the graph finds to be the most similar ones.

        The rows that are not in the graph yet are all compared.
        """
        in_graph = 0 if self.graph is None else self.graph.rows
        rows = np.zeros(0, np.int64) if self.graph is None else self.graph.near(vector, count)
        rest = np.concatenate([block @ vector for block in _and_none(self.vectors[in_graph:])])
        best = np.argsort(-rest, kind="stable")[:count] + in_graph
        places = self._places_of_rows(np.concatenate([rows, best]))
        return self.pictures[places]

    def only(self, pictures: np.ndarray) -> Snapshot:
        """Return the rows of these pictures, as far as there are any."""
        order, ordered = self._by_picture
        places = np.searchsorted(ordered, pictures)
        places = np.minimum(places, max(0, len(ordered) - 1))
        chosen = order[places[ordered[places] == pictures]] if len(ordered) else order
        rows = chosen if self.present is None else self.present[chosen]
        return in_memory(Rows(self.facts[chosen], self.vectors[rows]), self.numbers)

    @cached_property
    def _classes(self) -> np.ndarray:
        return np.ascontiguousarray(self.facts["classes"])

    @cached_property
    def _roots(self) -> np.ndarray:
        return np.ascontiguousarray(self.facts["roots"])

    @cached_property
    def _by_picture(self) -> tuple[np.ndarray, np.ndarray]:
        order = np.argsort(self.pictures, kind="stable")
        return order, self.pictures[order]

    def _places_of_rows(self, rows: np.ndarray) -> np.ndarray:
        """Return where rows are among those that are present; rows that are gone are left out."""
        if self.present is None:
            return rows
        places = np.searchsorted(self.present, rows)
        places = np.minimum(places, max(0, len(self.present) - 1))
        return places[self.present[places] == rows] if len(self.present) else places


def in_memory(rows: Rows, numbers: Mapping[str, int]) -> Snapshot:
    """Return a few rows as a snapshot of their own."""
    kept = (unit_rows(rows.vectors),)
    return Snapshot("", rows.vectors, kept, None, np.asarray(rows.facts), numbers)


def with_graph(snapshot: Snapshot, graph: Graph) -> Snapshot:
    """Return the same rows with an approximate index."""
    return replace(snapshot, graph=graph)


def converted(vectors: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the rows as float32 of length 1, in blocks."""
    for start in range(0, len(vectors), CONVERTED_ROWS):
        yield unit_rows(vectors[start : start + CONVERTED_ROWS])


def _and_none(vectors: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the rows as float32, and a block of none, so that there is one at least."""
    yield from converted(vectors)
    yield np.zeros((0, vectors.shape[1]), np.float32)
