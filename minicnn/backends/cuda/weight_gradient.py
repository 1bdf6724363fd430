"""The gradient of the weights, in two launches, so that many threads share the sum over all pixels.

The pixels are divided into splits. The first launch computes dw and db of each split, as float32 in
scratch memory; db is an additional row below dw. The second launch adds the splits in order, in
float64: there are few of them. So equal shapes give equal bits. The tensor cores' products have the
same second launch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.backends.cuda.conv2d_tiles import ImplicitProduct, split_for
from minicnn.backends.cuda.implicit_gemm import product_plan
from minicnn.backends.cuda.runtime.api import cuda, device, jit, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.runtime.launch import THREADS, KernelPlan, Launch, blocks_for
from minicnn.contracts import Spec

ZERO = np.float64(0)
MIN_SPLIT = 256  # pixels: shorter splits cost more to add than they save; estimate (2026-11)


def weight_gradient_plan(product: ImplicitProduct, mask: str) -> KernelPlan:
    """Return the launches for a product A dz, (taps + 1, CO), which has no epilogue yet.

    A is read from x, dz from dy and the array that is named by `mask`.
    """
    product = product._replace(epilogue=store_part(product.rows, product.columns))
    product = split_for(product, MIN_SPLIT)
    first = product_plan(product, ("parts", mask, "x", "dy", "x"))
    return with_sum_of_parts(first, product.splits, product.rows, product.columns)


def with_sum_of_parts(first: KernelPlan, splits: int, rows: int, columns: int) -> KernelPlan:
    """Return `first`, which writes "parts" (splits, rows, columns), and a launch that adds them."""
    add_parts = sum_of_parts_kernel(splits, rows, columns)
    last = Launch(add_parts, blocks_for(rows * columns), THREADS, ("dw", "db", "parts"))
    return KernelPlan((*first.launches, last), {"parts": Spec((splits, rows, columns))})


@cached
def store_part(rows: int, columns: int) -> Any:
    """Return an epilogue that stores a sum in the split's own matrix, (rows, columns)."""
    height, width = uint32(rows), uint32(columns)

    @device
    def epilogue(parts, mask, extra, split, row, column, sums, i):
        parts[uint32(uint32(uint32(split * height) + row) * width + column)] = sums[i]

    return epilogue


@cached
def sum_of_parts_kernel(splits: int, rows: int, columns: int) -> Any:
    """Return a kernel that adds the splits to dw and db; one thread per value."""
    count, weights = uint32(rows * columns), uint32((rows - 1) * columns)

    @jit
    def add_parts(dw, db, parts):
        i = uint32(cuda.grid(1))
        if i < count:
            total = ZERO
            for split in range(splits):
                total += parts[uint32(uint32(split) * count + i)]
            if i < weights:
                dw[i] = total
            else:
                db[uint32(i - weights)] = total

    return add_parts
