"""Data sets that lie on the device for as long as somebody trains on them."""

from __future__ import annotations

import math
import weakref
from typing import Any

import numpy as np

from minicnn.backends.cuda.runtime.api import cuda
from minicnn.backends.cuda.runtime.launch import MAX_ELEMENTS
from minicnn.backends.cuda.runtime.memory import allocate, device_errors, upload
from minicnn.contracts import Spec
from minicnn.errors import DeviceMemoryError

PART = 0.5  # of the free memory that one array may take: the programs of a validation need theirs
PIECE = 2**26  # bytes that are converted at a time

_copies: dict[tuple[int, str], Any] = {}


def resident(array: np.ndarray, dtype: str) -> Any:
    """The flat copy of `array` on the device, in that dtype; None if there is no room for it.

    It is made once and lives as long as the array.
    """
    key = id(array), dtype
    if key not in _copies:
        _copies[key] = _copied(array, dtype)
        weakref.finalize(array, _copies.pop, key, None)
    return _copies[key]


def _copied(array: np.ndarray, dtype: str) -> Any:
    size = array.size * np.dtype(dtype).itemsize
    with device_errors():
        free, _ = cuda.current_context().get_memory_info()
    if array.size >= MAX_ELEMENTS or size > free * PART:
        return None
    try:
        copy = allocate(Spec(array.shape, dtype), "the training data")
    except DeviceMemoryError:
        return None
    row = math.prod(array.shape[1:])
    rows = max(PIECE // max(row * np.dtype(dtype).itemsize, 1), 1)
    for start in range(0, len(array), rows):
        upload(np.asarray(array[start : start + rows], dtype), copy[start * row :])
    return copy
