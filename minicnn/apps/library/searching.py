"""Searching a library: the pictures that are most similar to a query, and why.

The score of a picture is a mix of similarities s with weights w that sum to 1:

    score = w["photo-small"] s["photo-small"] + w["class"] s["class"] + w["color"] s["color"] + ...

Networks' features are compared by their cosine, colors, textures and classes by the Bhattacharyya
coefficient, so that each similarity is 1 for equal pictures.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Mapping
from typing import NamedTuple

import numpy as np

from minicnn.apps.library import vector_table
from minicnn.apps.library.changes import Changes
from minicnn.apps.library.columns import Column, aligned
from minicnn.apps.library.graph import Progress
from minicnn.apps.library.models import Extractor
from minicnn.apps.library.opening import Library
from minicnn.apps.library.queries import Query, mixed, query_of_image, query_of_pictures
from minicnn.apps.library.server_table import ServerTable
from minicnn.apps.library.snapshot import Snapshot
from minicnn.apps.library.stored_rows import totals
from minicnn.apps.library.vector_folder import vector_folder
from minicnn.apps.library.vector_table import VectorTable
from minicnn.apps.library.weights import CLASS, normalized, parts_of, usual_weights
from minicnn.checks import check_int

__all__ = [
    "Hit",
    "Query",
    "Searcher",
    "mixed",
    "parts_of",
    "query_of_image",
    "query_of_pictures",
    "usual_weights",
]


# Of very many pictures, only those are compared that are near to the query by one of the parts:
# so many for each part and each hit that is wanted, and these at least.
CANDIDATES, LEAST_CANDIDATES = 10, 400
DIGITS = 6  # of similarities

Table = Snapshot | ServerTable


class Hit(NamedTuple):
    """A picture that was found, and what its score is made of."""

    picture: int  # its key
    score: float  # the sum of the parts
    parts: dict[str, float]  # {part: weight * similarity}


class Searcher:
    """Searches one library; threads may share it.

    Pictures that are added or removed while it exists are noticed at the next search.

    Parameters
    ----------
    library : an opened library
    """

    def __init__(self, library: Library) -> None:
        self.library = library
        self._changes = Changes(library)
        self._lock = threading.Lock()  # of the following
        self._version: Hashable = None
        self._sources: dict[str, VectorTable | ServerTable] = {}
        self._tables: dict[str, Table] = {}

    def search(
        self,
        query: Query,
        weights: Mapping[str, float] | None = None,
        top: int = 20,
        *,
        label: str | None = None,
    ) -> list[Hit]:
        """Return the most similar pictures, the best one first.

        Parameters
        ----------
        query : what they are compared with
        weights : {part: weight}, see `weights.normalized`
        top : how many; there are fewer if the library has fewer
        label : only pictures on which a network sees this class

        Raises
        ------
        ArgumentError : a weight is wrong, or the query and the library have no part in common
        """
        check_int(top, "top")
        there = self.tables()
        if not there:
            return []
        tables = {name: there[name] for name in sorted(there) if name in query.vectors}
        shares = normalized(weights, parts_of(tables, query.classes))
        snapshots = _snapshots(tables, query, shares, top, label)
        pictures, parts = aligned(_columns(query, shares, snapshots))
        total = np.sum([np.float32(share) * parts[part] for part, share in shares.items()], 0)
        allowed = _allowed(pictures, query, label, snapshots)
        return _hits(pictures, parts, shares, _best(pictures, total, allowed, top))

    def tables(self, progress: Progress = lambda done, total: None) -> dict[str, Table]:
        """Return what the database has of each extractor now.

        `progress` is that of what takes long: making an approximate index of many vectors.
        """
        with self._lock:
            version = self._changes.version()  # before the rows are read: they may change meanwhile
            if self._version is None or version != self._version:
                self._sources = self._current_sources()
                self._tables = {
                    name: one.snapshot(progress) if isinstance(one, VectorTable) else one
                    for name, one in self._sources.items()
                }
                self._version = version
            return self._tables

    def close(self) -> None:
        """Close the files that the search has opened."""
        with self._lock:
            self._changes.close()
            self._version, self._sources, self._tables = None, {}, {}

    def _current_sources(self) -> dict[str, VectorTable | ServerTable]:
        """Return where the vectors of each extractor are; those that are known are kept."""
        sources: dict[str, VectorTable | ServerTable] = {}
        for row in Extractor.objects.using(self.library.alias).order_by("name"):
            known = self._sources.get(row.name)
            same = known is not None and known.extractor.mark == row.mark
            sources[row.name] = known if known and same else self._new_source(row)
        return sources

    def _new_source(self, row: Extractor) -> VectorTable | ServerTable:
        if self.library.file is None and totals(self.library, row).rows > vector_table.EXACT_ROWS:
            return ServerTable(self.library, row)
        return VectorTable(self.library, row, vector_folder(self.library) / row.mark)


def _snapshots(
    tables: Mapping[str, Table],
    query: Query,
    shares: Mapping[str, float],
    top: int,
    label: str | None,
) -> dict[str, Snapshot]:
    """Return the rows that are compared: all, or candidates if there are very many."""
    if all(isinstance(one, Snapshot) and one.graph is None for one in tables.values()):
        return {name: one for name, one in tables.items() if isinstance(one, Snapshot)}
    if label is not None:
        found = [one.pictures_of_class(label) for one in tables.values()]
    else:
        count = max(LEAST_CANDIDATES, CANDIDATES * top) + len(query.without)
        names = [name for name in tables if name in shares] or list(query.classes)
        found = [tables[name].near(query.vectors[name], count) for name in names]
    candidates = np.unique(np.concatenate(found))
    return {name: one.only(candidates) for name, one in tables.items()}


def _columns(
    query: Query, shares: Mapping[str, float], snapshots: Mapping[str, Snapshot]
) -> list[Column]:
    """Return the similarities of the parts that have a weight.

    They are rounded, as the sums of equal vectors differ in the last digits, and equal pictures
    should have equal scores.
    """
    found = [
        Column(name, snapshot.pictures, snapshot.similarities(query.vectors[name]).round(DIGITS))
        for name, snapshot in snapshots.items()
        if name in shares
    ]
    if CLASS in shares:
        networks = [name for name in snapshots if name in query.classes]
        for name in networks:
            values = snapshots[name].class_similarities(query.classes[name]) / len(networks)
            found.append(Column(CLASS, snapshots[name].pictures, values.round(DIGITS)))
    return found


def _allowed(
    pictures: np.ndarray, query: Query, label: str | None, snapshots: Mapping[str, Snapshot]
) -> np.ndarray:
    """Return the places of the pictures that may be among the hits."""
    allowed = np.ones(len(pictures), bool)
    if query.without:
        allowed &= ~np.isin(pictures, list(query.without))
    if label is not None:
        seen = [snapshot.pictures_of_class(label) for snapshot in snapshots.values()]
        allowed &= np.isin(pictures, np.concatenate(seen))
    return np.flatnonzero(allowed)


def _best(pictures: np.ndarray, total: np.ndarray, allowed: np.ndarray, top: int) -> np.ndarray:
    """Return the places of the `top` highest scores; of equal ones, the first pictures'."""
    if len(allowed) > top:
        # All that equal the last one stay, so that the order of the pictures can decide.
        least = np.partition(total[allowed], len(allowed) - top)[len(allowed) - top]
        allowed = allowed[total[allowed] >= least]
    return allowed[np.lexsort((pictures[allowed], -total[allowed]))][:top]


def _hits(
    pictures: np.ndarray,
    parts: Mapping[str, np.ndarray],
    shares: Mapping[str, float],
    places: np.ndarray,
) -> list[Hit]:
    found = []
    for place in places:
        of_hit = {part: share * float(parts[part][place]) for part, share in shares.items()}
        found.append(Hit(int(pictures[place]), sum(of_hit.values()), of_hit))
    return sorted(found, key=lambda hit: (-hit.score, hit.picture))
