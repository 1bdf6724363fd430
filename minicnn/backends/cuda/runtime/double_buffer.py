"""Double buffers: the device uses one half while the host fills or reads the other."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minicnn.backends.cuda.runtime.api import cuda
from minicnn.backends.cuda.runtime.memory import allocate, device_errors
from minicnn.contracts import Shape, Spec


class DoubleBuffer:
    """Two halves of `rows` rows each, on the device and on the host.

    On the device both halves are one array: the rows of half 1 have the indices rows, rows + 1, ...
    On the host they are pinned memory, so copies to and from the device do not block the host.

    Parameters
    ----------
    rows : rows per half
    row : the shape of one row
    dtype : of the values
    what : what the buffer is for, for the message if there is no memory for it
    """

    def __init__(self, rows: int, row: Shape, dtype: str, what: str) -> None:
        count = rows * math.prod(row)
        self.device = allocate(Spec((2 * count,), dtype), what)
        with device_errors():
            self._host = [cuda.pinned_array(count, np.dtype(dtype)) for _ in range(2)]
        self._device_halves = [self.device[:count], self.device[count:]] if count else []
        self._shape = (rows, *row)

    def host(self, half: int) -> np.ndarray:
        """Return a half's host memory, (rows, *row)."""
        return self._host[half].reshape(self._shape)

    def upload(self, half: int, stream: Any) -> None:
        """Start to copy a half to the device."""
        if self._device_halves:
            self._device_halves[half].copy_to_device(self._host[half], stream)

    def download(self, half: int, stream: Any) -> None:
        """Start to copy a half to the host."""
        if self._device_halves:
            self._device_halves[half].copy_to_host(self._host[half], stream)
