"""Finds NVIDIA GPUs that minicnn can use, or says what is missing and how to get it."""

from __future__ import annotations

import ctypes
import os
import re
import sys
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from minicnn.installed import install_command
from minicnn.support.files import text_or_empty

SIMULATOR = "NUMBA_ENABLE_CUDASIM"  # "1": numba simulates a GPU on the processor, very slowly
DRIVERS = {"win32": "nvcuda.dll"}
DRIVER_FILE = Path("/proc/driver/nvidia/version")  # written by the kernel module, on Linux
FORKED = (
    "CUDA was started in the parent of this process, and a forked process cannot use it. Start "
    "workers with multiprocessing.get_context('spawn'), or fork before the first use of backend "
    "'cuda'"
)
# Constants of the driver's API.
NOT_INITIALIZED, NO_DEVICE = 3, 100
MAJOR, MINOR = 75, 76  # attributes: the compute capability


class Gpu(NamedTuple):
    """An NVIDIA GPU, as its driver describes it."""

    name: str
    compute_capability: tuple[int, int]
    memory: int  # bytes


class Found(NamedTuple):
    """What the driver reports about this machine."""

    problem: str  # why no GPU can be used; "" if one can
    gpus: tuple[Gpu, ...] = ()
    cuda: tuple[int, int] = (0, 0)  # the newest version of CUDA that the driver supports
    asked_in: int = 0  # id of the process that started the driver; 0: it was not started


_found: Found | None = None


def simulated() -> bool:
    """Return whether numba is told to simulate a GPU."""
    return os.environ.get(SIMULATOR, "0") not in ("", "0")


def missing() -> str:
    """Return what the engine "cuda" lacks here, and the remedy; "" if everything is installed.

    This does not start the driver, so a process that never uses the GPU can still fork. Whether the
    driver finds a GPU is what `no_gpu` returns.
    """
    if find_spec("numba") is None and find_spec("numba_cuda_mlir") is None:
        return f"numba is not installed; it compiles the kernels. Run: {install_command('cuda')}"
    if simulated():
        return ""
    if not has_driver():
        return (
            "no NVIDIA driver was found (the library libcuda). Install the driver of your card; in "
            "a container, start it with its GPUs (docker run --gpus all ...)"
        )
    if find_spec("numba_cuda") is None and find_spec("numba_cuda_mlir") is None:
        return (
            "numba's part for NVIDIA GPUs (numba-cuda) is not installed. Run: "
            f"{install_command('cuda')}"
        )
    return ""


def has_driver() -> bool:
    """Return whether the driver's library can be loaded."""
    return _driver() is not None


def no_gpu() -> str:
    """Return why no GPU can be used, and the remedy; "" if one can, or is simulated."""
    if simulated():
        return ""
    found = ask_driver()
    if found.asked_in not in (0, os.getpid()):
        return FORKED
    return found.problem or _too_old(found.cuda)


def gpus() -> tuple[Gpu, ...]:
    """Return the NVIDIA GPUs that the driver shows to this process; this needs no numba."""
    return ask_driver().gpus


def driver_version() -> str:
    """Return for example "CUDA 13.0, driver 580.65.06"; "" without a driver."""
    cuda = ask_driver().cuda
    if cuda == (0, 0):
        return ""
    module = re.search(
        r"Kernel Module\D*?(?:x86_64|aarch64)?\s+([\d.]+)", text_or_empty(DRIVER_FILE)
    )
    return f"CUDA {cuda[0]}.{cuda[1]}" + (f", driver {module[1]}" if module else "")


def ask_driver() -> Found:
    """Start the driver once and list its GPUs; processes that are forked later cannot use them."""
    global _found
    if _found is None:
        driver = _driver()
        _found = Found("no NVIDIA driver was found") if driver is None else _asked(driver)
    return _found


def _driver() -> Any:
    try:
        return ctypes.CDLL(DRIVERS.get(sys.platform, "libcuda.so.1"))
    except OSError:
        return None


def _asked(driver: Any) -> Found:
    status = driver.cuInit(0)
    version = _integer(driver.cuDriverGetVersion)
    cuda = (version // 1000, version % 1000 // 10)
    if status:
        return Found(_why(driver, status), cuda=cuda)
    found = tuple(_gpu(driver, i) for i in range(_integer(driver.cuDeviceGetCount)))
    return Found("" if found else _why(driver, NO_DEVICE), found, cuda, os.getpid())


def _gpu(driver: Any, number: int) -> Gpu:
    handle = _integer(driver.cuDeviceGet, number)
    name, memory = ctypes.create_string_buffer(100), ctypes.c_size_t()
    driver.cuDeviceGetName(name, len(name), handle)
    driver.cuDeviceTotalMem_v2(ctypes.byref(memory), handle)
    major, minor = (_integer(driver.cuDeviceGetAttribute, a, handle) for a in (MAJOR, MINOR))
    return Gpu(name.value.decode(errors="replace"), (major, minor), memory.value)


def _integer(function: Any, *arguments: int) -> int:
    """Return the integer that the driver's function writes to its first argument."""
    value = ctypes.c_int()
    function(ctypes.byref(value), *arguments)
    return value.value


def _why(driver: Any, status: int) -> str:
    if status == NOT_INITIALIZED:
        return FORKED
    if status == NO_DEVICE:
        hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
        if hidden is not None:
            return f"the NVIDIA driver shows no GPU: CUDA_VISIBLE_DEVICES is {hidden!r}"
        return (
            "the NVIDIA driver finds no GPU. nvidia-smi lists those that it knows; a container "
            "needs to be given them (docker run --gpus all ...)"
        )
    name = ctypes.c_char_p()
    driver.cuGetErrorName(status, ctypes.byref(name))
    said = (name.value or b"an unknown error").decode(errors="replace")
    return (
        f"the NVIDIA driver does not start: {said} ({status}). Restart the machine after an update "
        "of the driver; minicnn can use the GPU only if the command nvidia-smi works"
    )


def _too_old(cuda: tuple[int, int]) -> str:
    """Return why the driver is too old for the installed packages; "" if it is not."""
    try:
        needed = int(metadata.version("cuda-bindings").partition(".")[0])
    except metadata.PackageNotFoundError:
        return ""
    if cuda[0] >= needed:
        return ""
    return (
        f"its driver supports CUDA {cuda[0]}.{cuda[1]}, but the installed packages need {needed}. "
        f"Install a newer driver, or run: {install_command('cuda12')}"
    )
