"""Upsampling: one thread per value of y forward, one per value of dx backward.

Backward, a thread adds up the gradients of the outputs that depend on its pixel, so each value is
written by one thread. The reference's upsample.py has the formulas.
"""

from __future__ import annotations

import math
from typing import Any

from minicnn.backends.cuda.runtime.api import cuda, device, float32, int32, jit, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.runtime.launch import KernelPlan, elementwise
from minicnn.contracts import Shape, Spec
from minicnn.shapes import Pair

ZERO, ONE = float32(0), float32(1)


def upsample2d_forward(x: Spec, *, size: Pair, interpolation: str) -> KernelPlan:
    n, h, w, c = x.shape
    count = n * h * size[0] * w * size[1] * c
    make = _bilinear_kernel if interpolation == "bilinear" else _nearest_kernel
    return elementwise(make(count, x.shape[1:], size), count, ("y", "x"))


def upsample2d_backward(dy: Spec, *, size: Pair, interpolation: str) -> KernelPlan:
    n, oh, ow, c = dy.shape
    image = (oh // size[0], ow // size[1], c)
    count = n * math.prod(image)
    bilinear = interpolation == "bilinear"
    make = _bilinear_backward_kernel if bilinear else _nearest_backward_kernel
    return elementwise(make(count, image, size), count, ("dx", "dy"))


@cached
def _split(image: Shape) -> Any:
    """Return a device function: index in an (N, *image) array -> (n, row, column, channel)."""
    h, w, c = map(uint32, image)

    @device
    def split(e):
        pixel = e // c
        line = pixel // w
        return uint32(line // h), int32(line % h), int32(pixel % w), uint32(e % c)

    return split


@cached
def _element(image: Shape) -> Any:
    """Return a device function: (n, row, column, channel) -> index in an (N, *image) array."""
    h, w, c = map(uint32, image)

    @device
    def element(n, row, column, channel):
        return uint32(((n * h + uint32(row)) * w + uint32(column)) * c + channel)

    return element


@cached
def _neighbors(scale: int, length: int) -> Any:
    """Return a device function: output -> (pixel before, pixel after, nearness to the second).

    The position is ((2 out + 1) - scale) / (2 scale), in integers as far as possible.
    """
    double, last, once = int32(2 * scale), int32(length - 1), int32(scale)

    @device
    def neighbors(out):
        numerator = int32(2 * out + 1 + once)  # of the position + 1, so that it is positive
        below = int32(numerator // double - 1)
        part = float32(numerator % double) / float32(double)
        return max(below, int32(0)), min(int32(below + 1), last), part

    return neighbors


@device
def _weight(pixel, first, second, part):
    """Return how much of the pixel is in an output between these two pixels."""
    before = ONE - part if pixel == first else ZERO
    after = part if pixel == second else ZERO
    return before + after


def _large(image: Shape, size: Pair) -> Shape:
    return (image[0] * size[0], image[1] * size[1], image[2])


@cached
def _nearest_kernel(count: int, image: Shape, size: Pair) -> Any:
    split, element = _split(_large(image, size)), _element(image)
    rows, columns = map(int32, size)

    @jit
    def nearest(y, x):
        e = uint32(cuda.grid(1))
        if e < count:
            n, oy, ox, channel = split(e)
            y[e] = x[element(n, oy // rows, ox // columns, channel)]

    return nearest


@cached
def _nearest_backward_kernel(count: int, image: Shape, size: Pair) -> Any:
    split, element = _split(image), _element(_large(image, size))
    rows, columns = size

    @jit
    def summed(dx, dy):
        e = uint32(cuda.grid(1))
        if e < count:
            n, iy, ix, channel = split(e)
            total = ZERO
            for ky in range(rows):
                for kx in range(columns):
                    total += dy[element(n, iy * rows + ky, ix * columns + kx, channel)]
            dx[e] = total

    return summed


@cached
def _bilinear_kernel(count: int, image: Shape, size: Pair) -> Any:
    split, element = _split(_large(image, size)), _element(image)
    above_below, left_right = _neighbors(size[0], image[0]), _neighbors(size[1], image[1])

    @jit
    def between(y, x):
        e = uint32(cuda.grid(1))
        if e < count:
            n, oy, ox, channel = split(e)
            top, bottom, down = above_below(oy)
            left, right, across = left_right(ox)
            upper = (ONE - across) * x[element(n, top, left, channel)] + across * x[
                element(n, top, right, channel)
            ]
            lower = (ONE - across) * x[element(n, bottom, left, channel)] + across * x[
                element(n, bottom, right, channel)
            ]
            y[e] = (ONE - down) * upper + down * lower

    return between


@cached
def _bilinear_backward_kernel(count: int, image: Shape, size: Pair) -> Any:
    split, element = _split(image), _element(_large(image, size))
    above_below, left_right = _neighbors(size[0], image[0]), _neighbors(size[1], image[1])
    (h, w, _), (rows, columns) = image, size

    @jit
    def collected(dx, dy):
        e = uint32(cuda.grid(1))
        if e < count:
            n, iy, ix, channel = split(e)
            total = ZERO
            for oy in range(max(iy - 1, 0) * rows, min(iy + 2, h) * rows):
                top, bottom, down = above_below(oy)
                vertical = _weight(iy, top, bottom, down)
                for ox in range(max(ix - 1, 0) * columns, min(ix + 2, w) * columns):
                    left, right, across = left_right(ox)
                    weight = vertical * _weight(ix, left, right, across)
                    total += weight * dy[element(n, oy, ox, channel)]
            dx[e] = total

    return collected
