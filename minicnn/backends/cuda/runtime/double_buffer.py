"""Rows that go to the device, or come from it, while it is at work on others."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minicnn.backends.cuda.runtime.api import cuda
from minicnn.backends.cuda.runtime.memory import allocate, device_errors
from minicnn.contracts import Shape, Spec


class DoubleBuffer:
    """An array of `rows` rows, twice: the device uses one half while the host uses the other.

    On the device the second lies behind the first, so its rows have the numbers rows, rows + 1, ...
    On the host both are pinned: copies to and from there do not stop the processor.
    """

    def __init__(self, rows: int, row: Shape, dtype: str, what: str) -> None:
        count = rows * math.prod(row)
        self.device = allocate(Spec((2 * count,), dtype), what)
        with device_errors():
            self._host = [cuda.pinned_array(count, np.dtype(dtype)) for _ in range(2)]
        self._parts = [self.device[:count], self.device[count:]] if count else []
        self._shape = (rows, *row)

    def host(self, half: int) -> np.ndarray:
        """(rows, *row): the host's side of a half."""
        return self._host[half].reshape(self._shape)

    def upload(self, half: int, stream: Any) -> None:
        """Begin to copy a half to the device."""
        if self._parts:
            self._parts[half].copy_to_device(self._host[half], stream)

    def download(self, half: int, stream: Any) -> None:
        """Begin to copy a half to the host."""
        if self._parts:
            self._parts[half].copy_to_host(self._host[half], stream)
