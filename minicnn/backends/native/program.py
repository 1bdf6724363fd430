"""Runs a program in C++: steps that follow each other are one call.

A training step is two calls: `minicnn.models.execution` looks at the loss between the backward pass
and the update of the weights, which must not happen if the loss is NaN or infinite.
"""

from __future__ import annotations

import math
import mmap
from bisect import bisect_left
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

import minicnn._core as _core
from minicnn.backends import fallback
from minicnn.backends.constant_steps import ConstantSteps, Snapshots
from minicnn.backends.native.kernels import KERNELS
from minicnn.contracts import Spec
from minicnn.errors import ArgumentError
from minicnn.host_sync import parameters_version, sync_all
from minicnn.program import Buffer, Program, Step

CACHE_LINE = 64  # bytes; also the size of the widest vector
HUGE_PAGE = 2**21  # bytes

Arrays = Sequence[np.ndarray | None]


class Arena:
    """Memory for several programs that run in turn: as much as the largest needs.

    It calls `before_growth` before it grows: see `minicnn.backends.new_arena`.
    """

    def __init__(self, before_growth: Callable[[], None] = lambda: None) -> None:
        self.weights = _core.WeightCache()  # transformed weights that kernels keep between runs
        self.snapshots: Snapshots = {}
        self._before_growth = before_growth
        self._memory = _aligned(0)

    @property
    def size_bytes(self) -> int:
        """Return how many bytes the arena holds."""
        return self._memory.size

    def room(self, size: int) -> np.ndarray:
        """Return the first `size` bytes, which all programs share; the memory grows if needed."""
        if size > self._memory.size:
            self._before_growth()
            self._memory = _aligned(0)  # frees the old memory before the new one is allocated
            self._memory = _aligned(size)
        return self._memory[:size]


class Runner:
    """Holds a program's arrays, lays out the arena and runs the steps in C++.

    Parameters
    ----------
    program : what to run
    arrays : for each buffer with a `storage`, by its index, the array of its owner: parameters,
        state and inputs. The program updates them in place; they must be C-contiguous, aligned and
        of the buffer's shape and dtype
    arena : the memory of all other buffers; a new one by default. Programs that share an arena run
        in turn

    Raises
    ------
    ArgumentError : an array is missing, or its shape or dtype is not the buffer's

    Notes
    -----
    C++ checks its steps once, here, and then runs any number of them with one call. Between the
    steps that have a C++ kernel, the reference runs those that have none.
    """

    max_steps_per_call: int = 1

    def __init__(
        self, program: Program, arrays: dict[int, np.ndarray], arena: Arena | None = None
    ) -> None:
        arena = Arena() if arena is None else arena
        self._persistent = list(arrays.values())
        self._arrays: list[np.ndarray] = []
        memory = arena.room(program.arena_bytes)
        for index, buffer in enumerate(program.buffers):
            self._arrays.append(self._array(buffer, index, arrays, memory))
        self._steps = program.steps
        self._missing = [i for i, step in enumerate(self._steps) if step.kernel not in KERNELS]
        fallback.warn("native", [self._steps[i].kernel for i in self._missing])
        calls = [self._call(step) for step in self._steps if step.kernel in KERNELS]
        self._program = _core.Program(
            calls, self._native_steps(program.first_change), arena.weights
        )
        self._constants = ConstantSteps(program, arrays, arena.snapshots)

    def __getitem__(self, index: int) -> np.ndarray:
        return self._arrays[index]

    def run(self, first: int = 0, last: int | None = None) -> None:
        """Run the steps from `first` up to, not including, `last`."""
        sync_all(self._persistent)
        first, last, _ = slice(first, last).indices(len(self._steps))
        for number in self._missing:
            if first <= number < last:
                self._run_native(first, number)
                _, *arrays, _ = self._call(self._steps[number])
                fallback.run_step(self._steps[number], *arrays)
                first = number + 1
        self._run_native(first, last)

    def refresh_constants(self) -> None:
        """Run the constant steps if the parameters that they read have changed."""
        self._constants.refresh(self.run)

    def _run_native(self, first: int, last: int) -> None:
        """Run these steps, all of which have C++ kernels, with one call."""
        if first < last:
            steps = self._native_steps(first), self._native_steps(last)
            self._program.run(*steps, parameters_version())

    def _native_steps(self, end: int) -> int:
        """Return how many steps before number `end` have C++ kernels."""
        return end - bisect_left(self._missing, end)

    def _array(
        self, buffer: Buffer, index: int, arrays: dict[int, np.ndarray], arena: np.ndarray
    ) -> np.ndarray:
        if buffer.view_of is not None:
            return self[buffer.view_of].reshape(buffer.spec.shape)
        return _checked(buffer, index, arrays) if buffer.storage else _in_arena(buffer, arena)

    def _call(self, step: Step) -> tuple[str, Arrays, Arrays, dict[str, Any]]:
        """Return the step as `_core.Program` takes it: with arrays in place of indices."""
        reads, writes = (
            [None if index is None else self[index] for index in indices]
            for indices in (step.reads, step.writes)
        )
        return step.kernel, reads, writes, step.attributes


def _aligned(size: int) -> np.ndarray:
    """Return `size` bytes of new memory, aligned to a cache line, or to a huge page if large."""
    alignment = CACHE_LINE if size < HUGE_PAGE else HUGE_PAGE
    memory = np.empty(size + alignment, np.uint8) if size < HUGE_PAGE else _pages(size + alignment)
    start = -memory.ctypes.data % alignment
    return memory[start : start + size]


def _pages(size: int) -> np.ndarray:
    """Return new memory from the operating system, which gets all of it back when it is freed.

    malloc may keep freed memory, so a process with arenas of changing sizes would grow.
    """
    if not hasattr(mmap, "MAP_PRIVATE"):
        return np.empty(size, np.uint8)
    try:
        pages = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except OSError as error:
        raise MemoryError(f"{size / 1e6:,.0f} MB for the layers' outputs: {error}") from error
    if hasattr(mmap, "MADV_HUGEPAGE"):
        with suppress(OSError):  # not every kernel is built with huge pages
            pages.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(pages, np.uint8)


def _in_arena(buffer: Buffer, arena: np.ndarray) -> np.ndarray:
    """Return the part of the arena that is the buffer's."""
    shape, dtype = buffer.spec
    start = buffer.offset or 0
    stop = start + math.prod(shape) * np.dtype(dtype).itemsize
    if stop > len(arena):
        raise ArgumentError(
            f"buffer {buffer.name!r} ends at byte {stop} of an arena of {len(arena)}"
        )
    return arena[start:stop].view(dtype).reshape(shape)


def _checked(buffer: Buffer, index: int, arrays: dict[int, np.ndarray]) -> np.ndarray:
    """Return the owner's array for a buffer with a `storage`, after checks of shape and dtype."""
    if index not in arrays:
        raise ArgumentError(f"buffer {index}, {buffer.storage} {buffer.name!r}, needs an array")
    array = arrays[index]
    if Spec(array.shape, str(array.dtype)) != buffer.spec:
        raise ArgumentError(
            f"buffer {index}, {buffer.storage} {buffer.name!r}, must be {buffer.spec.dtype} of "
            f"shape {buffer.spec.shape}; got {array.dtype} of shape {array.shape}"
        )
    return array
