"""The museum of other programs' model files: the exhibits of all formats in one table.

{name: (reader, a function that makes the file, words of the refusal)}. HONEST has files from the
same makers without a lie: {name: (reader, function)}. They are read. Those of TOO_LARGE are read
too, and refused when they are to run: {name: function}.
"""

from __future__ import annotations

from typing import Any

import museum_archives
import museum_caffe
import museum_hdf5
import museum_onnx
import museum_onnx_bombs
import museum_safetensors
import museum_torch

ROOMS = {
    "keras": museum_archives,
    "hdf5": museum_hdf5,
    "onnx": museum_onnx,
    "onnx-bombs": museum_onnx_bombs,
    "caffe": museum_caffe,
    "torch": museum_torch,
    "safetensors": museum_safetensors,
}


def _all(table: str) -> dict[str, Any]:
    return {f"{room}-{k}": v for room, m in ROOMS.items() for k, v in getattr(m, table, {}).items()}


EXHIBITS: dict[str, tuple[Any, Any, str]] = _all("EXHIBITS")
HONEST: dict[str, tuple[Any, Any]] = _all("HONEST")
TOO_LARGE: dict[str, Any] = _all("TOO_LARGE")
