"""How rows are divided among threads, for softmax and the losses.

A short row is taken by one thread, and a row of 1000 classes by a whole block, of which each thread
takes every 256th value.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from minicnn.backends.cuda.reduce import power_of_two
from minicnn.backends.cuda.runtime.api import cuda, device, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.runtime.launch import THREADS, KernelPlan, Launch, blocks_for
from minicnn.contracts import Shape

EACH = 4  # values of a row per thread; estimate, not measured on a GPU (2026-11)


class RowSplit(NamedTuple):
    """How rows of `length` values are divided among threads and blocks."""

    rows: int
    length: int
    lanes: int  # threads per row; a power of two
    rows_per_block: int

    @property
    def threads(self) -> int:
        """Threads per block."""
        return self.lanes * self.rows_per_block


def rows_of(shape: Shape, axis: int = -1) -> RowSplit:
    """Return how an array is divided if a row is what lies along `axis` and the axes after it.

    >>> rows_of((32, 10))
    RowSplit(rows=32, length=10, lanes=4, rows_per_block=32)
    >>> rows_of((2, 3, 1000), axis=1)
    RowSplit(rows=2, length=3000, lanes=256, rows_per_block=1)
    """
    count, length = math.prod(shape[:axis]), math.prod(shape[axis:])
    lanes = min(power_of_two(length / EACH), THREADS)
    return RowSplit(count, length, lanes, max(min(THREADS // lanes, count), 1))


def row_plan(kernel: Any, rows: RowSplit, arguments: tuple[str, ...]) -> KernelPlan:
    """Return a plan that launches the kernel for all rows; without rows it launches nothing."""
    blocks = blocks_for(rows.rows, rows.rows_per_block)
    return KernelPlan((Launch(kernel, blocks, rows.threads, arguments),) if blocks else ())


@cached
def position_in(rows: RowSplit) -> Any:
    """Return a device function: () -> (thread, its lane of the row, row, first index, end index).

    Threads without a row have no values, but take part in the block's barriers.
    """
    lanes, rows_per_block = uint32(rows.lanes), uint32(rows.rows_per_block)
    count, length = uint32(rows.rows), uint32(rows.length)

    @device
    def position():
        t = uint32(cuda.threadIdx.x)
        lane = uint32(t % lanes)
        row = uint32(uint32(cuda.blockIdx.x) * rows_per_block + t // lanes)
        first = uint32(row * length) if row < count else uint32(0)
        last = uint32(first + length) if row < count else uint32(0)
        return t, lane, row, first, last

    return position
