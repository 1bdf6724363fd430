"""What an operation is, and how one is run on arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from minicnn.backends import kernel
from minicnn.checks import check_array, check_same_shape
from minicnn.contracts import CONTRACTS, Contract, Spec
from minicnn.dlpack import as_numpy
from minicnn.errors import ArgumentError


@dataclass(frozen=True)
class Operation:
    """A function of arrays: the names of its kernels, and the check of its arguments.

    Layers, the planner and the public function of the same name all use it, so a wrong call gets
    the same error everywhere. `minicnn.operations.add_kernel` shows a complete one.

    Parameters
    ----------
    name : the kernel `{name}_forward` computes it; the kernel's first write is the result
    resolve : takes what the forward kernel reads (arrays or Specs) and the caller's arguments,
        checks them, and returns the attributes of the kernels
    backward : names of the kernels that compute its gradient: together they write `dx` for each
        read `x` that has one. None declares that the operation has no gradient
    constant : with `backward` None: the gradient with respect to what it reads counts as 0, so that
        training leaves out what it was computed from; otherwise that is an error

    Raises
    ------
    ArgumentError : `backward` is empty, or a kernel has no contract
    """

    name: str
    resolve: Callable[..., dict[str, Any]]
    backward: tuple[str, ...] | None
    constant: bool = False

    def __post_init__(self) -> None:
        if self.backward is not None and not self.backward:
            raise ArgumentError(
                f"operation {self.name!r}: backward must name the kernels of its gradient; give "
                "None if it has no gradient"
            )
        for name in (self.forward, *self.gradient_kernels):
            if name not in CONTRACTS:
                raise ArgumentError(
                    f"operation {self.name!r} needs a kernel {name!r}, which has no contract; add "
                    "it first, with minicnn.operations.add_kernel"
                )

    @property
    def forward(self) -> str:
        """Return the name of the forward kernel."""
        return f"{self.name}_forward"

    @property
    def gradient_kernels(self) -> tuple[str, ...]:
        """Return the names of the backward kernels; none if it has no gradient."""
        return self.backward or ()

    @property
    def differentiable(self) -> set[str]:
        """Return the names of the reads that the gradient is computed for."""
        written = {name for k in self.gradient_kernels for name in CONTRACTS[k].writes}
        return {name.removeprefix("d") for name in written}


class Saved(NamedTuple):
    """What a forward call keeps for its backward call: the same record on every engine."""

    operation: Operation
    arrays: dict[str, np.ndarray | None]  # by the names of the kernels' contracts
    attributes: dict[str, Any]
    updates: dict[str, np.ndarray]  # new values of reads that the operation replaces


def run(
    operation: Operation, *reads: np.ndarray | None, **arguments: Any
) -> tuple[np.ndarray, Saved]:
    """Run an operation on arrays: check the arguments, then call the engine's forward kernel."""
    if not isinstance(operation, Operation):
        raise ArgumentError(f"operation must be an Operation; got {type(operation).__name__}")
    reads = tuple(map(as_numpy, reads))
    attributes = operation.resolve(*reads, **arguments)
    contract = CONTRACTS[operation.forward]
    writes = kernel(operation.forward)(*reads, **attributes)
    arrays = {**named(contract.reads, reads), **named(contract.writes, writes)}
    needed = {name for k in operation.gradient_kernels for name in CONTRACTS[k].reads}
    saved = {name: array for name, array in arrays.items() if name in needed}
    saved[contract.writes[0]] = writes[0]
    updates = {name: arrays[name] for name in contract.updates}
    return writes[0], Saved(operation, saved, attributes, updates)


def gradients(dy: np.ndarray, saved: Saved) -> dict[str, np.ndarray]:
    """Return {"dx": ..., "dw": ...}: the loss's gradient with respect to what the forward read.

    Raises
    ------
    ArgumentError : the operation is declared to have no gradient, or `saved` is something else
    DTypeError, ShapeError : `dy` is not an array of floats of the result's shape
    """
    if not isinstance(saved, Saved):
        raise ArgumentError(
            f"saved must be what the forward pass returned; got {type(saved).__name__}"
        )
    operation = saved.operation
    if operation.backward is None:
        raise ArgumentError(f"operation {operation.name!r} has no gradient")
    dy = as_numpy(dy, "dy")
    result = CONTRACTS[operation.forward].writes[0]
    check_array(np.atleast_1d(dy), f"d{result}")
    check_same_shape(dy, saved.arrays[result], f"d{result} and {result}")
    arrays = {**saved.arrays, f"d{result}": dy}
    found: dict[str, np.ndarray] = {}
    for name in operation.backward:
        contract = CONTRACTS[name]
        reads = [arrays[read] for read in contract.reads]
        found |= named(contract.writes, kernel(name)(*reads, **saved.attributes))
    return found


def named(names: tuple[str, ...], arrays: Any) -> dict[str, Any]:
    """Return arrays by their names in a contract, without the "?" of optional ones."""
    return {name.rstrip("?"): array for name, array in zip(names, arrays, strict=True)}


def infer(contract: Contract, reads: Any, attributes: dict[str, Any]) -> tuple[Spec, ...]:
    """Return the Specs of a kernel's writes, from arrays or Specs of its reads."""
    specs = [None if r is None else Spec(tuple(r.shape), np.dtype(r.dtype).name) for r in reads]
    return contract.specs(*specs, **attributes)
