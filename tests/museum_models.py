"""The museum of other programs' model files: the exhibits of all formats in one table.

{name: (reader, a function that makes the file, words of the refusal)}. HONEST has files from the
same makers without a lie: {name: (reader, function)}. They are read.
"""

from __future__ import annotations

from typing import Any

import museum_hdf5
import museum_keras

ROOMS = {"keras": museum_keras, "hdf5": museum_hdf5}


def _all(table: str) -> dict[str, Any]:
    return {f"{room}-{k}": v for room, m in ROOMS.items() for k, v in getattr(m, table).items()}


EXHIBITS: dict[str, tuple[Any, Any, str]] = _all("EXHIBITS")
HONEST: dict[str, tuple[Any, Any]] = _all("HONEST")
