"""The devices of this machine that can compute: its processor and its NVIDIA GPUs."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from minicnn.backends import device as driver
from minicnn.backends import (
    engine_of,
    instruction_set,
    num_threads,
    use_backend,
)
from minicnn.checks import quoted
from minicnn.errors import ArgumentError
from minicnn.support.files import text_or_empty
from minicnn.support.memory_limits import memory_bytes

CPUINFO = Path("/proc/cpuinfo")


def list_devices() -> list[dict[str, Any]]:
    """Describe each device: the processor first, then every NVIDIA GPU that the driver shows.

    Returns
    -------
    list of dict, each with "name", "device_type", "physical_device_desc" and "memory_limit"
    (bytes). The processor's also has "cores", "processors" (a core may count as two), "threads" (of
    kernels) and "instruction_set"; a GPU's has "compute_capability" and "driver"

    Notes
    -----
    The driver is started to list its GPUs; processes that are forked later cannot use them.

    Examples
    --------
    >>> list_devices()[0]["name"]
    'CPU:0'
    """
    return [_processor(), *_gpus()]


def processor() -> str:
    """Return the processor's name, as the operating system reports it."""
    return _told("model name") or platform.processor() or platform.machine()


def cores() -> int:
    """Return the number of cores; of processors, if the operating system does not report cores."""
    pairs = re.findall(r"^physical id\s*:\s*(\d+)$.*?^core id\s*:\s*(\d+)$", _cpuinfo(), _LINES)
    return len(set(pairs)) or os.cpu_count() or 1


def _processor() -> dict[str, Any]:
    return {
        "name": "CPU:0",
        "device_type": "CPU",
        "physical_device_desc": processor(),
        "cores": cores(),
        "processors": os.cpu_count() or 1,
        "threads": num_threads(),
        "instruction_set": instruction_set() or "NumPy's",
        "memory_limit": memory_bytes(),
    }


def _gpus() -> list[dict[str, Any]]:
    if driver.simulated():
        return [_gpu(0, "simulated by numba on the processor", "", "none", memory_bytes())]
    return [
        _gpu(i, gpu.name, "{}.{}".format(*gpu.compute_capability), driver.driver_version(), gpu[-1])
        for i, gpu in enumerate(driver.gpus())
    ]


def _gpu(number: int, name: str, capability: str, driver: str, memory: int) -> dict[str, Any]:
    return {
        "name": f"GPU:{number}",
        "device_type": "GPU",
        "physical_device_desc": name,
        "compute_capability": capability,
        "driver": driver,
        "memory_limit": memory,
    }


_LINES = re.MULTILINE | re.DOTALL


def _cpuinfo() -> str:
    return text_or_empty(CPUINFO)


def _told(key: str) -> str:
    found = re.search(rf"^{key}\s*:\s*(.+)$", _cpuinfo(), re.MULTILINE)
    return found[1] if found else ""


@contextmanager
def device(name: str) -> Iterator[None]:
    """Compute on the processor or on the GPU inside a `with` block, by Keras's names.

    Parameters
    ----------
    name : "cpu", "cpu:0", "gpu" or "gpu:0"

    Raises
    ------
    ArgumentError : it is another name
    BackendError : there is no GPU that minicnn can use

    Examples
    --------
    >>> with device("cpu:0"):
    ...     pass
    """
    kind, _, number = name.partition(":") if isinstance(name, str) else ("", "", "")
    if kind.lower() not in ("cpu", "gpu") or number not in ("", "0"):
        raise ArgumentError(f'name must be "cpu:0" or "gpu:0"; got {quoted(name)}')
    with use_backend(engine_of(kind.lower())):
        yield
