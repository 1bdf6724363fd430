"""Mean and variance per channel of an image that was just written, in two launches.

The pixels are divided into chunks. In the first launch a block takes a chunk and 32 channels: it
computes the mean of its chunk, then the sum d_i of squared differences from it, which is accurate
for any mean. The second launch combines the chunks, of n_i pixels each, in order (Chan, Golub and
LeVeque 1979):

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
WIDTH = 32  # channels per block: a warp reads neighboring values
LANES = 8  # threads per channel
CHUNK = 128  # pixels, which are still in the cache for the second read; estimate (2026-11)


def moments_launches(pixels: int, channels: int) -> tuple[tuple[Launch, ...], dict[str, Spec]]:
    """Return launches that write "moments" (2, C) from y (pixels, C), and their scratch arrays."""
    chunks = blocks_for(pixels, CHUNK)
    first = Launch(
        _chunks_kernel(pixels, channels),
        chunks * blocks_for(channels, WIDTH),
        WIDTH * LANES,
        ("chunks", "y"),
    )
    join = _join_kernel(pixels, channels)
    last = Launch(join, blocks_for(channels), THREADS, ("moments", "chunks"))
    scratch = {"chunks": Spec((chunks, 2, channels), "float64")}
    return ((first, last) if pixels else (last,)), scratch


@device
def sum_of_lanes(sums, lane, column):
    """Return the sum over the lanes of this channel; all threads of the block must call it."""
    cuda.syncthreads()
    total = ZERO
    for other in range(LANES):
        total += sums[uint32(other * WIDTH) + column]
    cuda.syncthreads()
    return total


@cached
def _chunks_kernel(pixels: int, channels: int) -> Any:
    columns, all_ = uint32(channels), uint32(pixels)
    groups, chunk = uint32(blocks_for(channels, WIDTH)), uint32(CHUNK)
    width, threads = uint32(WIDTH), WIDTH * LANES

    @jit
    def moments_of_chunks(chunks, y):
        sums = cuda.shared.array(threads, np.float64)
        thread, block = uint32(cuda.threadIdx.x), uint32(cuda.blockIdx.x)
        lane, column = uint32(thread // width), uint32(thread % width)
        channel = uint32(block % groups * width + column)
        number = uint32(block // groups)
        first, end = uint32(number * chunk), uint32(min(all_, uint32((number + uint32(1)) * chunk)))
        last = end if channel < columns else first  # threads beyond the channels read nothing
        total = ZERO
        for row in range(first + lane, last, LANES):
            total += y[uint32(uint32(row) * columns + channel)]
        sums[thread] = total
        mean = sum_of_lanes(sums, lane, column) / (end - first)
        total = ZERO
        for row in range(first + lane, last, LANES):
            total += (y[uint32(uint32(row) * columns + channel)] - mean) ** 2
        sums[thread] = total
        squares = sum_of_lanes(sums, lane, column)
        if lane == 0 and channel < columns:
            at = uint32(number * uint32(2) * columns + channel)
            chunks[at] = mean
            chunks[uint32(at + columns)] = squares

    return moments_of_chunks


@cached
def _join_kernel(pixels: int, channels: int) -> Any:
    """Return a kernel with one thread per channel; without pixels it writes 0."""
    columns, count = channels, blocks_for(pixels, CHUNK)

    @jit
    def moments_of_all(moments, chunks):
        c = cuda.grid(1)
        if c < columns:
            mean, variance = ZERO, ZERO
            for i in range(count):
                length = min(CHUNK, pixels - i * CHUNK)
                mean += chunks[2 * i * columns + c] * length / pixels
            for i in range(count):
                length = min(CHUNK, pixels - i * CHUNK)
                d = chunks[2 * i * columns + c] - mean
                variance += (chunks[(2 * i + 1) * columns + c] + length * d * d) / pixels
            moments[c] = mean
            moments[columns + c] = variance

    return moments_of_all
