"""What the engines' tables of kernels have in common: how they are filled, what they are given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from minicnn.contracts import CONTRACTS

# The modules that define kernels, in `backends/numpy` and in `backends/cuda`.
MODULES = (
    "activations",
    "adjust_colors",
    "augment",
    "averages",
    "batch_norm",
    "batch_norm_dropout",
    "clipping",
    "conv2d",
    "conv2d_after_relu",
    "conv2d_max_pool2d",
    "conv2d_relu",
    "conv2d_transpose",
    "dense",
    "dense_update",
    "dropout",
    "elementwise",
    "fold_batch_norm",
    "global_pool",
    "group_norm",
    "local_response_norm",
    "losses",
    "optimizers",
    "pad",
    "pool",
    "random_arrays",
    "resample",
    "softmax",
    "upsample",
)
# Those that `backends/cuda` does not have: the GPU leaves their kernels to the reference.
WITHOUT_CUDA = (
    "arrange",
    "binary",
    "matmul",
    "reduce",
    "scale_channels",
    "unary",
)
FLOAT64 = ("total", "moments")  # the reads that are float64; every other float is float32


def kernels_of(package: str, modules: Sequence[str] = MODULES) -> dict[str, Callable[..., Any]]:
    """Return the kernels that these modules of a package define, by name."""
    tables = [named_in_contracts(import_module(f"{package}.{name}")) for name in modules]
    return {name: function for table in tables for name, function in table.items()}


def named_in_contracts(module: ModuleType) -> dict[str, Callable[..., Any]]:
    """Return a module's kernels by name: functions with a kernel's name, and its table KERNELS.

    A module whose kernels are made by other functions has them in a table of that name.
    """
    defined = {
        name: function
        for name, function in vars(module).items()
        if name in CONTRACTS and getattr(function, "__module__", "") == module.__name__
    }
    return {**defined, **vars(module).get("KERNELS", {})}


def readable(array: np.ndarray | None, dtype: DTypeLike | None = None) -> np.ndarray | None:
    """Return `array` in the layout that kernels read; it is copied only where it must be.

    That is C order, aligned and in native byte order. So the layout never changes a result, not
    even the order in which NumPy adds. `dtype` is what floats become; by default they stay.
    """
    if array is None:
        return None
    array = np.asarray(array)
    if dtype is None or not np.issubdtype(array.dtype, np.floating):
        dtype = array.dtype.newbyteorder("=")
    return np.require(array, dtype, ["C", "A"])


def compiled_reads(kernel: str, reads: tuple[np.ndarray | None, ...]) -> list[np.ndarray | None]:
    """Return what a compiled kernel reads: `readable`, with each float in its contract's dtype."""
    names = [name.rstrip("?") for name in CONTRACTS[kernel].reads]
    return [
        readable(array, np.float64 if name in FLOAT64 else np.float32)
        for array, name in zip(reads, names, strict=True)
    ]
