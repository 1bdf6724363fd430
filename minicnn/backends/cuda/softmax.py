"""Softmax: a team of threads a row. The formulas stand in the reference's file of this name."""

from __future__ import annotations

import math
from typing import Any

from minicnn.backends.cuda.reduce import block_max, block_sum, larger
from minicnn.backends.cuda.rows import RowSplit, place_in, row_plan, rows_of
from minicnn.backends.cuda.runtime.api import cuda, exp, float32, jit, uint32
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
def _forward_kernel(rows: RowSplit) -> Any:
    place, threads, threads_per_row = place_in(rows), rows.threads, uint32(rows.threads_per_row)

    @jit
    def softmaxed(y, x):
        shared = cuda.shared.array(threads, float32)
        t, lane, _, first, last = place()
        largest = LOWEST
        for i in range(first + lane, last, threads_per_row):
            largest = larger(largest, x[i])
        largest = block_max(shared, largest, t, lane, threads_per_row, STEP)
        total = ZERO
        for i in range(first + lane, last, threads_per_row):
            total += float32(exp(x[i] - largest))
        total = block_sum(shared, total, t, lane, threads_per_row, STEP)
        for i in range(first + lane, last, threads_per_row):
            y[i] = float32(exp(x[i] - largest)) / total

    return softmaxed


@cached
def _backward_kernel(rows: RowSplit) -> Any:
    place, threads, threads_per_row = place_in(rows), rows.threads, uint32(rows.threads_per_row)

    @jit
    def pulled_back(dx, dy, y):
        shared = cuda.shared.array(threads, float32)
        t, lane, _, first, last = place()
        mean = ZERO
        for i in range(first + lane, last, threads_per_row):
            mean += dy[i] * y[i]
        mean = block_sum(shared, mean, t, lane, threads_per_row, STEP)
        for i in range(first + lane, last, threads_per_row):
            dx[i] = y[i] * (dy[i] - mean)

    return pulled_back
