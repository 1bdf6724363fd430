"""Host arrays that the programs of a network share, as only one program runs at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.contracts import Spec
from minicnn.layers.parameter import aligned
from minicnn.models.planner.trace import Call


class SharedArrays:
    """The inputs and constants of programs that differ in their batch sizes.

    `forget` is called before the memory of an input is replaced by a larger one, because the
    programs planned so far use the old memory.
    """

    def __init__(self, forget: Callable[[], None] = lambda: None) -> None:
        self._forget = forget
        self._inputs: dict[int, np.ndarray] = {}
        self._constants: dict[Any, tuple[np.ndarray, ...]] = {}
        self._alive: list[np.ndarray] = []  # arrays whose ids are in the keys of _constants

    @property
    def size_bytes(self) -> int:
        """The size of all these arrays."""
        constants = (array for arrays in self._constants.values() for array in arrays)
        return sum(array.nbytes for array in (*self._inputs.values(), *constants))

    def input(self, number: int, spec: Spec) -> np.ndarray:
        """Return the array of an input, a view of memory for the largest batch so far."""
        size = math.prod(spec.shape) * np.dtype(spec.dtype).itemsize
        if number not in self._inputs or size > self._inputs[number].size:
            self._forget()
            self._inputs[number] = aligned((size,), "uint8")
        return self._inputs[number][:size].view(spec.dtype).reshape(spec.shape)

    def constants(self, call: Call) -> tuple[np.ndarray, ...]:
        """Return the arrays that a call writes which reads parameters alone, for any batch."""
        reads = [value.array for value in call.reads if value is not None]
        ids = tuple(None if value is None else id(value.array) for value in call.reads)
        key = (call.kernel, ids, tuple(sorted(call.attributes.items())))
        if key not in self._constants:
            specs = [value.spec for value in call.writes if value is not None]
            self._constants[key] = tuple(aligned(spec.shape, spec.dtype) for spec in specs)
            self._alive += [array for array in reads if array is not None]
        return self._constants[key]
