"""Global pooling: forward a block for a few channels of an image, backward a thread a number.

The threads of a block stand in lanes of channels; a lane has every `lanes`-th pixel, and the lanes
are joined in shared memory.
"""

from __future__ import annotations

import math
from typing import Any

from minicnn.backends.cuda.channels import WIDTH, ChannelSplit, place_in, whole_columns
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
    """The images are the pieces of one high column of pixels."""
    n, h, w, channels = x.shape
    if n == 0:
        return KernelPlan(())
    size = whole_columns(h * w, channels, WIDTH)._replace(rows=n * h * w)
    return KernelPlan((Launch(kernel(size), size.blocks, size.threads, arguments),))


@device
def beats(a, i, b, j):
    """Is a, of pixel i, before b, of pixel j? NaN before all, the first of equals first."""
    if a != a or b != b:
        return a != a and (b == b or i < j)
    return a > b or (a == b and i < j)


@cached
def _max_kernel(size: ChannelSplit) -> Any:
    place, threads, channels = place_in(size), size.threads, uint32(size.channels)
    width, lanes, nobody = uint32(size.width), uint32(size.lanes), int32(size.piece)

    @jit
    def largest(y, argmax, x):
        values = cuda.shared.array(threads, float32)
        owners = cuda.shared.array(threads, int32)
        t, lane, channel, first, last, n = place()
        best, who = LOWEST, nobody
        for pixel in range(first + lane, last, lanes):
            new, i = x[uint32(pixel * channels + channel)], int32(pixel - first)
            if beats(new, i, best, who):
                best, who = new, i
        values[t], owners[t] = best, who
        half = uint32(lanes // uint32(2))
        while half >= uint32(1):
            cuda.syncthreads()
            o = uint32(t + half * width)
            if lane < half and beats(values[o], owners[o], values[t], owners[t]):
                values[t], owners[t] = values[o], owners[o]
            half = uint32(half // uint32(2))
        if lane == 0 and channel < channels:
            y[uint32(n * channels + channel)] = values[t]
            argmax[uint32(n * channels + channel)] = owners[t]

    return largest


@cached
def _average_kernel(size: ChannelSplit) -> Any:
    place, threads, channels = place_in(size), size.threads, uint32(size.channels)
    width, lanes, pixels = uint32(size.width), uint32(size.lanes), float32(size.piece)

    @jit
    def average(y, x):
        shared = cuda.shared.array(threads, float32)
        t, lane, channel, first, last, n = place()
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
