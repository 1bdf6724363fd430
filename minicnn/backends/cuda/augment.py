"""Augmentation: one thread per value of the new image, which reads its position in the old one.

The formulas are in the reference's file of this name.
"""

from __future__ import annotations

import math
from typing import Any

from minicnn.backends.cuda.runtime.api import cuda, device, float32, int32, jit, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.runtime.launch import KernelPlan, elementwise
from minicnn.contracts import Shape, Spec

ZERO, HALF, NAN = float32(0), float32(0.5), float32(math.nan)
FAR = float32(2**24)  # up to here float32 represents every integer


def augment_forward(
    x: Spec, matrix: Spec, *, fill_mode: str, interpolation: str, cval: float, scale: float
) -> KernelPlan:
    values = matrix.shape[1]
    kernel = _kernel(x.shape, values, fill_mode, interpolation == "nearest", cval, scale)
    return elementwise(kernel, math.prod(x.shape), ("y", "x", "matrix"))


@device
def bounded(u):
    return (u if u < FAR else FAR) if u > -FAR else -FAR  # NaN becomes -FAR


@device
def floor(u):
    k = int32(u)  # toward 0
    return int32(k - int32(1)) if float32(k) > u else k


@device
def clipped(k, n):
    return min(max(k, int32(0)), int32(n - int32(1)))


@device
def reflected(k, n):
    m = int32(k % int32(n + n))
    return min(m, int32(n + n - int32(1) - m))


@device
def wrapped(k, n):
    return int32(k % n)


# For each fill mode: which of n rows is read for row k, which may lie outside.
FOLDS = {"constant": clipped, "nearest": clipped, "reflect": reflected, "wrap": wrapped}


@device
def affine_position(matrix, m, i, j):
    u = matrix[m] * i + matrix[m + uint32(2)] + matrix[m + uint32(1)] * j
    v = matrix[m + uint32(3)] * i + matrix[m + uint32(5)] + matrix[m + uint32(4)] * j
    return u, v


@device
def projected_position(matrix, m, i, j):
    u, v = affine_position(matrix, m, i, j)
    w = matrix[m + uint32(6)] * i + matrix[m + uint32(8)] + matrix[m + uint32(7)] * j
    w = w if w > ZERO else NAN
    return u / w, v / w


# By the number of values that the matrix of an image has.
POSITIONS = {6: affine_position, 9: projected_position}


@cached
def _kernel(
    shape: Shape, values: int, fill_mode: str, nearest: bool, cval: float, scale: float
) -> Any:
    count, h, w, channels = math.prod(shape), *map(uint32, shape[1:])
    constant, outside, slope = fill_mode == "constant", float32(cval), float32(scale)
    bottom, right = float32(shape[1] - 1), float32(shape[2] - 1)
    between, position, length = _between_pixels(shape, fill_mode), POSITIONS[values], uint32(values)

    @jit
    def augmented(y, x, matrix):
        e = uint32(cuda.grid(1))
        if e < count:
            pixel, channel = uint32(e // channels), uint32(e % channels)
            line = uint32(pixel // w)
            n, i, j = uint32(line // h), float32(line % h), float32(pixel % w)
            u, v = position(matrix, uint32(n * length), i, j)
            inside = u >= ZERO and u <= bottom and v >= ZERO and v <= right
            if constant and not inside:
                y[e] = outside * slope
            else:
                u, v = bounded(u), bounded(v)
                if nearest:
                    u, v = float32(floor(u + HALF)), float32(floor(v + HALF))
                y[e] = between(x, n, channel, u, v) * slope

    return augmented


@cached
def _between_pixels(shape: Shape, fill_mode: str) -> Any:
    """Return a device function: (x, n, channel, u, v) -> the value between four pixels."""
    _, h, w, channels = shape
    rows, columns, fold = int32(h), int32(w), FOLDS[fill_mode]

    @device
    def at(x, n, row, column, channel):
        line = uint32(n * uint32(rows) + uint32(row))
        pixel = uint32(line * uint32(columns) + uint32(column))
        return float32(x[uint32(pixel * uint32(channels) + channel)])

    @device
    def between(x, n, channel, u, v):
        r, c = floor(u), floor(v)
        down, across = u - float32(r), v - float32(c)
        r0, r1 = fold(r, rows), fold(int32(r + int32(1)), rows)
        c0, c1 = fold(c, columns), fold(int32(c + int32(1)), columns)
        here, right = at(x, n, r0, c0, channel), at(x, n, r0, c1, channel)
        below, diagonal = at(x, n, r1, c0, channel), at(x, n, r1, c1, channel)
        upper = here + (right - here) * across
        lower = below + (diagonal - below) * across
        return upper + (lower - upper) * down

    return between
