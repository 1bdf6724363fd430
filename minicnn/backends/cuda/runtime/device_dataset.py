"""Data sets on the device: a copy of each array that is trained on, for as long as it lives."""

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

MAX_FRACTION = 0.5  # of the free memory, per array: programs for validation need some, too
CHUNK_BYTES = 2**26  # how much is converted and copied at a time

_copies: dict[tuple[int, str], Any] = {}  # by the array's id and the copy's dtype


def dataset_on_device(array: np.ndarray, dtype: str) -> Any:
    """Return a flat copy of `array` on the device, of type `dtype`; None if it does not fit.

    The copy is made once and lives as long as the array.
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
    if array.size >= MAX_ELEMENTS or size > free * MAX_FRACTION:
        return None
    try:
        copy = allocate(Spec(array.shape, dtype), "the training data")
    except DeviceMemoryError:
        return None
    row = math.prod(array.shape[1:])
    rows = max(CHUNK_BYTES // max(row * np.dtype(dtype).itemsize, 1), 1)
    for start in range(0, len(array), rows):
        upload(np.asarray(array[start : start + rows], dtype), copy[start * row :])
    return copy
