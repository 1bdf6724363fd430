"""The engines that run kernels: "numpy", the reference, "native", in C++, and "cuda", on a GPU.

One of them is current, for the whole process. What it lacks, the reference does.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from minicnn.backends import core, device, fallback
from minicnn.backends import numpy as reference
from minicnn.backends.engine import Arena, Engine, Kernel, Runner
from minicnn.errors import ArgumentError, BackendError
from minicnn.program import Program
from minicnn.support import environment

if TYPE_CHECKING:
    from minicnn.backends import cuda, native

    _numpy: Engine = reference
    _native: Engine = native
    _cuda: Engine = cuda

ENGINES = ("numpy", "native", "cuda")  # those of the processor first, slowest to fastest
_modules: dict[str, ModuleType] = {"numpy": reference}


def _load(name: str) -> None:
    """Import an engine if it is not imported yet."""
    if name not in _modules:
        module = importlib.import_module(f"minicnn.backends.{name}")
        getattr(module, "start", lambda: None)()
        _modules[name] = module


def _engine() -> Engine:
    """Return the package of the current engine."""
    return cast(Engine, _modules[_current])


def _missing(name: str) -> str:
    """Return what an engine lacks on this machine; "" if it is available."""
    if name == "cuda":
        return device.missing() or device.no_gpu()
    return core.missing() if name == "native" and "native" not in _modules else ""


if core.find():
    _load("native")


def available_backends() -> list[str]:
    """Return the names of the engines that can be used here; a simulated GPU does not count.

    >>> "numpy" in available_backends()
    True
    """
    simulated = {"cuda"} if device.simulated() else set()
    return [name for name in ENGINES if name not in simulated and not _missing(name)]


def set_backend(name: str) -> None:
    """Choose the engine for the whole process.

    Parameters
    ----------
    name : "numpy", "native", "cuda", or "auto": "native" if it is available, else "numpy". A GPU is
        used only if "cuda" is given

    Raises
    ------
    ArgumentError : no engine has that name
    BackendError : the engine exists but is not available here; the message says what is missing
    """
    global _current
    check_available(name)
    if name == "auto":
        name = "native" if "native" in _modules else "numpy"
    _load(name)
    _current = name


def check_available(name: str) -> None:
    """Raise ArgumentError if no engine has that name, BackendError if it is not available here."""
    if name == "auto":
        return
    if name not in ENGINES:
        raise ArgumentError(f"backend must be one of {['auto', *ENGINES]}; got {name!r}")
    missing = _missing(name)
    if missing:
        raise BackendError(f"backend {name!r} is not available: {missing}")


def current_backend() -> str:
    """Return the name of the current engine."""
    return _current


def engine_of(kind: str) -> str:
    """Return the engine for a kind of device, "cpu" or "gpu": of several the fastest.

    >>> engine_of("gpu")
    'cuda'
    """
    if kind == "gpu":
        return "cuda"
    return "native" if "native" in available_backends() else "numpy"


@contextmanager
def use_backend(name: str) -> Iterator[None]:
    """Use engine `name` inside a `with` block.

    >>> with use_backend("numpy"):
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
    """Return the current engine's kernel of that name, or else the reference's.

    Raises
    ------
    BackendError : no engine has such a kernel; it is raised when the kernel is called
    """
    engine = _engine()
    if name in engine.KERNELS:
        return partial(engine.run, name)
    return partial(fallback.run, _current, name)


def runner(program: Program, arrays: dict[int, np.ndarray], arena: Arena | None = None) -> Runner:
    """Return a Runner of the program on the current engine: see `minicnn.backends.engine`."""
    return _engine().Runner(program, arrays, arena)


def new_arena(before_growth: Callable[[], None]) -> Arena:
    """Return memory in which several programs of the current engine can run in turn.

    The arena calls `before_growth` when a program needs more memory than there is, so that its
    owner can drop the Runners that use the old memory. A Runner that is kept stays valid, and so
    does the old memory.
    """
    return _engine().Arena(before_growth)


def max_steps_per_call() -> int:
    """Return how many training steps the current engine takes with one call, at most."""
    return _engine().Runner.max_steps_per_call


def from_gpu(x: Any) -> np.ndarray:
    """Return a copy, in main memory, of an array on the GPU."""
    check_available("cuda")
    _load("cuda")
    return _modules["cuda"].to_host(x)


def to_gpu(x: np.ndarray) -> Any:
    """Return a copy on the GPU, for other libraries: see `minicnn.dlpack.to_device`."""
    check_available("cuda")
    _load("cuda")
    return _modules["cuda"].OnDevice(x)


def backend_info() -> dict[str, str]:
    """Return for each engine "available", "simulated ...", or what is missing and how to get it."""
    present = dict.fromkeys(ENGINES, "available")
    if device.simulated():
        present["cuda"] = f"simulated on the processor, very slowly ({device.SIMULATOR})"
    return {name: _missing(name) or present[name] for name in ENGINES}


def is_fit_for(name: str) -> bool:
    """Return whether this machine has the hardware that engine `name` needs."""
    return name != "cuda" or device.has_driver()


def instruction_set() -> str:
    """Return the C++ engine's instruction set: "generic", "avx2" or "avx512"; "" without it."""
    return _modules["native"].isa() if "native" in _modules else ""


def num_threads() -> int:
    """Return how many threads the C++ engine uses; 1 without it."""
    return _modules["native"].num_threads() if "native" in _modules else 1


def set_num_threads(threads: int) -> None:
    """Set how many threads the C++ engine uses; without it nothing happens."""
    if "native" in _modules:
        _modules["native"].set_num_threads(threads)


_current = "numpy"
_wanted = environment.choice("MINICNN_BACKEND", "auto", ("auto", *ENGINES))
try:
    set_backend(_wanted)
except BackendError as err:  # the import continues, as `minicnn doctor` needs it
    set_backend("auto")
    warnings.warn(f"MINICNN_BACKEND: {err}. {_current!r} is used", RuntimeWarning, stacklevel=2)
if _wanted == "auto" and "native" not in _modules:
    warnings.warn(
        "minicnn computes with NumPy alone, many times slower than its C++ engine: "
        f"{core.missing()}. Set MINICNN_BACKEND=numpy if this is what you want.",
        RuntimeWarning,
        stacklevel=2,
    )
