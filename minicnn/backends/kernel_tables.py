"""What the engines' tables of kernels have in common: how they are filled, what they are given."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from minicnn.contracts import CONTRACTS

FLOAT64 = ("total", "moments")  # the reads that are float64; every other float is float32


def named_in_contracts(module: ModuleType) -> dict[str, Callable[..., Any]]:
    """A module's kernels: the functions that it defines under a kernel's name, and its KERNELS.

    A module that makes kernels of other functions has them in a table of that name.
    """
    defined = {
        name: function
        for name, function in vars(module).items()
        if name in CONTRACTS and getattr(function, "__module__", "") == module.__name__
    }
    return {**defined, **vars(module).get("KERNELS", {})}


def readable(array: np.ndarray | None, name: str) -> np.ndarray | None:
    """`array` as a compiled kernel reads it: in C order, aligned, in native byte order.

    Floats become float32, but those that the contract has in float64.
    """
    if array is None:
        return None
    array = np.asarray(array)
    keep = name in FLOAT64 or not np.issubdtype(array.dtype, np.floating)
    return np.require(array, array.dtype.newbyteorder("=") if keep else np.float32, ["C", "A"])
