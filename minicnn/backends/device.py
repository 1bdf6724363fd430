"""Is there an NVIDIA GPU that minicnn can use? If not, what is missing, and how to get it."""

from __future__ import annotations

import ctypes
import os
import sys
from importlib.util import find_spec

SIMULATOR = "NUMBA_ENABLE_CUDASIM"  # "1": numba plays a GPU on the processor, very slowly
INSTALL = "python -m pip install 'minicnn-engine[cuda]'"
DRIVERS = {"win32": "nvcuda.dll"}


def simulated() -> bool:
    """Is numba asked to simulate a GPU?"""
    return os.environ.get(SIMULATOR, "0") not in ("", "0")


def missing() -> str:
    """What the engine "cuda" lacks here, and the remedy; "" if nothing seems to.

    Looks at what is installed and starts nothing: a process that never uses the GPU stays free to
    fork. Whether the driver finds a GPU shows when the engine starts.
    """
    if find_spec("numba") is None and find_spec("numba_cuda_mlir") is None:
        return f"numba is not installed, which compiles its kernels. Run: {INSTALL}"
    if simulated():
        return ""
    if not has_driver():
        return (
            "no NVIDIA driver was found (the library libcuda). Install the driver of your card; in "
            "a container, start it with its GPUs (docker run --gpus all ...)"
        )
    if find_spec("numba_cuda") is None and find_spec("numba_cuda_mlir") is None:
        return f"numba's part for NVIDIA GPUs (numba-cuda) is not installed. Run: {INSTALL}"
    return ""


def has_driver() -> bool:
    """Can the driver's library be loaded?"""
    try:
        ctypes.CDLL(DRIVERS.get(sys.platform, "libcuda.so.1"))
    except OSError:
        return False
    return True
