"""The vectors of one extractor on PostgreSQL, when they are too many to be copied from there.

pgvector finds the near ones by its index, one for each extractor.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from django.db import connections, transaction
from django.db.models import F, Value
from django.db.models.functions import Mod

from minicnn.apps.library.models import Extractor, Features
from minicnn.apps.library.opening import Library
from minicnn.apps.library.snapshot import Snapshot, in_memory
from minicnn.apps.library.stored_rows import rows_of_pictures

TABLE = Features._meta.db_table
PREFIX = "library_near_"  # of the names of the indexes; the key of the extractor follows
NEIGHBORS, EXPLORED_IN_BUILDING, EXPLORED = 16, 64, 400
MOST_EXPLORED = 1000  # pgvector's limit
MOST_DIMENSIONS = 4000  # that pgvector's index takes; without an index all vectors are compared
MEMORY_FOR_BUILDING = "512MB"
VALID = """
    SELECT indisvalid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE relname = %s
"""


class ServerTable:
    """What the database has of one extractor; threads may share it."""

    def __init__(self, library: Library, extractor: Extractor) -> None:
        self.library, self.extractor = library, extractor
        self.numbers = {label: number for number, label in enumerate(extractor.class_names)}

    def near(self, vector: np.ndarray, count: int, *, exact: bool = False) -> np.ndarray:
        """Return the pictures that the index finds to be the most similar ones.

        With `exact`, all vectors are compared instead.
        """
        dimensions = self.extractor.dimensions
        text = f"[{','.join(map(str, vector.astype(np.float16).tolist()))}]"
        with transaction.atomic(using=self.library.alias), self._cursor() as cursor:
            if exact:
                cursor.execute("SET LOCAL enable_indexscan = off")
            explored = min(MOST_EXPLORED, max(EXPLORED, count))
            cursor.execute(f"SET LOCAL hnsw.ef_search = {explored}")
            cursor.execute(
                f"SELECT picture_id FROM {TABLE} WHERE extractor_id = {self.extractor.pk} ORDER BY "
                f"(vector::halfvec({dimensions})) <#> %s::halfvec({dimensions}) LIMIT %s",
                [text, count],
            )
            return np.fromiter((row[0] for row in cursor), np.int64)

    def only(self, pictures: np.ndarray) -> Snapshot:
        """Return the rows of these pictures, as far as there are any."""
        rows = rows_of_pictures(self.library, self.extractor, pictures.tolist())
        return in_memory(rows, self.numbers)

    def pictures_of_class(self, label: str) -> np.ndarray:
        """Return the pictures whose most probable class this is."""
        rows = Features.objects.using(self.library.alias)
        keys = rows.filter(extractor=self.extractor, label=label).order_by("picture")
        return np.fromiter(keys.values_list("picture", flat=True).iterator(), np.int64)

    def some_pictures(self, count: int) -> np.ndarray:
        """Return pictures of the extractor, in no particular order."""
        rows = Features.objects.using(self.library.alias).filter(extractor=self.extractor)
        step = max(1, rows.count() // count)
        chosen = rows.annotate(part=Mod(F("id"), Value(step))).filter(part=0)
        return np.fromiter(chosen.values_list("picture", flat=True)[:count], np.int64)

    def has_index(self) -> bool:
        """Return whether there is an index, and it is complete."""
        with self._cursor() as cursor:
            cursor.execute(VALID, [self._index])
            found = cursor.fetchone()
        return bool(found and found[0])

    def make_index(self) -> None:
        """Make the index, unless there is one; other processes may write meanwhile."""
        dimensions = self.extractor.dimensions
        if dimensions > MOST_DIMENSIONS or self.has_index():
            return
        with self._cursor() as cursor:
            cursor.execute(f"DROP INDEX IF EXISTS {self._index}")  # left behind by a kill
            cursor.execute(f"SET maintenance_work_mem = '{MEMORY_FOR_BUILDING}'")
            cursor.execute(
                f"CREATE INDEX CONCURRENTLY {self._index} ON {TABLE} USING hnsw "
                f"((vector::halfvec({dimensions})) halfvec_ip_ops) WITH (m = {NEIGHBORS}, "
                f"ef_construction = {EXPLORED_IN_BUILDING}) WHERE extractor_id = "
                f"{self.extractor.pk}"
            )
            cursor.execute("RESET maintenance_work_mem")

    @property
    def _index(self) -> str:
        return f"{PREFIX}{self.extractor.pk}"

    def _cursor(self) -> Any:
        return connections[self.library.alias].cursor()
