"""Making what large libraries are searched with, and measuring what that overlooks."""

from __future__ import annotations

import numpy as np

from minicnn.apps.library.graph import Progress
from minicnn.apps.library.opening import Library
from minicnn.apps.library.searching import Searcher
from minicnn.apps.library.server_table import ServerTable
from minicnn.apps.library.snapshot import Snapshot, converted

TOP = 20
QUERIES = 50  # pictures that are searched for


def prepare(library: Library, progress: Progress = lambda done, total: None) -> None:
    """Bring all that searching needs up to date, so that the next search need not wait for it.

    Vectors are copied into files. If there are very many, an approximate index of them is made,
    which takes minutes for 100,000.

    Parameters
    ----------
    progress : called with (vectors that are in the index, all) while one is made
    """
    searcher = Searcher(library)
    try:
        for table in searcher.tables(progress).values():
            if isinstance(table, ServerTable):
                table.make_index()
    finally:
        searcher.close()


def recall_at(library: Library, k: int = TOP, queries: int = QUERIES) -> dict[str, float]:
    """Return the share of the k most similar pictures that the approximate index of each finds.

    Some pictures of the library are the queries; their vectors are compared with all others for
    the truth. Small libraries have no approximate index, and the result is {}.

    Parameters
    ----------
    k : how many of the most similar pictures should be found
    queries : pictures that are searched for, evenly from the library

    Returns
    -------
    {extractor: 0...1}
    """
    searcher = Searcher(library)
    try:
        return {
            name: found
            for name, table in searcher.tables().items()
            if (found := _recall(table, k, queries)) is not None
        }
    finally:
        searcher.close()


def _recall(table: Snapshot | ServerTable, k: int, queries: int) -> float | None:
    if isinstance(table, ServerTable):
        if not table.has_index():
            return None
        vectors = _some_of_server(table, queries)
        true = [table.near(vector, k, exact=True) for vector in vectors]
    else:
        if table.graph is None:
            return None
        places = np.linspace(0, len(table.facts) - 1, queries).astype(np.int64)
        vectors = table.only(table.pictures[np.unique(places)]).kept[0]
        true = nearest(table, vectors, k)
    shares = [
        np.isin(wanted, _best(table, vector, k)).mean()
        for wanted, vector in zip(true, vectors, strict=True)
    ]
    return float(np.mean(shares))


def _best(table: Snapshot | ServerTable, vector: np.ndarray, k: int) -> np.ndarray:
    """Return the k best of what the approximate index finds, compared exactly."""
    found = table.only(np.unique(table.near(vector, k)))
    order = np.argsort(-found.similarities(vector), kind="stable")
    return found.pictures[order[:k]]


def nearest(table: Snapshot, vectors: np.ndarray, k: int) -> list[np.ndarray]:
    """Return the k pictures whose vectors are most similar to each of some vectors (Q, D)."""
    found = np.concatenate([block @ vectors.T for block in converted(table.vectors)])  # (n, Q)
    found = found if table.present is None else found[table.present]
    return [table.pictures[np.argsort(-column, kind="stable")[:k]] for column in found.T]


def _some_of_server(table: ServerTable, queries: int) -> np.ndarray:
    """Return the vectors of some pictures, float32 (Q, D)."""
    return table.only(table.some_pictures(queries)).kept[0]
