"""Rows of numbers, each the work of a team of threads: softmax and what compares predictions.

With few classes a thread takes a whole row; with 1000 a block does, each thread every 256th number.
A block has as many rows as it has teams.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from minicnn.backends.cuda.reduce import power_of_two
from minicnn.backends.cuda.runtime.api import cuda, device, uint32
from minicnn.backends.cuda.runtime.kept import kept
from minicnn.backends.cuda.runtime.launch import THREADS, Launch, Work, blocks_for
from minicnn.contracts import Shape

EACH = 4  # numbers of a row for one thread; estimate, not measured on a GPU (2026-11)


class Rows(NamedTuple):
    """How rows of `length` numbers are divided: teams of `team` threads, some a block."""

    number: int  # of rows
    length: int
    team: int
    teams: int

    @property
    def threads(self) -> int:
        """In a block."""
        return self.team * self.teams


def rows_of(shape: Shape, axis: int = -1) -> Rows:
    """Rows are what lies along `axis` and the axes behind it.

    >>> rows_of((32, 10))
    Rows(number=32, length=10, team=4, teams=32)
    >>> rows_of((2, 3, 1000), axis=1)
    Rows(number=2, length=3000, team=256, teams=1)
    """
    number, length = math.prod(shape[:axis]), math.prod(shape[axis:])
    team = min(power_of_two(length / EACH), THREADS)
    return Rows(number, length, team, max(min(THREADS // team, number), 1))


def row_work(kernel: Any, rows: Rows, arguments: tuple[str, ...]) -> Work:
    """A team for each row; nothing at all if there is none."""
    blocks = blocks_for(rows.number, rows.teams)
    return Work((Launch(kernel, blocks, rows.threads, arguments),) if blocks else ())


@kept
def place_in(rows: Rows) -> Any:
    """() -> (thread of the block, lane of its team, row, first number and behind the last).

    A team that has no row has no number either, but takes part in the block's barriers.
    """
    team, teams = uint32(rows.team), uint32(rows.teams)
    number, length = uint32(rows.number), uint32(rows.length)

    @device
    def place():
        t = uint32(cuda.threadIdx.x)
        lane = uint32(t % team)
        row = uint32(uint32(cuda.blockIdx.x) * teams + t // team)
        first = uint32(row * length) if row < number else uint32(0)
        last = uint32(first + length) if row < number else uint32(0)
        return t, lane, row, first, last

    return place
