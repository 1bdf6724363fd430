"""Which copy of a parameter is the newest, and how often parameters have changed.

Parameters and an optimizer's state are NumPy arrays of the layers. An engine with a memory of its
own keeps a copy there, changes the copy, and writes it back only when the array is used. So code
that reads or writes such an array calls `synced` first.

Caches of what is derived from parameters (transformed weights, folded batch norms) store
`parameters_version()`, too, and are computed again when it has grown. Comparing all parameters bit
by bit would give the same answer, but takes a tenth of the time of a prediction for one image.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable

import numpy as np

_write_back: dict[
    int, Callable[[], None]
] = {}  # by the array's id: copies the device's values to it
_parameters_version = 1
_layers_version = 0


def synced(array: np.ndarray) -> np.ndarray:
    """Return the same array after its newest values were copied back from the device.

    >>> weights = np.ones(3, np.float32)
    >>> synced(weights) is weights
    True
    """
    write_back = _write_back.get(id(array))
    if write_back is not None:
        write_back()
    return array


def sync_all(arrays: Iterable[np.ndarray]) -> None:
    """Call `synced` for each array."""
    if _write_back:
        for array in arrays:
            synced(array)


def track_device_copy(array: np.ndarray, write_back: Callable[[], None]) -> None:
    """Have `synced(array)` call `write_back` first, for as long as the array lives."""
    _write_back[id(array)] = write_back
    weakref.finalize(array, _write_back.pop, id(array), None)


def mark_parameters_changed() -> None:
    """Raise the version of all parameters of the process; to be called after a change."""
    global _parameters_version
    _parameters_version += 1


def parameters_version() -> int:
    """Return a number that grows with every change of any parameter of the process.

    >>> parameters_version() == parameters_version()
    True
    """
    return _parameters_version


def mark_layers_changed() -> None:
    """Raise the version of all layers of the process; to be called after a layer's change."""
    global _layers_version
    _layers_version += 1


def layers_version() -> int:
    """Return a number that grows when what a layer computes is changed, as by `trainable`."""
    return _layers_version
