"""Sums over all pixels of each channel, (rows, channels) -> (channels,), in two passes.

Pass 1: a block takes a few neighboring channels, so that its threads read neighboring values, and a
chunk of the rows. Its threads form lanes of `width` channels; a lane adds up every `lanes`-th row,
and the sums of the lanes are added in shared memory. Pass 2 adds the sums of the chunks in float64:
they are few. The order of the additions depends on the shape alone, so a sum has the same bits
every time.
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
WIDTH = 32  # channels per block: a warp reads 128 bytes
WIDTH_OF_CHUNKS = 8  # in pass 2, where more lanes help more than reads of 128 bytes
ROWS = 8  # per lane, at least, if there are enough
BLOCKS = 512  # in pass 1, about: a few per multiprocessor


class ChannelSplit(NamedTuple):
    """How `rows` x `channels` values are divided among blocks and their threads."""

    rows: int
    channels: int
    width: int  # channels per block
    lanes: int  # threads per channel; a power of two
    chunk: int  # rows per block

    @property
    def threads(self) -> int:
        """Threads per block."""
        return self.width * self.lanes

    @property
    def groups(self) -> int:
        """Blocks per chunk."""
        return blocks_for(self.channels, self.width)

    @property
    def chunks(self) -> int:
        """Chunks of the rows; without rows there is one, whose sums are 0."""
        return max(blocks_for(self.rows, self.chunk), 1)

    @property
    def blocks(self) -> int:
        """Blocks of the launch."""
        return self.groups * self.chunks


def channel_split(spec: Spec) -> ChannelSplit:
    """Return how pass 1 divides an array with the channels last.

    >>> channel_split(Spec((64, 32, 32, 48)))
    ChannelSplit(rows=65536, channels=48, width=24, lanes=8, chunk=256)
    """
    size = unchunked_split(math.prod(spec.shape[:-1]), spec.shape[-1], WIDTH)
    most = max(BLOCKS // size.groups, 1)
    chunks = min(blocks_for(size.rows, size.lanes * ROWS), most)
    return size._replace(chunk=blocks_for(size.rows, max(chunks, 1)) or 1)


def channel_split_of_chunks(size: ChannelSplit) -> ChannelSplit:
    """Return how pass 2 divides the sums: a block has all chunks of its channels."""
    return unchunked_split(size.chunks, size.channels, WIDTH_OF_CHUNKS)


def unchunked_split(rows: int, channels: int, widest: int) -> ChannelSplit:
    """Return blocks that have all rows of at most `widest` channels."""
    width = blocks_for(channels, blocks_for(channels, widest))
    fit = 1 << (THREADS // width).bit_length() - 1  # the largest power of two that fits
    return ChannelSplit(rows, channels, width, min(fit, power_of_two(rows / ROWS)), max(rows, 1))


@cached
def position_in(size: ChannelSplit) -> Any:
    """Return a device function: () -> (thread, lane, channel, first row, end of the rows, chunk).

    A thread beyond the last channel has no rows, but takes part in the block's barriers.
    """
    width, groups, chunk = uint32(size.width), uint32(size.groups), uint32(size.chunk)
    channels, rows = uint32(size.channels), uint32(size.rows)

    @device
    def position():
        t, block = uint32(cuda.threadIdx.x), uint32(cuda.blockIdx.x)
        channel = uint32(block % groups * width + t % width)
        number = uint32(block // groups)
        first = uint32(number * chunk)
        last = uint32(min(uint32(first + chunk), rows)) if channel < channels else first
        return t, uint32(t // width), channel, first, last, number

    return position
