"""Arrays on the GPU that other libraries own, and ours for them."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.backends.cuda.runtime.api import SIMULATED, StridedMemoryView, cuda
from minicnn.backends.cuda.runtime.memory import device_errors
from minicnn.errors import BackendError

DEFAULT_STREAM = 1  # CUDA's number for it; what is handed over there is waited for
DLPACK_CUDA = 2


class Described:
    """Memory with CUDA's description of it, kept alive as long as this is."""

    def __init__(self, description: dict[str, Any], owner: Any) -> None:
        self.__cuda_array_interface__, self._owner = description, owner

    @property
    def __array_interface__(self) -> dict[str, Any]:
        """The same for NumPy: in the simulator the GPU's memory is the processor's."""
        return self.__cuda_array_interface__


class OnDevice:
    """A copy of `array` on the GPU, that other libraries can take over without another copy."""

    def __init__(self, array: np.ndarray) -> None:
        self.shape, self.dtype = array.shape, array.dtype
        with device_errors():
            plain = np.ascontiguousarray(array)
            self._copy: Any = plain.copy() if SIMULATED else cuda.to_device(plain)
            cuda.synchronize()  # other libraries' streams need not wait for the default one

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        if SIMULATED:
            return {**self._copy.__array_interface__, "version": 3}
        return self._copy.__cuda_array_interface__

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return to_host(self).astype(dtype or self.dtype, copy=False)

    def __dlpack_device__(self) -> tuple[int, int]:
        return DLPACK_CUDA, 0 if SIMULATED else cuda.current_context().device.id

    def __dlpack__(self, **arguments: Any) -> Any:
        if StridedMemoryView is None or SIMULATED:
            raise BackendError(
                "handing an array over by DLPack needs cuda-core and a real GPU; use its "
                "__cuda_array_interface__"
            )
        view = StridedMemoryView.from_cuda_array_interface(self, stream_ptr=DEFAULT_STREAM)
        return view.__dlpack__(**arguments)


def to_host(x: Any) -> np.ndarray:
    """A copy in main memory of an array on the GPU."""
    with device_errors():
        if not hasattr(type(x), "__cuda_array_interface__"):
            x = _described(x)
        if SIMULATED:
            return np.array(Described(x.__cuda_array_interface__, x))
        return cuda.as_cuda_array(x).copy_to_host()


def _described(x: Any) -> Described:
    """What has DLPack alone, with CUDA's description."""
    if StridedMemoryView is None:
        raise BackendError("taking an array over by DLPack needs cuda-core: pip install cuda-core")
    view = StridedMemoryView.from_dlpack(x, stream_ptr=DEFAULT_STREAM)
    size = view.dtype.itemsize
    description = {
        "shape": tuple(view.shape),
        "strides": view.strides and tuple(step * size for step in view.strides),
        "typestr": view.dtype.str,
        "data": (view.ptr, view.readonly),
        "version": 3,
    }
    return Described(description, view)
