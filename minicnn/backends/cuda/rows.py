"""Rows of numbers, each the work of a team of threads: softmax and what compares predictions.

With few classes a thread takes a whole row; with 1000 a block does, each thread every 256th number.
A block has as many rows as it has teams.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from minicnn.backends.cuda.reduce import power_of_two
from minicnn.backends.cuda.runtime.api import cuda, device, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.runtime.launch import THREADS, KernelPlan, Launch, blocks_for
from minicnn.contracts import Shape

EACH = 4  # numbers of a row for one thread; estimate, not measured on a GPU (2026-11)


class RowSplit(NamedTuple):
    """How rows of `length` numbers are divided: teams of `team` threads, some a block."""

    number: int  # of rows
    length: int
    threads_per_row: int
    rows_per_block: int

    @property
    def threads(self) -> int:
        """In a block."""
        return self.threads_per_row * self.rows_per_block


def rows_of(shape: Shape, axis: int = -1) -> RowSplit:
    """Rows are what lies along `axis` and the axes behind it.

    >>> rows_of((32, 10))
    Rows(number=32, length=10, team=4, teams=32)
    >>> rows_of((2, 3, 1000), axis=1)
    Rows(number=2, length=3000, team=256, teams=1)
    """
    number, length = math.prod(shape[:axis]), math.prod(shape[axis:])
    threads_per_row = min(power_of_two(length / EACH), THREADS)
    return RowSplit(
        number, length, threads_per_row, max(min(THREADS // threads_per_row, number), 1)
    )


def row_plan(kernel: Any, rows: RowSplit, arguments: tuple[str, ...]) -> KernelPlan:
    """A team for each row; nothing at all if there is none."""
    blocks = blocks_for(rows.number, rows.rows_per_block)
    return KernelPlan((Launch(kernel, blocks, rows.threads, arguments),) if blocks else ())


@cached
def place_in(rows: RowSplit) -> Any:
    """() -> (thread of the block, lane of its team, row, first number and behind the last).

    A team that has no row has no number either, but takes part in the block's barriers.
    """
    threads_per_row, rows_per_block = uint32(rows.threads_per_row), uint32(rows.rows_per_block)
    number, length = uint32(rows.number), uint32(rows.length)

    @device
    def place():
        t = uint32(cuda.threadIdx.x)
        lane = uint32(t % threads_per_row)
        row = uint32(uint32(cuda.blockIdx.x) * rows_per_block + t // threads_per_row)
        first = uint32(row * length) if row < number else uint32(0)
        last = uint32(first + length) if row < number else uint32(0)
        return t, lane, row, first, last

    return place
