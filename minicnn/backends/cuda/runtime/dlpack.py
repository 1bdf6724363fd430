"""Arrays on the GPU that are exchanged with other libraries."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.backends.cuda.runtime.api import SIMULATED, StridedMemoryView, cuda
from minicnn.backends.cuda.runtime.memory import device_errors
from minicnn.errors import BackendError

DEFAULT_STREAM = 1  # its number in CUDA; arrays exchanged there are ready to use
DLPACK_CUDA = 2


class DeviceArrayView:
    """Device memory that has a `__cuda_array_interface__`; keeps the memory's owner alive."""

    def __init__(self, description: dict[str, Any], owner: Any) -> None:
        self.__cuda_array_interface__, self._owner = description, owner

    @property
    def __array_interface__(self) -> dict[str, Any]:
        """The same description for NumPy: the simulator's device memory is main memory."""
        return self.__cuda_array_interface__


class OnDevice:
    """A copy of `array` on the GPU that other libraries can use without another copy."""

    def __init__(self, array: np.ndarray) -> None:
        self.shape, self.dtype = array.shape, array.dtype
        with device_errors():
            plain = np.ascontiguousarray(array)
            self._copy: Any = plain.copy() if SIMULATED else cuda.to_device(plain)
            cuda.synchronize()  # streams of other libraries may not wait for the default one

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
                "giving an array to another library by DLPack needs cuda-core and a real GPU; use "
                "its __cuda_array_interface__ instead"
            )
        view = StridedMemoryView.from_cuda_array_interface(self, stream_ptr=DEFAULT_STREAM)
        return view.__dlpack__(**arguments)


def to_host(x: Any) -> np.ndarray:
    """Return a copy in main memory of an array on the GPU."""
    with device_errors():
        if not hasattr(type(x), "__cuda_array_interface__"):
            x = _view_by_dlpack(x)
        if SIMULATED:
            return np.array(DeviceArrayView(x.__cuda_array_interface__, x))
        return cuda.as_cuda_array(x).copy_to_host()


def _view_by_dlpack(x: Any) -> DeviceArrayView:
    """Return a view of an array that can be exchanged by DLPack only."""
    if StridedMemoryView is None:
        raise BackendError(
            "taking an array from another library by DLPack needs cuda-core: pip install cuda-core"
        )
    view = StridedMemoryView.from_dlpack(x, stream_ptr=DEFAULT_STREAM)
    size = view.dtype.itemsize
    description = {
        "shape": tuple(view.shape),
        "strides": view.strides and tuple(step * size for step in view.strides),
        "typestr": view.dtype.str,
        "data": (view.ptr, view.readonly),
        "version": 3,
    }
    return DeviceArrayView(description, view)
