"""Sums down the columns of a matrix: a bias's gradient, summed over the batch.

The threads of a block form (lanes, columns): a thread adds every lanes-th row of its column, then
one thread per column adds the sums of the lanes. Many rows are divided into chunks, one per block,
whose sums a second launch adds in float64, as the reference does. The order is always the same.
"""

from __future__ import annotations

from typing import Any

from minicnn.backends.cuda.runtime.api import cuda, float32, jit, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.runtime.launch import (
    THREADS,
    KernelPlan,
    Launch,
    blocks_for,
    elementwise,
)
from minicnn.contracts import Spec

MAX_WIDTH = 32  # columns per block: wider reads are not faster
CHUNK = 1024  # rows per block, at least; estimate, not measured on a GPU (2026-11)
MAX_CHUNKS = 512
ZERO = float32(0)


def column_sums(
    out: str, matrix: str, rows: int, columns: int, *, chunk_sums: str = "chunk_sums"
) -> KernelPlan:
    """Return a plan for out[c] = sum over r of matrix[r, c]; `chunk_sums` is a scratch array."""
    if not columns:
        return KernelPlan(())
    width = min(1 << (columns - 1).bit_length(), MAX_WIDTH)
    chunk = max(CHUNK, blocks_for(rows, MAX_CHUNKS))
    chunks = max(blocks_for(rows, chunk), 1)
    kernel = chunk_kernel(rows, columns, width, THREADS // width, chunk)
    blocks = blocks_for(columns, width) * chunks
    first = Launch(kernel, blocks, THREADS, (out if chunks == 1 else chunk_sums, matrix))
    if chunks == 1:
        return KernelPlan((first,))
    rest = elementwise(total_kernel(columns, chunks), columns, (out, chunk_sums))
    return KernelPlan((first, *rest.launches), {chunk_sums: Spec((chunks, columns))})


@cached
def chunk_kernel(rows: int, columns: int, width: int, lanes: int, chunk: int) -> Any:
    threads, blocks_across = lanes * width, blocks_for(columns, width)

    @jit
    def chunk_summed(out, matrix):
        lane_sums = cuda.shared.array(threads, float32)
        t, block = uint32(cuda.threadIdx.x), uint32(cuda.blockIdx.x)
        column = block % uint32(blocks_across) * uint32(width) + t % uint32(width)
        number = block // uint32(blocks_across)
        row = number * uint32(chunk) + t // uint32(width)
        end = min((number + uint32(1)) * uint32(chunk), uint32(rows))
        total = ZERO
        if column < uint32(columns):
            while row < end:
                total += matrix[row * uint32(columns) + column]
                row += uint32(lanes)
        lane_sums[t] = total
        cuda.syncthreads()
        if t < uint32(width) and column < uint32(columns):
            for lane in range(1, lanes):
                total += lane_sums[uint32(lane * width) + t]
            out[number * uint32(columns) + column] = total

    return chunk_summed


@cached
def total_kernel(columns: int, chunks: int) -> Any:
    @jit
    def all_summed(out, chunk_sums):
        c = uint32(cuda.grid(1))
        if c < columns:
            total = 0.0  # float64
            for chunk in range(chunks):
                total += chunk_sums[uint32(chunk * columns) + c]
            out[c] = float32(total)

    return all_summed
