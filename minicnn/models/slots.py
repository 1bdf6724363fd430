"""The arrays of an optimizer: for each parameter a few of its shape, such as Adam's averages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from minicnn.host_sync import sync_all, synced
from minicnn.layers.parameter import Parameter, aligned


class Slots:
    """The optimizer's arrays by parameter and name; they are made when they are first needed."""

    def __init__(self) -> None:
        self._of: dict[Parameter, dict[str, np.ndarray]] = {}

    def get(self, parameter: Parameter, name: str, initial: float) -> np.ndarray:
        """Return the array of that name for a parameter; a new one has the initial value."""
        arrays = self._of.setdefault(parameter, {})
        if name not in arrays:
            array = aligned(parameter.shape, "float32", zeros=initial == 0)
            if initial != 0:
                array.fill(initial)  # before it is stored: Ctrl-C may come in between
            arrays[name] = array
        return synced(arrays[name])

    def named(self, paths: Mapping[str, Parameter]) -> dict[tuple[str, str], np.ndarray]:
        """Return all arrays, by (parameter's name, array's name)."""
        return {
            (path, name): synced(array)
            for path, parameter in paths.items()
            for name, array in self._of.get(parameter, {}).items()
        }

    def all_named(self, name: str) -> Iterable[tuple[Parameter, np.ndarray]]:
        """Yield each parameter that has an array of that name, and the array."""
        for parameter, arrays in self._of.items():
            if name in arrays:
                yield parameter, synced(arrays[name])

    def keep_rows(self, weights: np.ndarray, rows: slice) -> None:
        """Replace the arrays of one parameter, whose array is `weights`, by ones with these rows.

        The other rows are zeros, which take no memory.
        """
        for parameter, arrays in self._of.items():
            if parameter.array is not weights:
                continue
            for name, array in arrays.items():
                kept = aligned(array.shape, "float32", zeros=True)
                kept[rows] = synced(array)[rows]
                arrays[name] = kept

    def sync(self) -> None:
        """Copy newer values from a GPU, if it has any."""
        for arrays in self._of.values():
            sync_all(arrays.values())
