"""Global pooling: one block per few channels of an image forward, one thread per value backward.

The threads of a block form lanes of channels. A lane takes every `lanes`-th pixel, and the results
of the lanes are combined in shared memory.
"""

from __future__ import annotations

import math
from typing import Any

from minicnn.backends.cuda.channels import WIDTH, ChannelSplit, position_in, unchunked_split
from minicnn.backends.cuda.reduce import block_sum
from minicnn.backends.cuda.runtime.api import cuda, device, float32, int32, jit, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.runtime.launch import KernelPlan, Launch, elementwise
from minicnn.contracts import Spec
from minicnn.shapes import Pair

ZERO, LOWEST = float32(0), float32(-math.inf)


def global_max_pool2d_forward(x: Spec, **_: Any) -> KernelPlan:
    return _image_by_image(_max_kernel, x, ("y", "argmax", "x"))


def global_max_pool2d_backward(dy: Spec, argmax: Spec, *, image: Pair) -> KernelPlan:
    count = dy.shape[0] * math.prod(image) * dy.shape[1]
    kernel = _max_backward_kernel(count, math.prod(image), dy.shape[1])
    return elementwise(kernel, count, ("dx", "dy", "argmax"))


def global_average_pool2d_forward(x: Spec, **_: Any) -> KernelPlan:
    return _image_by_image(_average_kernel, x, ("y", "x"))


def global_average_pool2d_backward(dy: Spec, *, image: Pair) -> KernelPlan:
    count = dy.shape[0] * math.prod(image) * dy.shape[1]
    kernel = _average_backward_kernel(count, math.prod(image), dy.shape[1])
    return elementwise(kernel, count, ("dx", "dy"))


def _image_by_image(kernel: Any, x: Spec, arguments: tuple[str, ...]) -> KernelPlan:
    """Return a plan in which each image is a chunk of rows."""
    n, h, w, channels = x.shape
    if n == 0:
        return KernelPlan(())
    size = unchunked_split(h * w, channels, WIDTH)._replace(rows=n * h * w)
    return KernelPlan((Launch(kernel(size), size.blocks, size.threads, arguments),))


@device
def is_larger(a, i, b, j):
    """Return whether a, of pixel i, is the maximum of a and b, of pixel j.

    NaN counts as the largest; of equal values it is the one with the smaller index.
    """
    if a != a or b != b:
        return a != a and (b == b or i < j)
    return a > b or (a == b and i < j)


@cached
def _max_kernel(size: ChannelSplit) -> Any:
    position, threads, channels = position_in(size), size.threads, uint32(size.channels)
    width, lanes, no_pixel = uint32(size.width), uint32(size.lanes), int32(size.chunk)

    @jit
    def largest(y, argmax, x):
        values = cuda.shared.array(threads, float32)
        pixels = cuda.shared.array(threads, int32)
        t, lane, channel, first, last, n = position()
        best, best_pixel = LOWEST, no_pixel
        for pixel in range(first + lane, last, lanes):
            new, i = x[uint32(pixel * channels + channel)], int32(pixel - first)
            if is_larger(new, i, best, best_pixel):
                best, best_pixel = new, i
        values[t], pixels[t] = best, best_pixel
        half = uint32(lanes // uint32(2))
        while half >= uint32(1):
            cuda.syncthreads()
            o = uint32(t + half * width)
            if lane < half and is_larger(values[o], pixels[o], values[t], pixels[t]):
                values[t], pixels[t] = values[o], pixels[o]
            half = uint32(half // uint32(2))
        if lane == 0 and channel < channels:
            y[uint32(n * channels + channel)] = values[t]
            argmax[uint32(n * channels + channel)] = pixels[t]

    return largest


@cached
def _average_kernel(size: ChannelSplit) -> Any:
    position, threads, channels = position_in(size), size.threads, uint32(size.channels)
    width, lanes, pixels = uint32(size.width), uint32(size.lanes), float32(size.chunk)

    @jit
    def average(y, x):
        shared = cuda.shared.array(threads, float32)
        t, lane, channel, first, last, n = position()
        total = ZERO
        for pixel in range(first + lane, last, lanes):
            total += x[uint32(pixel * channels + channel)]
        total = block_sum(shared, total, t, lane, lanes, width)
        if lane == 0 and channel < channels:
            y[uint32(n * channels + channel)] = total / pixels

    return average


@cached
def _max_backward_kernel(count: int, pixels: int, channels: int) -> Any:
    per_image, c = uint32(pixels), uint32(channels)

    @jit
    def to_the_argmax(dx, dy, argmax):
        e = uint32(cuda.grid(1))
        if e < count:
            pixel = uint32(e // c)
            o = uint32(pixel // per_image * c + e % c)
            dx[e] = dy[o] if argmax[o] == int32(pixel % per_image) else ZERO

    return to_the_argmax


@cached
def _average_backward_kernel(count: int, pixels: int, channels: int) -> Any:
    per_image, c, number = uint32(pixels), uint32(channels), float32(pixels)

    @jit
    def to_all(dx, dy):
        e = uint32(cuda.grid(1))
        if e < count:
            dx[e] = dy[uint32(e // c // per_image * c + e % c)] / number

    return to_all
