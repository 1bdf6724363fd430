"""Which engine runs the kernels. Every engine is a table of kernels laid over the reference's."""

from __future__ import annotations

import importlib
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from minicnn.backends import numpy as reference
from minicnn.errors import ArgumentError, BackendError

Kernel = Callable[..., tuple[Any, ...]]

# Best last. What each needs beyond the package's own dependencies, and how to get it.
ENGINES = {
    "numpy": ("", ""),
    "native": (
        "minicnn._core",
        "its C++ part could not be built when minicnn was installed. Install a C++17 compiler "
        "(Debian, Ubuntu: apt install g++; Fedora: dnf install gcc-c++; macOS: xcode-select "
        "--install), then, in minicnn's source folder, run: python -m pip install "
        "--force-reinstall --no-deps -v . (-v shows what the compiler says)",
    ),
}

_modules: dict[str, ModuleType] = {"numpy": reference}
_absent: dict[str, str] = {}
for _name, (_needs, _remedy) in ENGINES.items():
    try:
        _modules[_name] = importlib.import_module(f"minicnn.backends.{_name}")
    except ModuleNotFoundError as err:
        if err.name != _needs:  # not "is absent" but "is broken": say so
            raise
        _absent[_name] = _remedy

_tables: dict[str, dict[str, Kernel]] = {
    name: {**reference.KERNELS, **module.KERNELS} for name, module in _modules.items()
}


def available_backends() -> list[str]:
    """Names of the engines that this machine and this build have; the fastest last.

    >>> "numpy" in available_backends()
    True
    """
    return list(_tables)


def set_backend(name: str) -> None:
    """Choose the engine for the whole process: "numpy", "native" or "auto" (the fastest here).

    Raises
    ------
    ArgumentError : no engine has that name
    BackendError : the engine exists but is not available here; the message says what is missing
    """
    global _current
    if name == "auto":
        name = available_backends()[-1]
    if name in _absent:
        raise BackendError(f"backend {name!r} is not available: {_absent[name]}")
    if name not in _tables:
        raise ArgumentError(f"backend must be one of {['auto', *ENGINES]}; got {name!r}")
    _current = name


def current_backend() -> str:
    """Name of the engine in use."""
    return _current


@contextmanager
def backend(name: str) -> Iterator[None]:
    """Use engine `name` inside a `with` block.

    >>> with backend("numpy"):
    ...     current_backend()
    'numpy'
    """
    before = _current
    set_backend(name)
    try:
        yield
    finally:
        set_backend(before)


def kernel(name: str) -> Kernel:
    """The current engine's kernel of that name."""
    return _tables[_current][name]


def runner(*arguments: Any) -> Any:
    """The current engine's Runner of a program: see `minicnn.backends.numpy.program`."""
    return _modules[_current].Runner(*arguments)


def coverage(name: str) -> dict[str, bool]:
    """For every kernel of the reference: does engine `name` have one of its own?"""
    return {kernel: kernel in _modules[name].KERNELS for kernel in reference.KERNELS}


def backend_info() -> dict[str, str]:
    """One line an engine: "available", or what is missing and how to get it."""
    return {name: _absent.get(name, "available") for name in ENGINES}


def instruction_set() -> str:
    """What the C++ engine's kernels are made of: "generic", "avx2" or "avx512"; "" without it."""
    return _modules["native"].isa() if "native" in _modules else ""


def num_threads() -> int:
    """Threads that the C++ engine uses; 1 without it (NumPy's own are NumPy's business)."""
    return _modules["native"].num_threads() if "native" in _modules else 1


def set_num_threads(threads: int) -> None:
    """Change them; nothing happens without the C++ engine."""
    if "native" in _modules:
        _modules["native"].set_num_threads(threads)


_current = "numpy"
_wanted = os.environ.get("MINICNN_BACKEND", "auto")
set_backend(_wanted)
if _wanted == "auto" and "native" in _absent:
    warnings.warn(
        "minicnn computes with NumPy alone, many times slower than its C++ engine: "
        f"{_absent['native']}. Set MINICNN_BACKEND=numpy if this is what you want.",
        RuntimeWarning,
        stacklevel=2,
    )
