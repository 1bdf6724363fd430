"""What an operation is, and how one is run on arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minicnn.backends import kernel
from minicnn.checks import check_array, check_same_shape
from minicnn.contracts import CONTRACTS, Contract, Spec
from minicnn.dlpack import as_numpy


class Operation(NamedTuple):
    """A differentiable function: its forward kernel, its backward kernels and its checks.

    `resolve` takes what the forward reads (arrays or Specs) and the user's arguments, checks them
    and returns the kernels' attributes. Layers, the planner and the public function of the same
    name all go through it, so a wrong call gets the same error everywhere.
    """

    name: str
    resolve: Callable[..., dict[str, Any]]
    backward: tuple[
        str, ...
    ]  # kernels; together they write the gradient of every read that has one

    @property
    def forward(self) -> str:
        """Name of the forward kernel."""
        return f"{self.name}_forward"


class Saved(NamedTuple):
    """What a forward keeps for its backward: the same record on every engine."""

    operation: Operation
    arrays: dict[str, np.ndarray | None]  # by the names of the kernels' contracts
    attributes: dict[str, Any]
    updates: dict[str, np.ndarray]  # new values for reads that the operation replaces


def apply(
    operation: Operation, *reads: np.ndarray | None, **arguments: Any
) -> tuple[np.ndarray, Saved]:
    """Check, resolve, run the current engine's forward kernel; the first write is the result."""
    reads = tuple(map(as_numpy, reads))
    attributes = operation.resolve(*reads, **arguments)
    contract = CONTRACTS[operation.forward]
    reads = tuple(map(_plain, reads))
    writes = kernel(operation.forward)(*reads, **attributes)
    arrays = {**named(contract.reads, reads), **named(contract.writes, writes)}
    needed = {name for k in operation.backward for name in CONTRACTS[k].reads}
    saved = {name: array for name, array in arrays.items() if name in needed}
    saved[contract.writes[0]] = writes[0]
    updates = {name: arrays[name] for name in contract.updates}
    return writes[0], Saved(operation, saved, attributes, updates)


def gradients(dy: np.ndarray, saved: Saved) -> dict[str, np.ndarray]:
    """{"dx": ..., "dw": ...}: the loss's gradient by everything that the forward read."""
    dy = as_numpy(dy, "dy")
    result = CONTRACTS[saved.operation.forward].writes[0]
    check_array(dy, f"d{result}")
    check_same_shape(dy, saved.arrays[result], f"d{result} and {result}")
    arrays = {**saved.arrays, f"d{result}": _plain(dy)}
    found: dict[str, np.ndarray] = {}
    for name in saved.operation.backward:
        contract = CONTRACTS[name]
        reads = [arrays[read] for read in contract.reads]
        found |= named(contract.writes, kernel(name)(*reads, **saved.attributes))
    return found


def named(names: tuple[str, ...], arrays: Any) -> dict[str, Any]:
    """Arrays by their contract's names, without the "?" of optional ones."""
    return {name.rstrip("?"): array for name, array in zip(names, arrays, strict=True)}


def infer(contract: Contract, reads: Any, attributes: dict[str, Any]) -> tuple[Spec, ...]:
    """Specs of a kernel's writes, from arrays or Specs of its reads."""
    specs = [None if r is None else Spec(tuple(r.shape), np.dtype(r.dtype).name) for r in reads]
    return contract.specs(*specs, **attributes)


def _plain(x: np.ndarray | None) -> np.ndarray | None:
    """`x`, copied if its layout is not the one that kernels read: C order, aligned, native bytes.

    So the layout never changes a result, not even the order in which NumPy adds.
    """
    if x is None or (x.flags.c_contiguous and x.flags.aligned and x.dtype.isnative):
        return x
    return np.array(x, x.dtype.newbyteorder("="), order="C")
