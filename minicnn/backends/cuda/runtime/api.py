"""The one door to numba's `cuda`: which package it comes from, and what the simulator lacks.

The simulator (NUMBA_ENABLE_CUDASIM=1) runs the same kernels as Python, a thread of the operating
system for each CUDA thread. It has no warp primitives, no intrinsics and no options for registers:
kernels that must run there use none, and ask here for what differs.
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
    from cuda.bindings import driver  # what numba's `cuda` leaves out; it comes with it
except ImportError:
    driver = None  # the simulator needs none
try:
    from cuda.core.utils import StridedMemoryView
except ImportError:
    StridedMemoryView = None  # arrays of other libraries: see exchange.py

SIMULATED = simulated()
if SIMULATED:
    from minicnn.backends.cuda.runtime import simulator

    simulator.mend()
elif hasattr(cuda, "config"):  # numba would warn of every launch of less than 128 blocks
    vars(cuda.config)["CUDA_LOW_OCCUPANCY_WARNINGS"] = 0

# Literals of kernels: a bare 0.5 would make the whole expression float64.
float32, int32, uint32 = np.float32, np.int32, np.uint32

Function = Callable[..., Any]

# Python's own functions raise where a GPU's give infinity or NaN, so the simulator takes NumPy's.
exp, expm1, log, log1p, sqrt, tanh, pow = (
    (np.exp, np.expm1, np.log, np.log1p, np.sqrt, np.tanh, np.power)
    if SIMULATED
    else (math.exp, math.expm1, math.log, math.log1p, math.sqrt, math.tanh, math.pow)
)


def jit(function: Function) -> Any:
    """A kernel. Compiled when it is first launched; never with `fastmath`, which forgets NaN."""
    return cuda.jit(function)


def device(function: Function) -> Any:
    """A function that kernels call; it is inlined.

    The simulator's wrapper gives a function its `cuda`, and takes long: it is left out where there
    is nothing to give.
    """
    if SIMULATED and "cuda" not in function.__code__.co_names:
        return function
    return cuda.jit(function, device=True)
