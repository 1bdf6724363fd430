"""Memory on the GPU, and the host arrays that have a copy there."""

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

ALIGNMENT = 256  # bytes; what the widest loads and the tensor cores like
OUT_OF_MEMORY = 2  # CUDA_ERROR_OUT_OF_MEMORY
# After these the driver answers every call of the process with the same error: an address that is
# not there, a kernel that ran too long or trapped, a card that fell off the bus, broken memory, ...
LOST = {46, 214, 220, 226, 700, 702, 709, 710, *range(714, 720), 999}
RESTART = (
    "Its memory is lost for this process: start it again; training goes on from the last "
    "checkpoint (callbacks.BackupAndRestore)"
)
LOOK = "minicnn verify MODEL --engines cuda tries every kernel apart"
_limit: int | None = None  # bytes that may be asked for at once; None: as many as the device has
_started_in = os.getpid()
_thread = threading.local()  # has `ready` where numba has given a thread the GPU


def set_limit(size: int | None) -> None:
    """Refuse larger allocations, as a smaller GPU would; None takes the limit away."""
    global _limit
    _limit = size


def allocate(spec: Spec, what: str) -> Any:
    """A flat device array for `spec`, not filled.

    Raises
    ------
    DeviceMemoryError : there is not so much; the message names `what`. Nothing is left behind
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
    """Turn what the driver says into one clear BackendError."""
    if os.getpid() != _started_in:
        raise BackendError(FORKED)
    try:
        _prepare_thread()
        yield
    except Exception as err:
        code = code_of(err)
        if code is None:
            raise
        remedy = RESTART if code in LOST else LOOK
        raise BackendError(f"the GPU failed: {err}. {remedy}") from err


def _prepare_thread() -> None:
    """Streams, events and graphs do not do what numba's arrays do: ask for the GPU's context."""
    if not SIMULATED and not hasattr(_thread, "ready"):
        cuda.current_context()
        _thread.ready = True


def code_of(err: Exception) -> int | None:
    """The driver's number; None if it is not the driver's error.

    Errors of launches are cuda.core's: they begin with the number's name.
    """
    name = str(err).partition(":")[0]
    named = getattr(driver.CUresult, name, None) if name.startswith("CUDA_ERROR_") else None
    return getattr(err, "code", named)


class Region(NamedTuple):
    """Where an array lies: some bytes from the start of an allocation."""

    memory: Any  # uint8, on the device
    offset: int
    spec: Spec

    @property
    def where(self) -> tuple[int, int]:
        """What differs between arrays that do not lie at one place."""
        return id(self.memory), self.offset

    @property
    def array(self) -> Any:
        """The flat device array that lies there."""
        return part(self.memory, self.offset, self.spec)


def allocate_adjacent(specs: list[Spec], what: str) -> list[Region]:
    """One allocation for arrays of these specs, each of which begins at a multiple of ALIGNMENT.

    Raises
    ------
    DeviceMemoryError : there is not so much; the message names `what`. Nothing is left behind
    """
    offsets = list(accumulate((padded_bytes(spec) for spec in specs), initial=0))
    memory = allocate(Spec((offsets[-1],), "uint8"), what)
    return [Region(memory, offset, spec) for offset, spec in zip(offsets, specs, strict=False)]


def padded_bytes(spec: Spec) -> int:
    """Bytes of an array, up to where the next one may begin."""
    size = math.prod(spec.shape) * np.dtype(spec.dtype).itemsize
    return -(-size // ALIGNMENT) * ALIGNMENT


class DeviceCopy:
    """A host array and its copy on the device; the newest numbers are on one side, or on both."""

    def __init__(self, array: np.ndarray, place: Region) -> None:
        self.place, self.spec, self.copy = place, place.spec, place.array
        self.version = 0  # counts the changes of `copy`
        self._array = weakref.ref(array)
        self._on_host, self._on_device = True, False
        track_device_copy(array, self.give_back)

    def give_back(self) -> None:
        """Bring the newest numbers to the host array, which its owner may then change."""
        array = self._array()
        if not self._on_host and array is not None:
            array[...] = download(self.copy, self.spec)
        self._on_host, self._on_device = True, False

    def refresh(self) -> None:
        """Bring them to the device."""
        array = self._array()
        if not self._on_device and array is not None:
            upload(array, self.copy)
            self.version += 1
            self._on_device = True

    def changed(self) -> None:
        """A kernel has written the copy."""
        self.version += 1
        self._on_host, self._on_device = False, True


_device_copies: dict[int, DeviceCopy] = {}


def device_copies_of(arrays: list[np.ndarray], what: str) -> list[DeviceCopy]:
    """The mirror of each array; it lives as long as the array. New ones lie in one allocation."""
    new = list({id(a): a for a in arrays if id(a) not in _device_copies}.values())
    specs = [Spec(array.shape, array.dtype.name) for array in new]
    places = allocate_adjacent(specs, what) if new else []
    for array, place in zip(new, places, strict=True):
        _device_copies[id(array)] = DeviceCopy(array, place)
        weakref.finalize(array, _device_copies.pop, id(array), None)
    return [_device_copies[id(array)] for array in arrays]


def upload(array: np.ndarray, copy: Any, stream: Any = 0) -> None:
    """Copy host numbers to the device; on a stream, they must not change until it is done."""
    with device_errors():
        if array.size:
            copy[: array.size].copy_to_device(np.ascontiguousarray(array).reshape(-1), stream)


def download(copy: Any, spec: Spec, stream: Any = 0) -> np.ndarray:
    """A new host array with the device's numbers."""
    with device_errors():
        size = math.prod(spec.shape)
        flat = copy[:size].copy_to_host(stream=stream) if size else np.empty(0, spec.dtype)
        if stream:  # whether the copy waits is for the driver to decide
            stream.synchronize()
        return flat.reshape(spec.shape)


def part(memory: Any, offset: int, spec: Spec) -> Any:
    """The flat array of `spec` that lies at `offset` bytes of a uint8 device array."""
    size = math.prod(spec.shape) * np.dtype(spec.dtype).itemsize
    return memory[offset : offset + size].view(np.dtype(spec.dtype))


def new_stream() -> Any:
    """A stream of its own: graphs cannot be recorded on the default one."""
    with device_errors():
        return 0 if SIMULATED else cuda.stream()


@cache
def compute_stream() -> Any:
    """The one that all programs run on: each finds the weights as the one before left them."""
    return new_stream()
