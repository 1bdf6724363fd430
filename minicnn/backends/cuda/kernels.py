"""The tables of this engine: the kernel factories, and kernels for NumPy arrays.

Programs use the factories and keep their arrays on the device (runtime/program.py). Operations that
are called one at a time use the kernels, which copy their arrays to the device and back.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from minicnn.backends.cuda.runtime.launch import HALTED, OLD, KernelFactory, start
from minicnn.backends.cuda.runtime.memory import allocate, device_errors, download, upload
from minicnn.backends.cuda.tensor_cores import preferred
from minicnn.backends.kernel_tables import compiled_reads, kernels_of
from minicnn.contracts import CONTRACTS, Spec

KERNEL_FACTORIES: dict[str, KernelFactory] = preferred(kernels_of("minicnn.backends.cuda"))


def run(kernel: str, *reads: np.ndarray | None, **attributes: Any) -> tuple[np.ndarray | None, ...]:
    """Run one kernel as a pure function of NumPy arrays."""
    contract = CONTRACTS[kernel]
    names = [name.rstrip("?") for name in contract.reads]
    arrays = compiled_reads(kernel, reads)
    specs = [None if a is None else Spec(a.shape, a.dtype.name) for a in arrays]
    written = dict(zip(contract.writes, contract.specs(*specs, **attributes), strict=True))
    plan = KERNEL_FACTORIES[kernel](*specs, **attributes)
    on_device = {n: _uploaded(a, n) for n, a in zip(names, arrays, strict=True) if a is not None}
    for name, spec in {**written, **plan.scratch}.items():
        if spec is not None and name not in contract.updates:
            on_device[name] = allocate(spec, name)
    on_device |= {OLD + n: on_device[n] for n in contract.updates if n in on_device}
    on_device[HALTED] = _uploaded(np.zeros(1, np.uint32), HALTED)
    with device_errors():
        start(plan, on_device)
    return tuple(
        None if spec is None else download(on_device[name], spec) for name, spec in written.items()
    )


def _uploaded(array: np.ndarray, name: str) -> Any:
    copy = allocate(Spec(array.shape, array.dtype.name), name)
    upload(array, copy)
    return copy


KERNELS: dict[str, Callable[..., tuple[Any, ...]]] = {
    name: partial(run, name) for name in KERNEL_FACTORIES
}
