"""The table of C++ kernels. Arrays are converted and allocated here, as C++ does neither."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import numpy as np

import minicnn._core as _core
from minicnn.backends.kernel_tables import compiled_reads
from minicnn.contracts import CONTRACTS, Spec


def run(kernel: str, *reads: np.ndarray | None, **attributes: Any) -> tuple[np.ndarray | None, ...]:
    """Run one kernel as a pure function: what it updates in place is copied first."""
    contract = CONTRACTS[kernel]
    names = [name.rstrip("?") for name in contract.reads]
    arrays = compiled_reads(kernel, reads)
    read = dict(zip(names, arrays, strict=True))
    for name in contract.updates:
        array = read[name]
        read[name] = None if array is None else array.copy()
    specs = [None if a is None else Spec(a.shape, _name_of(a.dtype)) for a in arrays]
    writes = tuple(
        read[name] if name in contract.updates else empty(spec)
        for name, spec in zip(contract.writes, contract.specs(*specs, **attributes), strict=True)
    )
    _core.run(kernel, list(read.values()), writes, attributes)
    return writes


@lru_cache(maxsize=64)
def _name_of(dtype: np.dtype[Any]) -> str:
    return str(dtype)  # it takes two microseconds


def empty(spec: Spec) -> np.ndarray:
    """Return a new, uninitialized array of that shape and dtype."""
    return np.empty(spec.shape, spec.dtype)


KERNELS: dict[str, Callable[..., tuple[Any, ...]]] = {
    name: partial(run, name) for name in _core.kernels()
}
