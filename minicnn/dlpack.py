"""Exchange of arrays with other libraries, by DLPack and the CUDA array interface.

An array in main memory (`__dlpack__`: PyTorch, TensorFlow, JAX and others) is used without a copy.
An array on a GPU (`__cuda_array_interface__`, or `__dlpack__` with a CUDA device) is copied to main
memory, where the inputs of every step start.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn import backends
from minicnn.errors import DTypeError

# Device types of DLPack. Processor and GPU can both read pinned and managed memory.
CPU, CUDA, CUDA_PINNED, CUDA_MANAGED = 1, 2, 3, 13
IN_MAIN_MEMORY = (CPU, CUDA_PINNED, CUDA_MANAGED)


def is_foreign(x: Any) -> bool:
    """Return whether `x` is an array of another library that supports one of the protocols.

    >>> is_foreign(np.zeros(3)), is_foreign([0, 0])
    (False, False)
    """
    if isinstance(x, np.ndarray):
        return False
    kind = type(x)  # on the object itself, the look-up might raise an error
    return hasattr(kind, "__dlpack__") or hasattr(kind, "__cuda_array_interface__")


def as_numpy(x: Any, name: str = "x") -> Any:
    """Return an array of another library as a NumPy array; return anything else unchanged.

    The result is a read-only view, or a copy if the array is on a GPU.

    Raises
    ------
    DTypeError : the library does not export the array; the message says why
    BackendError : the array is on a GPU, and the engine "cuda" is not available to copy it
    """
    if not is_foreign(x):
        return x
    if not _in_main_memory(x):
        return backends.from_gpu(x)
    try:
        return np.from_dlpack(x)
    except (AttributeError, BufferError, RuntimeError, TypeError, ValueError) as err:
        raise DTypeError(
            f"{name} ({type(x).__name__}) cannot be converted to a NumPy array: {err}"
        ) from err


def to_device(x: Any) -> Any:
    """Return a copy of an array on the GPU, for libraries that compute there.

    Parameters
    ----------
    x : an array of NumPy or another library

    Returns
    -------
    An object with `shape`, `dtype`, `__cuda_array_interface__` and `__dlpack__`, which for
    instance `torch.as_tensor(y, device="cuda")`, `cupy.asarray(y)` and `jax.dlpack.from_dlpack(y)`
    accept without another copy; `numpy.asarray(y)` copies it back

    Raises
    ------
    BackendError : the engine "cuda" is not available; the message says what is missing
    """
    return backends.to_gpu(np.asarray(as_numpy(x)))


def _in_main_memory(x: Any) -> bool:
    if not hasattr(type(x), "__dlpack_device__"):
        return not hasattr(type(x), "__cuda_array_interface__")
    return int(x.__dlpack_device__()[0]) in IN_MAIN_MEMORY
