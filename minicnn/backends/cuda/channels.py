"""Sums over all pixels of each channel, (rows, channels) -> (channels,), in two passes.

Pass 1: a block takes a few neighboring channels, so that its threads read neighboring numbers,
and a piece of the rows. Its threads stand in lanes of `width` channels; a lane adds up every
`lanes`-th row, and the lanes are joined in shared memory. Pass 2 joins the pieces in float64: they
are few. What is added to what depends on the shape alone, so a sum has the same bits every time.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from minicnn.backends.cuda.reduce import power_of_two
from minicnn.backends.cuda.runtime.api import cuda, device, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.runtime.launch import THREADS, blocks_for
from minicnn.contracts import Spec

# Estimates, not measured on a GPU (2026-11).
WIDTH = 32  # channels of a block: a warp reads 128 bytes
WIDTH_OF_PIECES = 8  # and in pass 2, where more lanes count more than whole 128 bytes
ROWS = 8  # a lane adds up at least so many, if there are
BLOCKS = 512  # of pass 1, not many more: a few for each multiprocessor


class ChannelSplit(NamedTuple):
    """How `rows` x `channels` numbers are divided among blocks, a block's among its threads."""

    rows: int
    channels: int
    width: int  # channels of a block
    lanes: int  # threads of a block that share a channel; a power of two
    piece: int  # rows of a block

    @property
    def threads(self) -> int:
        """In a block."""
        return self.width * self.lanes

    @property
    def groups(self) -> int:
        """Blocks that share a piece."""
        return blocks_for(self.channels, self.width)

    @property
    def pieces(self) -> int:
        """At least one, even without rows: the sums are then 0."""
        return max(blocks_for(self.rows, self.piece), 1)

    @property
    def blocks(self) -> int:
        """Of the launch."""
        return self.groups * self.pieces


def columns_of(spec: Spec) -> ChannelSplit:
    """Pass 1 over an array with the channels last.

    >>> columns_of(Spec((64, 32, 32, 48)))
    Columns(rows=65536, channels=48, width=24, lanes=8, piece=256)
    """
    size = whole_columns(math.prod(spec.shape[:-1]), spec.shape[-1], WIDTH)
    most = max(BLOCKS // size.groups, 1)
    pieces = min(blocks_for(size.rows, size.lanes * ROWS), most)
    return size._replace(piece=blocks_for(size.rows, max(pieces, 1)) or 1)


def columns_of_pieces(size: ChannelSplit) -> ChannelSplit:
    """Pass 2: a block has all pieces of its channels."""
    return whole_columns(size.pieces, size.channels, WIDTH_OF_PIECES)


def whole_columns(rows: int, channels: int, widest: int) -> ChannelSplit:
    """Blocks of all rows of at most `widest` channels."""
    width = blocks_for(channels, blocks_for(channels, widest))
    fit = 1 << (THREADS // width).bit_length() - 1  # the largest power of two that does
    return ChannelSplit(rows, channels, width, min(fit, power_of_two(rows / ROWS)), max(rows, 1))


@cached
def place_in(size: ChannelSplit) -> Any:
    """() -> (thread of the block, lane, channel, first row, behind the last, number of the piece).

    A thread beyond the last channel has no rows, but takes part in the block's barriers.
    """
    width, groups, piece = uint32(size.width), uint32(size.groups), uint32(size.piece)
    channels, rows = uint32(size.channels), uint32(size.rows)

    @device
    def place():
        t, block = uint32(cuda.threadIdx.x), uint32(cuda.blockIdx.x)
        channel = uint32(block % groups * width + t % width)
        number = uint32(block // groups)
        first = uint32(number * piece)
        last = uint32(min(uint32(first + piece), rows)) if channel < channels else first
        return t, uint32(t // width), channel, first, last, number

    return place
