"""Images of another size: one thread per value of the result, forward and backward.

Backward, a thread looks through all new rows and columns for those that its pixel is part of: slow,
but the order of the additions is fixed. The formulas are in the reference's file of this name.
"""

from __future__ import annotations

import math
from typing import Any

from minicnn.backends.cuda.runtime.api import cuda, float32, int32, jit, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.runtime.launch import KernelPlan, elementwise
from minicnn.contracts import Shape, Spec
from minicnn.shapes import Pair

ZERO, ONE = float32(0), float32(1)
TABLES = ("row_index", "row_weight", "column_index", "column_weight")


def resample_forward(
    x: Spec, row_index: Spec, row_weight: Spec, column_index: Spec, column_weight: Spec,
    *, fill: float, **_: Any,
) -> KernelPlan:  # fmt: skip
    count = x.shape[0] * row_index.shape[0] * column_index.shape[0] * x.shape[3]
    kernel = _forward_kernel(count, x.shape, row_index.shape, column_index.shape, fill)
    return elementwise(kernel, count, ("y", "x", *TABLES))


def resample_backward(
    dy: Spec, row_index: Spec, row_weight: Spec, column_index: Spec, column_weight: Spec,
    *, image: Pair, **_: Any,
) -> KernelPlan:  # fmt: skip
    shape = (dy.shape[0], *image, dy.shape[3])
    count = math.prod(shape)
    kernel = _backward_kernel(count, shape, row_index.shape, column_index.shape)
    return elementwise(kernel, count, ("dx", "dy", *TABLES))


@cached
def _forward_kernel(count: int, shape: Shape, rows: Shape, columns: Shape, fill: float) -> Any:
    h, w, channels = map(uint32, shape[1:])
    bottom, right = int32(shape[1] - 1), int32(shape[2] - 1)
    outputs, row_taps = map(uint32, rows)
    widths, column_taps = map(uint32, columns)
    outside = float32(fill)

    @jit
    def resampled(y, x, row_index, row_weight, column_index, column_weight):
        e = uint32(cuda.grid(1))
        if e < count:
            pixel, channel = uint32(e // channels), uint32(e % channels)
            line, j = uint32(pixel // widths), uint32(pixel % widths)
            n, i = uint32(line // outputs), uint32(line % outputs)
            total, share_of_row, share = ZERO, ZERO, ZERO
            for k in range(row_taps):
                at = uint32(i * row_taps + uint32(k))
                row = uint32(min(max(row_index[at], int32(0)), bottom))
                start = uint32((n * h + row) * w)
                mixed, share = ZERO, ZERO
                for m in range(column_taps):
                    to = uint32(j * column_taps + uint32(m))
                    column = uint32(min(max(column_index[to], int32(0)), right))
                    weight = column_weight[to]
                    mixed += weight * float32(x[uint32((start + column) * channels + channel)])
                    share += weight
                total += row_weight[at] * mixed
                share_of_row += row_weight[at]
            y[e] = total + outside * (ONE - share_of_row * share)

    return resampled


@cached
def _backward_kernel(count: int, shape: Shape, rows: Shape, columns: Shape) -> Any:
    h, w, channels = map(uint32, shape[1:])
    bottom, right = int32(shape[1] - 1), int32(shape[2] - 1)
    outputs, row_taps = map(uint32, rows)
    widths, column_taps = map(uint32, columns)

    @jit
    def backward(dx, dy, row_index, row_weight, column_index, column_weight):
        e = uint32(cuda.grid(1))
        if e < count:
            pixel, channel = uint32(e // channels), uint32(e % channels)
            line, column = uint32(pixel // w), int32(pixel % w)
            n, row = uint32(line // h), int32(line % h)
            total = ZERO
            for i in range(outputs):
                down = ZERO
                for k in range(row_taps):
                    at = uint32(uint32(i) * row_taps + uint32(k))
                    if min(max(row_index[at], int32(0)), bottom) == row:
                        down += row_weight[at]
                if down == ZERO:
                    continue
                start, mixed = uint32((n * outputs + uint32(i)) * widths), ZERO
                for j in range(widths):
                    across = ZERO
                    for m in range(column_taps):
                        at = uint32(uint32(j) * column_taps + uint32(m))
                        if min(max(column_index[at], int32(0)), right) == column:
                            across += column_weight[at]
                    if across != ZERO:
                        mixed += across * dy[uint32((start + uint32(j)) * channels + channel)]
                total += down * mixed
            dx[e] = total

    return backward
