"""Steps computed again in float64 by the reference, the kernels in NumPy."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from minicnn.apps.explorer.recording import Step
from minicnn.backends.numpy.kernels import find_kernel
from minicnn.contracts import CONTRACTS
from minicnn.operations.operation import named

Arrays = Mapping[str, np.ndarray]


def reference(step: Step, arrays: Arrays) -> np.ndarray:
    """Return a step's result for what it reads, by the names of its contract, in float64."""
    return results(step, arrays)[CONTRACTS[step.operation.forward].writes[0]]


def pulled_back(step: Step, arrays: Arrays, dy: np.ndarray) -> dict[str, np.ndarray]:
    """Return the gradients by what a step reads, given the gradient by its result, in float64."""
    result = CONTRACTS[step.operation.forward].writes[0]
    known: dict[str, np.ndarray | None] = {**_wide(arrays), **results(step, arrays)}
    known[f"d{result}"] = dy
    found: dict[str, np.ndarray] = {}
    for name in step.operation.gradient_kernels:
        contract = CONTRACTS[name]
        reads = [known.get(read.rstrip("?")) for read in contract.reads]
        found |= named(contract.writes, find_kernel(name)(*reads, **step.attributes))
    return {
        name: found[f"d{name}"] for name in arrays if f"d{name}" in found and name in step.reads
    }


def derivative(step: Step, arrays: Arrays, name: str) -> np.ndarray:
    """Return the derivative of each value of the result by the value of one read at its place."""
    ones = np.ones_like(reference(step, arrays))
    found = pulled_back(step, arrays, ones)
    return found[name] if name in found else np.zeros_like(ones)


def results(step: Step, arrays: Arrays) -> dict[str, np.ndarray]:
    """Return all that the forward kernel of a step writes, by the names of its contract."""
    contract = CONTRACTS[step.operation.forward]
    wide = _wide(arrays)
    reads = [wide.get(name.rstrip("?")) for name in contract.reads]
    results = find_kernel(step.operation.forward)(*reads, **step.attributes)
    found: dict[str, np.ndarray] = named(contract.writes, results)
    return found


def _wide(arrays: Arrays) -> dict[str, np.ndarray]:
    """Return arrays of floats as float64; integers and truth values stay as they are."""
    return {
        name: array.astype(np.float64) if array.dtype.kind == "f" else array
        for name, array in arrays.items()
    }
