"""Mean and variance of each channel of an image that was just written, in two launches.

The pixels are cut into pieces. In the first launch a block takes a piece and 32 channels: it finds
the mean of its piece, then the sum of squared deviations from that, which is exact also at a large
mean. The second joins the pieces, of n_i numbers each, in order (Chan, Golub and LeVeque 1979):

    mean = sum of n_i mean_i / n,    variance = sum of (d_i + n_i (mean_i - mean)^2) / n
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.backends.cuda.runtime.api import cuda, device, jit, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.runtime.launch import THREADS, Launch, blocks_for
from minicnn.contracts import Spec

ZERO = np.float64(0)
WIDTH = 32  # channels of a block: a warp reads neighboring numbers
LANES = 8  # threads that share a channel
PIECE = 128  # pixels: they are still in the cache when they are read again; estimate (2026-11)


def moments_launches(pixels: int, channels: int) -> tuple[tuple[Launch, ...], dict[str, Spec]]:
    """What writes "moments" (2, C) from y (pixels, C), and its scratch memory."""
    pieces = blocks_for(pixels, PIECE)
    first = Launch(
        _pieces_kernel(pixels, channels),
        pieces * blocks_for(channels, WIDTH),
        WIDTH * LANES,
        ("pieces", "y"),
    )
    join = _join_kernel(pixels, channels)
    last = Launch(join, blocks_for(channels), THREADS, ("moments", "pieces"))
    scratch = {"pieces": Spec((pieces, 2, channels), "float64")}
    return ((first, last) if pixels else (last,)), scratch


@device
def of_all_lanes(sums, lane, column):
    """The sum of what the lanes of this channel have put into `sums`; all threads must call it."""
    cuda.syncthreads()
    total = ZERO
    for other in range(LANES):
        total += sums[uint32(other * WIDTH) + column]
    cuda.syncthreads()
    return total


@cached
def _pieces_kernel(pixels: int, channels: int) -> Any:
    columns, all_ = uint32(channels), uint32(pixels)
    groups, piece = uint32(blocks_for(channels, WIDTH)), uint32(PIECE)
    width, threads = uint32(WIDTH), WIDTH * LANES

    @jit
    def moments_of_pieces(pieces, y):
        sums = cuda.shared.array(threads, np.float64)
        thread, block = uint32(cuda.threadIdx.x), uint32(cuda.blockIdx.x)
        lane, column = uint32(thread // width), uint32(thread % width)
        channel = uint32(block % groups * width + column)
        number = uint32(block // groups)
        first, end = uint32(number * piece), uint32(min(all_, uint32((number + uint32(1)) * piece)))
        last = end if channel < columns else first  # threads beyond the channels read nothing
        total = ZERO
        for row in range(first + lane, last, LANES):
            total += y[uint32(uint32(row) * columns + channel)]
        sums[thread] = total
        mean = of_all_lanes(sums, lane, column) / (end - first)
        total = ZERO
        for row in range(first + lane, last, LANES):
            total += (y[uint32(uint32(row) * columns + channel)] - mean) ** 2
        sums[thread] = total
        deviations = of_all_lanes(sums, lane, column)
        if lane == 0 and channel < columns:
            at = uint32(number * uint32(2) * columns + channel)
            pieces[at] = mean
            pieces[uint32(at + columns)] = deviations

    return moments_of_pieces


@cached
def _join_kernel(pixels: int, channels: int) -> Any:
    """One thread a channel. No pixels: zeros, as the reference has it."""
    columns, count = channels, blocks_for(pixels, PIECE)

    @jit
    def moments_of_all(moments, pieces):
        c = cuda.grid(1)
        if c < columns:
            mean, variance = ZERO, ZERO
            for i in range(count):
                length = min(PIECE, pixels - i * PIECE)
                mean += pieces[2 * i * columns + c] * length / pixels
            for i in range(count):
                length = min(PIECE, pixels - i * PIECE)
                apart = pieces[2 * i * columns + c] - mean
                variance += (pieces[(2 * i + 1) * columns + c] + length * apart * apart) / pixels
            moments[c] = mean
            moments[columns + c] = variance

    return moments_of_all
