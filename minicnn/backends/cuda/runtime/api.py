"""The only module that imports numba's `cuda`: which package has it, and what the simulator lacks.

The simulator (NUMBA_ENABLE_CUDASIM=1) runs the same kernels in Python, with one thread of the
operating system per CUDA thread. It has no warp primitives, no intrinsics and no register options,
so kernels use none of them. The functions that differ between the simulator and a GPU are here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.backends.device import simulated

try:
    from numba import cuda
except ImportError:
    from numba_cuda_mlir import cuda  # type: ignore[no-redef, import-not-found]
try:
    from cuda.bindings import driver  # what numba's `cuda` lacks; installed with it
except ImportError:
    driver = None  # the simulator needs none
try:
    from cuda.core.utils import StridedMemoryView
except ImportError:
    StridedMemoryView = None  # arrays of other libraries: see dlpack.py

SIMULATED = simulated()
if SIMULATED:
    from minicnn.backends.cuda.runtime import simulator

    simulator.fix_shared_arrays()
elif hasattr(cuda, "config"):  # numba warns of launches of fewer than 128 blocks
    vars(cuda.config)["CUDA_LOW_OCCUPANCY_WARNINGS"] = 0

# Types of literals in kernels: a bare 0.5 makes the whole expression float64.
float32, int32, uint32 = np.float32, np.int32, np.uint32

Function = Callable[..., Any]

# Python's functions raise an error where a GPU returns infinity or NaN; NumPy's do not.
exp, expm1, log, log1p, sqrt, tanh, pow = (
    (np.exp, np.expm1, np.log, np.log1p, np.sqrt, np.tanh, np.power)
    if SIMULATED
    else (math.exp, math.expm1, math.log, math.log1p, math.sqrt, math.tanh, math.pow)
)
cos, sin = (np.cos, np.sin) if SIMULATED else (math.cos, math.sin)


def jit(function: Function) -> Any:
    """Return a kernel, compiled when it is first launched; without `fastmath`, which loses NaN."""
    return cuda.jit(function)


def device(function: Function) -> Any:
    """Return a function that kernels can call; the compiler inlines it.

    The simulator's wrapper is slow and only gives a function its `cuda`, so a function that does
    not use `cuda` is not wrapped.
    """
    if SIMULATED and "cuda" not in function.__code__.co_names:
        return function
    return cuda.jit(function, device=True)
