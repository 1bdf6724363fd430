"""Gradient clipping. The formulas are in the reference's file of this name.

The squared norm is summed in float64, in which the square of a float32 cannot overflow: each block
sums a stretch of the gradient, and one more block adds the blocks' sums. The order is always the
same.
"""

from __future__ import annotations

import math
from typing import Any

from numpy import float64

from minicnn.backends.cuda.activations import map_kernel
from minicnn.backends.cuda.runtime.api import cuda, device, float32, jit, sqrt, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.runtime.launch import (
    THREADS,
    KernelPlan,
    Launch,
    blocks_for,
    elementwise,
    joined,
)
from minicnn.contracts import Spec

STRETCH = 16 * THREADS  # values per block, at least; estimate, not measured (2026-11)
MAX_BLOCKS = 1024
EACH = 4  # values per thread that scales the gradient
ONE = float64(1)
TOTAL = Spec((1,), "float64")


@cached
def clamp(limit: float) -> Any:
    highest, lowest = float32(limit), float32(-limit)

    @device
    def limited(g):
        return highest if g > highest else (lowest if g < lowest else g)

    return limited


def clip_by_value(dw: Spec, *, limit: float) -> KernelPlan:
    count = math.prod(dw.shape)
    return elementwise(map_kernel(clamp(limit), count), count, ("dw", "dw"))


def clip_by_norm(dw: Spec, *, limit: float) -> KernelPlan:
    both = joined(squared_norm_start(dw), clip_by_global_norm(dw, TOTAL, limit=limit))
    return both._replace(scratch={**both.scratch, "total": TOTAL})


def squared_norm_start(dw: Spec) -> KernelPlan:
    return _squared_norm(dw, False)


def squared_norm_add(dw: Spec, total: Spec) -> KernelPlan:
    return _squared_norm(dw, True)


def clip_by_global_norm(dw: Spec, total: Spec, *, limit: float) -> KernelPlan:
    count = math.prod(dw.shape)
    kernel, blocks = _scale_kernel(count, limit, THREADS), blocks_for(count, EACH * THREADS)
    return KernelPlan((Launch(kernel, blocks, THREADS, ("dw", "total")),) if count else ())


def _squared_norm(dw: Spec, adds: bool) -> KernelPlan:
    """Return a plan for `total` = the sum of squares, or with `adds` for `total` += the sum."""
    count = math.prod(dw.shape)
    stretch = max(STRETCH, blocks_for(count, MAX_BLOCKS))
    blocks = blocks_for(count, stretch)
    if blocks <= 1:
        return KernelPlan((_summing(count, count, ("total", "dw"), adds=adds, squares=True),))
    squares = _summing(count, stretch, ("block_sums", "dw"), adds=False, squares=True)
    whole = _summing(blocks, blocks, ("total", "block_sums"), adds=adds, squares=False)
    return KernelPlan((squares, whole), {"block_sums": Spec((blocks,), "float64")})


def _summing(
    count: int, stretch: int, arguments: tuple[str, str], *, adds: bool, squares: bool
) -> Launch:
    """Return a launch in which each block sums `stretch` values, or their squares."""
    threads = min(THREADS, 1 << max(stretch - 1, 0).bit_length())  # a power of 2
    kernel = _sum_kernel(count, stretch, threads, adds, squares)
    return Launch(kernel, max(blocks_for(count, max(stretch, 1)), 1), threads, arguments)


@cached
def _sum_kernel(count: int, stretch: int, threads: int, adds: bool, squares: bool) -> Any:
    """Return a kernel: out[block] = the block's sum, or with `adds` out[block] += the sum."""

    @jit
    def summed(out, values):
        sums = cuda.shared.array(threads, float64)
        t, block = uint32(cuda.threadIdx.x), uint32(cuda.blockIdx.x)
        i = block * uint32(stretch) + t
        end = min((block + uint32(1)) * uint32(stretch), uint32(count))
        total = float64(0)
        while i < end:
            value = float64(values[i])
            total += value * value if squares else value
            i += uint32(threads)
        sums[t] = total
        cuda.syncthreads()
        half = uint32(threads // 2)
        while half > 0:
            if t < half:
                sums[t] += sums[t + half]
            cuda.syncthreads()
            half //= uint32(2)
        if t == 0:
            out[block] = out[block] + sums[0] if adds else sums[0]

    return summed


@cached
def _scale_kernel(count: int, limit: float, threads: int) -> Any:
    max_norm = float64(limit)

    @jit
    def scaled(dw, total):
        factor = cuda.shared.array(1, float32)
        t = uint32(cuda.threadIdx.x)
        if t == 0:  # once per block, as many GPUs are slow in float64
            norm = float64(sqrt(total[0]))
            factor[0] = float32(ONE if norm <= max_norm else max_norm / norm)  # NaN stays NaN
        cuda.syncthreads()
        i = uint32(cuda.blockIdx.x) * uint32(EACH * threads) + t
        for _ in range(EACH):
            if i < uint32(count):
                dw[i] = dw[i] * factor[0]
            i += uint32(threads)

    return scaled
