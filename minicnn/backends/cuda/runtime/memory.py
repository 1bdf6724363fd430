"""Memory on the GPU, and the device copies of host arrays."""

from __future__ import annotations

import math
import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np

from minicnn.backends.cuda.runtime.api import SIMULATED, cuda, driver
from minicnn.backends.device import FORKED
from minicnn.contracts import Spec
from minicnn.errors import BackendError, DeviceMemoryError
from minicnn.host_sync import track_device_copy

ALIGNMENT = 256  # bytes; enough for the widest loads and for the tensor cores
OUT_OF_MEMORY = 2  # CUDA_ERROR_OUT_OF_MEMORY
# After these errors the driver answers every later call of the process with the same error: an
# invalid address, a kernel that trapped or ran too long, a lost GPU, broken memory, ...
STICKY_ERRORS = {46, 214, 220, 226, 700, 702, 709, 710, *range(714, 720), 999}
RESTART = (
    "This process cannot use the GPU any more: start it again; training resumes from the last "
    "checkpoint (callbacks.BackupAndRestore)"
)
VERIFY = "minicnn verify MODEL --engines cuda tests every kernel on its own"
_limit: int | None = None  # bytes per allocation; None: as many as the device has
_started_in = os.getpid()
_thread = threading.local()  # has `ready` once numba has given the thread a CUDA context


def set_limit(size: int | None) -> None:
    """Refuse allocations of more than `size` bytes, as a smaller GPU would; None: no limit."""
    global _limit
    _limit = size


def allocate(spec: Spec, what: str) -> Any:
    """Return a flat device array for `spec`; its values are undefined.

    Raises
    ------
    DeviceMemoryError : the device has too little memory; the message says that it is for `what`
    """
    size = math.prod(spec.shape) * np.dtype(spec.dtype).itemsize
    with device_errors():
        if _limit is not None and size > _limit:
            raise DeviceMemoryError(what, size, _limit)
        try:
            return cuda.device_array(max(math.prod(spec.shape), 1), spec.dtype)
        except Exception as err:
            if code_of(err) != OUT_OF_MEMORY:
                raise
            free, _ = cuda.current_context().get_memory_info()
            raise DeviceMemoryError(what, size, free) from err


@contextmanager
def device_errors() -> Iterator[None]:
    """Turn an error of the CUDA driver into a BackendError that says what to do."""
    if os.getpid() != _started_in:
        raise BackendError(FORKED)
    try:
        _prepare_thread()
        yield
    except Exception as err:
        code = code_of(err)
        if code is None:
            raise
        remedy = RESTART if code in STICKY_ERRORS else VERIFY
        raise BackendError(f"the GPU failed: {err}. {remedy}") from err


def _prepare_thread() -> None:
    """Make the GPU's context current in this thread: numba does so for arrays, but not for graphs,
    streams and events."""
    if not SIMULATED and not hasattr(_thread, "ready"):
        cuda.current_context()
        _thread.ready = True


def code_of(err: Exception) -> int | None:
    """Return the CUDA driver's error number; None for other errors.

    A failed launch raises an error of cuda.core, whose text begins with the number's name.
    """
    name = str(err).partition(":")[0]
    named = getattr(driver.CUresult, name, None) if name.startswith("CUDA_ERROR_") else None
    return getattr(err, "code", named)


class Region(NamedTuple):
    """A part of a device allocation that holds one array."""

    memory: Any  # uint8, on the device
    offset: int  # bytes
    spec: Spec

    @property
    def key(self) -> tuple[int, int]:
        """The allocation's id and the offset: equal for two regions that begin at one address."""
        return id(self.memory), self.offset

    @property
    def array(self) -> Any:
        """The flat device array in this region."""
        return subarray(self.memory, self.offset, self.spec)


def allocate_adjacent(specs: list[Spec], what: str) -> list[Region]:
    """Return regions for arrays of these specs in one allocation, each aligned to ALIGNMENT.

    Raises
    ------
    DeviceMemoryError : the device has too little memory; the message says that it is for `what`
    """
    offsets = list(accumulate((padded_bytes(spec) for spec in specs), initial=0))
    memory = allocate(Spec((offsets[-1],), "uint8"), what)
    return [Region(memory, offset, spec) for offset, spec in zip(offsets, specs, strict=False)]


def padded_bytes(spec: Spec) -> int:
    """Return the size of an array in bytes, rounded up to a multiple of ALIGNMENT."""
    size = math.prod(spec.shape) * np.dtype(spec.dtype).itemsize
    return -(-size // ALIGNMENT) * ALIGNMENT


class DeviceCopy:
    """The device copy of a host array; the newest values are on one side, or on both."""

    def __init__(self, array: np.ndarray, region: Region) -> None:
        self.region, self.spec, self.array = region, region.spec, region.array
        self.version = 0  # grows when the device copy changes
        self._host_array = weakref.ref(array)
        self._on_host, self._on_device = True, False
        track_device_copy(array, self.write_back)

    def write_back(self) -> None:
        """Copy the newest values to the host array, which its owner may change afterwards."""
        host_array = self._host_array()
        if not self._on_host and host_array is not None:
            host_array[...] = download(self.array, self.spec)
        self._on_host, self._on_device = True, False

    def refresh(self) -> None:
        """Copy the newest values to the device."""
        host_array = self._host_array()
        if not self._on_device and host_array is not None:
            upload(host_array, self.array)
            self.version += 1
            self._on_device = True

    def mark_changed(self) -> None:
        """Note that the device copy was written, so the host array is out of date."""
        self.version += 1
        self._on_host, self._on_device = False, True


_device_copies: dict[int, DeviceCopy] = {}  # by the host array's id


def device_copies_of(arrays: list[np.ndarray], what: str) -> list[DeviceCopy]:
    """Return the device copy of each array; it lives as long as the array.

    Copies that do not exist yet are made in one allocation.
    """
    new = list({id(a): a for a in arrays if id(a) not in _device_copies}.values())
    specs = [Spec(array.shape, array.dtype.name) for array in new]
    regions = allocate_adjacent(specs, what) if new else []
    for array, region in zip(new, regions, strict=True):
        _device_copies[id(array)] = DeviceCopy(array, region)
        weakref.finalize(array, _device_copies.pop, id(array), None)
    return [_device_copies[id(array)] for array in arrays]


def upload(array: np.ndarray, device_array: Any, stream: Any = 0) -> None:
    """Copy values to the device. On a stream, `array` must not change until the copy is done."""
    with device_errors():
        if array.size:
            flat = np.ascontiguousarray(array).reshape(-1)
            device_array[: array.size].copy_to_device(flat, stream)


def download(device_array: Any, spec: Spec, stream: Any = 0) -> np.ndarray:
    """Return the device array's values as a new host array that looks like `spec`."""
    with device_errors():
        size = math.prod(spec.shape)
        flat = device_array[:size].copy_to_host(stream=stream) if size else np.empty(0, spec.dtype)
        if stream:  # the driver may return before the copy is done
            stream.synchronize()
        return flat.reshape(spec.shape)


def subarray(memory: Any, offset: int, spec: Spec) -> Any:
    """Return the flat array of `spec` that begins at byte `offset` of a uint8 device array."""
    size = math.prod(spec.shape) * np.dtype(spec.dtype).itemsize
    return memory[offset : offset + size].view(np.dtype(spec.dtype))


def new_stream() -> Any:
    """Return a new CUDA stream: graphs cannot be recorded on the default one."""
    with device_errors():
        return 0 if SIMULATED else cuda.stream()


@cache
def compute_stream() -> Any:
    """Return the one stream of all programs, on which each sees the weights the last one left."""
    return new_stream()
