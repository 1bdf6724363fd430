"""Arrays of other libraries, by the two protocols that they share: DLPack and CUDA's interface.

An array in main memory (`__dlpack__`: PyTorch, TensorFlow, JAX and others) is used where it lies,
without a copy. One on a GPU (`__cuda_array_interface__`, or `__dlpack__` with a CUDA device) is
copied to main memory first: what a step is fed with starts there.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn import backends
from minicnn.errors import DTypeError

# Numbers of DLPack's devices. Pinned and managed memory can be read by both sides.
CPU, CUDA, CUDA_PINNED, CUDA_MANAGED = 1, 2, 3, 13
IN_MAIN_MEMORY = (CPU, CUDA_PINNED, CUDA_MANAGED)


def is_foreign(x: Any) -> bool:
    """Is `x` an array of another library, of those that can be handed over?

    >>> is_foreign(np.zeros(3)), is_foreign([0, 0])
    (False, False)
    """
    if isinstance(x, np.ndarray):
        return False
    kind = type(x)  # the object itself might answer with an error
    return hasattr(kind, "__dlpack__") or hasattr(kind, "__cuda_array_interface__")


def as_numpy(x: Any, name: str = "x") -> Any:
    """A foreign array as one of NumPy's, read-only or a copy; anything else as it is.

    Raises
    ------
    DTypeError : its library does not hand it over; the message says why
    BackendError : it lies on a GPU, and the engine "cuda" is not available to fetch it
    """
    if not is_foreign(x):
        return x
    if not _in_main_memory(x):
        return backends.from_gpu(x)
    try:
        return np.from_dlpack(x)
    except (AttributeError, BufferError, RuntimeError, TypeError, ValueError) as err:
        raise DTypeError(f"{name} ({type(x).__name__}) cannot be taken over: {err}") from err


def to_device(x: Any) -> Any:
    """A copy of an array on the GPU, for libraries that compute there.

    Parameters
    ----------
    x : array, of NumPy or another library

    Returns
    -------
    An object with `shape`, `dtype`, `__cuda_array_interface__` and `__dlpack__`, which for
    instance `torch.as_tensor(y, device="cuda")`, `cupy.asarray(y)` and `jax.dlpack.from_dlpack(y)`
    take without another copy; `numpy.asarray(y)` brings it back

    Raises
    ------
    BackendError : the engine "cuda" is not available; the message says what is missing
    """
    return backends.to_gpu(np.asarray(as_numpy(x)))


def _in_main_memory(x: Any) -> bool:
    if not hasattr(type(x), "__dlpack_device__"):
        return not hasattr(type(x), "__cuda_array_interface__")
    return int(x.__dlpack_device__()[0]) in IN_MAIN_MEMORY
