"""The machine and the packages with which the figures were measured."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import Any

from gpu_parts.options import Item, Options
from minicnn.backends import device
from minicnn.devices import list_devices

PACKAGES = (
    "minicnn-engine", "numpy", "numba", "numba-cuda", "numba-cuda-mlir", "llvmlite", "cuda-core",
    "cuda-bindings", "cuda-toolkit", "nvidia-nvjitlink", "nvidia-cuda-nvcc", "torch", "jax",
    "jaxlib", "pynvml", "nvidia-ml-py",
)  # fmt: skip


def items(_options: Options) -> list[Item]:
    """Return items for the versions of packages, the devices and the driver."""
    return [
        Item("versions", lambda: {**_versions(), "python": platform.python_version()}),
        Item("devices", lambda: {"devices": list_devices()}),
        Item("driver", lambda: {"driver": device.driver_version()}),
    ]


def _versions() -> dict[str, Any]:
    return {name: version for name in PACKAGES if (version := _version(name))}


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""
