"""Softmax: some threads per row. The formulas are in the reference's file of this name."""

from __future__ import annotations

import math
from typing import Any

from minicnn.backends.cuda.reduce import block_max, block_sum, larger
from minicnn.backends.cuda.rows import RowSplit, position_in, row_plan, rows_of
from minicnn.backends.cuda.runtime.api import cuda, device, exp, float32, jit, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.runtime.launch import KernelPlan
from minicnn.contracts import Spec

ZERO, LOWEST, STEP = float32(0), float32(-math.inf), uint32(1)


def softmax_forward(x: Spec) -> KernelPlan:
    rows = rows_of(x.shape)
    return row_plan(_forward_kernel(rows), rows, ("y", "x"))


def softmax_backward(dy: Spec, y: Spec) -> KernelPlan:
    rows = rows_of(dy.shape)
    return row_plan(_backward_kernel(rows), rows, ("dx", "dy", "y"))


@cached
def softmax_sum(rows: RowSplit) -> Any:
    """Return a device function: (largest z of a row, sum of exp(z - largest)), for its threads."""
    lanes = uint32(rows.lanes)

    @device
    def shifted_sum(shared, z, t, lane, first, last):
        largest = LOWEST
        for i in range(first + lane, last, lanes):
            largest = larger(largest, z[i])
        largest = block_max(shared, largest, t, lane, lanes, STEP)
        total = ZERO
        for i in range(first + lane, last, lanes):
            total += float32(exp(z[i] - largest))
        return largest, block_sum(shared, total, t, lane, lanes, STEP)

    return shifted_sum


@cached
def _forward_kernel(rows: RowSplit) -> Any:
    position, threads, lanes = position_in(rows), rows.threads, uint32(rows.lanes)
    shifted_sum = softmax_sum(rows)

    @jit
    def softmax(y, x):
        shared = cuda.shared.array(threads, float32)
        t, lane, _, first, last = position()
        largest, total = shifted_sum(shared, x, t, lane, first, last)
        for i in range(first + lane, last, lanes):
            y[i] = float32(exp(x[i] - largest)) / total

    return softmax


@cached
def _backward_kernel(rows: RowSplit) -> Any:
    position, threads, lanes = position_in(rows), rows.threads, uint32(rows.lanes)

    @jit
    def backward(dx, dy, y):
        shared = cuda.shared.array(threads, float32)
        t, lane, _, first, last = position()
        mean = ZERO
        for i in range(first + lane, last, lanes):
            mean += dy[i] * y[i]
        mean = block_sum(shared, mean, t, lane, lanes, STEP)
        for i in range(first + lane, last, lanes):
            dx[i] = y[i] * (dy[i] - mean)

    return backward
