"""A column of float16 vectors: bytes on SQLite, pgvector's `halfvec` on PostgreSQL."""

from __future__ import annotations

from typing import Any

import numpy as np
from django.db import models

POSTGRESQL = "postgresql"


class VectorField(models.Field):
    """A vector of numbers, kept as float16; vectors of one table may have different lengths."""

    description = "a float16 vector"

    def db_type(self, connection: Any) -> str:
        """Return the type of the column."""
        return "halfvec" if connection.vendor == POSTGRESQL else "blob"

    def from_db_value(self, value: Any, _expression: Any, connection: Any) -> np.ndarray | None:
        """Return the vector that the database returned."""
        if value is None:
            return None
        if connection.vendor == POSTGRESQL:
            return np.fromstring(value[1:-1], np.float16, sep=",")
        return np.frombuffer(value, np.float16)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """Return the vector as the database takes it."""
        if value is None:
            return None
        vector = np.asarray(value, np.float16)
        if connection.vendor == POSTGRESQL:
            return f"[{','.join(map(str, vector.tolist()))}]"
        return vector.tobytes()
