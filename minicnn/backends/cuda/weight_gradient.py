"""The gradient by the weights, in two launches: many threads share the sum over all pixels.

The pixels are cut into splits. The first launch gives each split its own dw and db, float32 in
scratch memory (db is one row more, under dw's); the second adds them up in order, in float64: they
are few, and the same shapes give the same bits.
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

NOTHING = np.float64(0)
MIN_SPLIT = 256  # pixels: shorter ones cost more to add up than they save; estimate (2026-11)


def weight_gradient_plan(product: ImplicitProduct, mask: str) -> KernelPlan:
    """`product` is (taps + 1, CO) = A dz, without `finish`; A is read from x, B from dy."""
    product = product._replace(finish=into_parts(product.rows, product.columns))
    product = split_for(product, MIN_SPLIT)
    return with_join(product_plan(product, ("parts", mask, "x", "dy", "x")), product)


def with_join(first: KernelPlan, product: ImplicitProduct) -> KernelPlan:
    """`first`, which writes "parts", and the launch that adds them up."""
    count = product.rows * product.columns
    join = join_kernel(product.rows, product.columns, product.splits)
    last = Launch(join, blocks_for(count), THREADS, ("dw", "db", "parts"))
    parts = Spec((product.splits, product.rows, product.columns))
    return KernelPlan((*first.launches, last), {"parts": parts})


@cached
def into_parts(rows: int, columns: int) -> Any:
    """A `finish`: the sum, to its place in the split's own (rows, columns)."""
    height, width = uint32(rows), uint32(columns)

    @device
    def finish(parts, mask, extra, split, row, column, sums, i):
        parts[uint32(uint32(uint32(split * height) + row) * width + column)] = sums[i]

    return finish


@cached
def join_kernel(rows: int, columns: int, splits: int) -> Any:
    """One thread for each number of dw and db."""
    count, weights = uint32(rows * columns), uint32((rows - 1) * columns)

    @jit
    def join(dw, db, parts):
        i = uint32(cuda.grid(1))
        if i < count:
            total = NOTHING
            for split in range(splits):
                total += parts[uint32(uint32(split) * count + i)]
            if i < weights:
                dw[i] = total
            else:
                db[uint32(i - weights)] = total

    return join
