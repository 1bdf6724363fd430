"""What an engine lacks, the reference does: kernels in NumPy replace those that are missing."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from minicnn.backends.kernel_tables import compiled_reads
from minicnn.backends.numpy.kernels import find_kernel
from minicnn.contracts import CONTRACTS
from minicnn.errors import ShapeError
from minicnn.program import Step

Arrays = Sequence[np.ndarray | None]

_warned: set[tuple[str, str]] = set()  # (engine, kernel)


def warn(engine: str, kernels: Iterable[str]) -> None:
    """Warn that the reference computes these kernels; once per engine and kernel.

    Raises
    ------
    BackendError : the reference does not have one of them either
    """
    new = sorted({name for name in kernels if (engine, name) not in _warned})
    for name in new:
        find_kernel(name)  # raises if there is none
    new = [name for name in new if not CONTRACTS[name].on_host]
    if not new:
        return
    _warned.update((engine, name) for name in new)
    warnings.warn(
        f"backend {engine!r} has no kernel {', '.join(new)}: NumPy computes it, which is slower "
        "but gives the same result",
        RuntimeWarning,
        stacklevel=3,
    )


def run(
    engine: str, kernel: str, *reads: np.ndarray | None, **attributes: Any
) -> tuple[np.ndarray | None, ...]:
    """Run one kernel through the reference, on the float32 arrays that the engine would read."""
    warn(engine, [kernel])
    return find_kernel(kernel)(*compiled_reads(kernel, reads), **attributes)


def run_step(step: Step, reads: Arrays, writes: Arrays) -> None:
    """Run one step of a program through the reference; its results are copied into `writes`.

    Parameters
    ----------
    step : its kernel and attributes are used
    reads : the arrays that the kernel reads, in order; None for one that the step leaves out
    writes : the arrays to which the results are copied, in order; None for a result that is not
        needed. They may share memory with the arrays that are read

    Raises
    ------
    ShapeError : the kernel returned an array of another shape than its contract says
    """
    results = find_kernel(step.kernel)(*reads, **step.attributes)
    lasting = [_separate(result, reads) for result in results]
    for name, result, target in zip(CONTRACTS[step.kernel].writes, lasting, writes, strict=True):
        if target is None or result is None:
            continue
        if result.shape != target.shape:
            raise ShapeError(
                f"kernel {step.kernel}: {name} must be of shape {target.shape}, as its contract "
                f"says; the kernel returned {result.shape}"
            )
        np.copyto(target, result, casting="same_kind")


def _separate(result: np.ndarray | None, reads: Arrays) -> np.ndarray | None:
    """Return the result, copied if it is a view of an array that a write may replace."""
    if result is None:
        return None
    result = np.asarray(result)
    views = any(read is not None and np.may_share_memory(result, read) for read in reads)
    return result.copy() if views else result
