"""Pooling: one thread per value of y forward, one thread per value of dx backward.

Backward, a thread adds up the gradients of the windows that contain its pixel, in the order of the
reference. So each value is written by one thread, and overlapping windows need no atomic additions.
Neighboring threads have neighboring channels, so they read neighboring values.
"""

from __future__ import annotations

import math
from typing import Any

from minicnn.backends.cuda.runtime.api import cuda, device, float32, int32, jit, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.runtime.launch import KernelPlan, elementwise
from minicnn.contracts import Spec
from minicnn.shapes import Pair, Window2D

ZERO, LOWEST = float32(0), float32(-math.inf)
NO_ARGMAX = int32(-1)


def max_pool2d_forward(x: Spec, *, window: Window2D, image: Pair) -> KernelPlan:
    count = _outputs(x, window, image)
    kernel = _max_kernel(count, x.shape[3], window, image)
    return elementwise(kernel, count, ("y", "argmax", "x"))


def max_pool2d_backward(dy: Spec, argmax: Spec, *, window: Window2D, image: Pair) -> KernelPlan:
    count = _pixels(dy, image)
    kernel = _max_backward_kernel(count, dy.shape[3], window, image)
    return elementwise(kernel, count, ("dx", "dy", "argmax"))


def average_pool2d_forward(x: Spec, *, window: Window2D, image: Pair) -> KernelPlan:
    count = _outputs(x, window, image)
    return elementwise(_average_kernel(count, x.shape[3], window, image), count, ("y", "x"))


def average_pool2d_backward(dy: Spec, *, window: Window2D, image: Pair) -> KernelPlan:
    count = _pixels(dy, image)
    kernel = _average_backward_kernel(count, dy.shape[3], window, image)
    return elementwise(kernel, count, ("dx", "dy"))


def _outputs(x: Spec, window: Window2D, image: Pair) -> int:
    return x.shape[0] * math.prod(window.out_hw(image)) * x.shape[3]


def _pixels(dy: Spec, image: Pair) -> int:
    return dy.shape[0] * math.prod(image) * dy.shape[3]


# --- coordinates ------------------------------------------------------------------------------


@cached
def _split(hw: Pair, channels: int) -> Any:
    """Return a device function: index in an (N, H, W, C) array -> (n, row, column, channel)."""
    h, w, c = uint32(hw[0]), uint32(hw[1]), uint32(channels)

    @device
    def split(e):
        pixel = e // c
        line = pixel // w
        return uint32(line // h), int32(line % h), int32(pixel % w), uint32(e % c)

    return split


@cached
def _element(hw: Pair, channels: int) -> Any:
    """Return a device function: (n, row, column, channel) -> index in an (N, H, W, C) array."""
    h, w, c = uint32(hw[0]), uint32(hw[1]), uint32(channels)

    @device
    def element(n, row, column, channel):
        return uint32(((n * h + uint32(row)) * w + uint32(column)) * c + channel)

    return element


@cached
def _inside(hw: Pair) -> Any:
    h, w = int32(hw[0]), int32(hw[1])
    return device(lambda row, column: row >= 0 and row < h and column >= 0 and column < w)


@cached
def _cell(window: Window2D) -> Any:
    """Return a device function: (oy, ox, ky, kx) -> row and column of this cell of this window."""
    (sy, sx), (dy, dx) = (tuple(map(int32, pair)) for pair in (window.stride, window.dilation))
    top, left = int32(window.pad_h[0]), int32(window.pad_w[0])
    return device(
        lambda oy, ox, ky, kx: (
            int32(oy * sy + int32(ky) * dy - top),
            int32(ox * sx + int32(kx) * dx - left),
        )
    )


@cached
def _seen_by(window: Window2D, image: Pair) -> Any:
    """Return a device function: (row, column, ky, kx) -> (found, oy, ox).

    (oy, ox) is the window whose cell (ky, kx) is the pixel; `found` is False if there is none.
    """
    (sy, sx), (dy, dx) = (tuple(map(int32, pair)) for pair in (window.stride, window.dilation))
    top, left = int32(window.pad_h[0]), int32(window.pad_w[0])
    oh, ow = map(int32, window.out_hw(image))

    @device
    def seen_by(row, column, ky, kx):
        y, x = int32(row + top - int32(ky) * dy), int32(column + left - int32(kx) * dx)
        oy, ox = int32(y // sy), int32(x // sx)
        found = y >= 0 and x >= 0 and oy * sy == y and ox * sx == x and oy < oh and ox < ow
        return found, oy, ox

    return seen_by


@cached
def _pixels_seen(window: Window2D, image: Pair) -> Any:
    """Return a device function: (oy, ox) -> pixels in the window, without padding, as float32."""
    cell, (kh, kw), (dy, dx) = _cell(window), window.size, map(int32, window.dilation)
    h, w = map(int32, image)

    @device
    def along(first, cells, step, length):
        """Return how many of first, first + step, ... (`cells` of them) lie in [0, length)."""
        before = (max(-first, int32(0)) + step - int32(1)) // step
        return int32(min((length - first + step - int32(1)) // step, cells) - before)

    @device
    def pixels_seen(oy, ox):
        row, column = cell(oy, ox, 0, 0)
        return float32(along(row, int32(kh), dy, h) * along(column, int32(kw), dx, w))

    return pixels_seen


# --- the kernels ------------------------------------------------------------------------------


@cached
def _max_kernel(count: int, channels: int, window: Window2D, image: Pair) -> Any:
    split, cell = _split(window.out_hw(image), channels), _cell(window)
    inside, element, (kh, kw) = _inside(image), _element(image, channels), window.size

    @jit
    def max_pooled(y, argmax, x):
        e = uint32(cuda.grid(1))
        if e >= count:
            return
        n, oy, ox, channel = split(e)
        best, best_cell = LOWEST, NO_ARGMAX
        for ky in range(kh):
            for kx in range(kw):
                row, column = cell(oy, ox, ky, kx)
                if inside(row, column):
                    value = x[element(n, row, column, channel)]
                    # The first pixel is taken even if it is -inf, and NaN counts as the largest.
                    if best_cell == NO_ARGMAX or value > best or (value != value and best == best):
                        best, best_cell = value, int32(ky * kw + kx)
        y[e] = best
        argmax[e] = best_cell

    return max_pooled


@cached
def _max_backward_kernel(count: int, channels: int, window: Window2D, image: Pair) -> Any:
    split, seen_by = _split(image, channels), _seen_by(window, image)
    element, (kh, kw) = _element(window.out_hw(image), channels), window.size

    @jit
    def unpooled(dx, dy, argmax):
        e = uint32(cuda.grid(1))
        if e >= count:
            return
        n, row, column, channel = split(e)
        total = ZERO
        for ky in range(kh):
            for kx in range(kw):
                found, oy, ox = seen_by(row, column, ky, kx)
                if found:
                    o = element(n, oy, ox, channel)
                    if argmax[o] == ky * kw + kx:
                        total += dy[o]
        dx[e] = total

    return unpooled


@cached
def _average_kernel(count: int, channels: int, window: Window2D, image: Pair) -> Any:
    split, cell = _split(window.out_hw(image), channels), _cell(window)
    inside, element, (kh, kw) = _inside(image), _element(image, channels), window.size
    pixels_seen = _pixels_seen(window, image)

    @jit
    def averaged(y, x):
        e = uint32(cuda.grid(1))
        if e < count:
            n, oy, ox, channel = split(e)
            total = ZERO
            for ky in range(kh):
                for kx in range(kw):
                    row, column = cell(oy, ox, ky, kx)
                    if inside(row, column):
                        total += x[element(n, row, column, channel)]
            y[e] = total / pixels_seen(oy, ox)

    return averaged


@cached
def _average_backward_kernel(count: int, channels: int, window: Window2D, image: Pair) -> Any:
    split, seen_by = _split(image, channels), _seen_by(window, image)
    element, (kh, kw) = _element(window.out_hw(image), channels), window.size
    pixels_seen = _pixels_seen(window, image)

    @jit
    def spread(dx, dy):
        e = uint32(cuda.grid(1))
        if e < count:
            n, row, column, channel = split(e)
            total = ZERO
            for ky in range(kh):
                for kx in range(kw):
                    found, oy, ox = seen_by(row, column, ky, kx)
                    if found:
                        total += dy[element(n, oy, ox, channel)] / pixels_seen(oy, ox)
            dx[e] = total

    return spread
