"""The table of the reference: every kernel by its name, the one in its contract."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.backends.engine import Kernel
from minicnn.backends.kernel_tables import MODULES, WITHOUT_CUDA, kernels_of, readable
from minicnn.contracts import CONTRACTS, Contract
from minicnn.errors import BackendError


def _quiet(kernel: Kernel) -> Kernel:
    """Return the kernel without NumPy's warnings: NaN and infinity are results as any other."""
    return np.errstate(all="ignore")(kernel)


KERNELS: dict[str, Kernel] = {
    name: _quiet(kernel)
    for name, kernel in kernels_of("minicnn.backends.numpy", (*MODULES, *WITHOUT_CUDA)).items()
}


def find_kernel(name: str) -> Kernel:
    """Return the kernel of that name; raises BackendError if there is none."""
    if name not in KERNELS:
        raise BackendError(
            f"no engine has a kernel {name!r}; add one in NumPy with minicnn.operations.add_kernel"
        )
    return KERNELS[name]


def run(kernel: str, *reads: np.ndarray | None, **attributes: Any) -> tuple[np.ndarray | None, ...]:
    """Run one kernel on arrays of any layout; float64 stays float64."""
    return find_kernel(kernel)(*(readable(array) for array in reads), **attributes)


def add_kernel(name: str, contract: Contract, kernel: Kernel) -> None:
    """Add a kernel that is not part of minicnn; see `minicnn.operations.add_kernel`."""
    CONTRACTS[name] = contract
    KERNELS[name] = _quiet(kernel)
