"""Running a program in C++: its steps are checked once and then run as one call."""

from __future__ import annotations

import math
import mmap
from collections.abc import Callable
from contextlib import suppress
from typing import ClassVar

import numpy as np

import minicnn._core as _core
from minicnn.backends.constant_steps import Constants, Seen
from minicnn.contracts import Spec
from minicnn.errors import ArgumentError
from minicnn.host_sync import parameters_version, sync_all
from minicnn.program import Buffer, Program, Step

CACHE_LINE = 64  # bytes; also the widest vector
HUGE_PAGE = 2**21  # NumPy asks for such pages, but its arrays begin anywhere


class Arena:
    """Memory for several programs that run in turn: as much as the largest needs.

    `forget` is called before it grows, by those who hold programs in the old memory.
    """

    def __init__(self, forget: Callable[[], None] = lambda: None) -> None:
        self.weights = _core.WeightCache()  # what kernels derive from weights and keep
        self.seen: Seen = {}  # see Constants
        self._forget = forget
        self._memory = _aligned(0)

    @property
    def size_bytes(self) -> int:
        """Of the memory."""
        return self._memory.size

    def room(self, size: int) -> np.ndarray:
        """`size` bytes, the same for every program."""
        if size > self._memory.size:
            self._forget()
            self._memory = _aligned(0)  # before the new one, so that never both are there
            self._memory = _aligned(size)
        return self._memory[:size]


class Runner:
    """Holds a program's arrays, finds their places in the arena and runs its steps.

    Parameters
    ----------
    program : what to run
    arrays : for each buffer with a home, by its index, the array that lives there: parameters,
        state, inputs. They are updated in place, so their owner sees every change; they must be
        C-contiguous, aligned and of the buffer's shape and dtype.
    arena : where all others lie; one of its own by default. Programs that share one run in turn

    Raises
    ------
    ArgumentError : an array is missing or does not look like its buffer
    """

    together: ClassVar[int] = 1  # training steps that it can be given at a time

    def __init__(
        self, program: Program, arrays: dict[int, np.ndarray], arena: Arena | None = None
    ) -> None:
        arena = Arena() if arena is None else arena
        self._homes = list(arrays.values())
        self._arrays: list[np.ndarray] = []
        memory = arena.room(program.arena_bytes)
        for index, buffer in enumerate(program.buffers):
            self._arrays.append(self._array(buffer, index, arrays, memory))
        steps = [self._call(step) for step in program.steps]
        self._program = _core.Program(steps, program.commit, arena.weights)
        self._steps = range(len(program.steps))
        self._constants = Constants(program, arrays, arena.seen)

    def __getitem__(self, index: int) -> np.ndarray:
        return self._arrays[index]

    def run(self, first: int = 0, last: int | None = None) -> None:
        """Run the steps from `first` up to, not including, `last`."""
        sync_all(self._homes)
        steps = self._steps[first:last]
        self._program.run(steps.start, max(steps.start, steps.stop), parameters_version())

    def refresh_constants(self) -> None:
        """Run the steps that depend on parameters alone, if these have changed."""
        self._constants.refresh(self.run)

    def _array(
        self, buffer: Buffer, index: int, arrays: dict[int, np.ndarray], arena: np.ndarray
    ) -> np.ndarray:
        if buffer.view_of is not None:
            return self[buffer.view_of].reshape(buffer.spec.shape)
        return _placed(buffer, index, arrays) if buffer.home else _in_arena(buffer, arena)

    def _call(self, step: Step) -> tuple:
        reads, writes = (
            [None if index is None else self[index] for index in indices]
            for indices in (step.reads, step.writes)
        )
        return step.kernel, reads, writes, step.attributes


def _aligned(size: int) -> np.ndarray:
    """`size` bytes of new memory that begin on a cache line, or a page if they fill one."""
    alignment = CACHE_LINE if size < HUGE_PAGE else HUGE_PAGE
    memory = np.empty(size + alignment, np.uint8) if size < HUGE_PAGE else _pages(size + alignment)
    start = -memory.ctypes.data % alignment
    return memory[start : start + size]


def _pages(size: int) -> np.ndarray:
    """New memory from the system itself, where it goes back as a whole.

    What malloc gets back it may keep: between arenas of other sizes, a process would grow for long.
    """
    if not hasattr(mmap, "MAP_PRIVATE"):
        return np.empty(size, np.uint8)
    try:
        pages = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except OSError as error:
        raise MemoryError(f"{size / 1e6:,.0f} MB for the layers' outputs: {error}") from error
    if hasattr(mmap, "MADV_HUGEPAGE"):
        with suppress(OSError):  # a system may be built without them
            pages.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(pages, np.uint8)


def _in_arena(buffer: Buffer, arena: np.ndarray) -> np.ndarray:
    """The buffer's part of the arena."""
    shape, dtype = buffer.spec
    start = buffer.offset or 0
    stop = start + math.prod(shape) * np.dtype(dtype).itemsize
    if stop > len(arena):
        raise ArgumentError(
            f"buffer {buffer.name!r} ends at byte {stop} of an arena of {len(arena)}"
        )
    return arena[start:stop].view(dtype).reshape(shape)


def _placed(buffer: Buffer, index: int, arrays: dict[int, np.ndarray]) -> np.ndarray:
    """The owner's array for a buffer with a home."""
    if index not in arrays:
        raise ArgumentError(f"buffer {index}, {buffer.home} {buffer.name!r}, needs an array")
    array = arrays[index]
    if Spec(array.shape, str(array.dtype)) != buffer.spec:
        raise ArgumentError(
            f"buffer {index}, {buffer.home} {buffer.name!r}, must be {buffer.spec.dtype} of shape "
            f"{buffer.spec.shape}; got {array.dtype} of shape {array.shape}"
        )
    return array
