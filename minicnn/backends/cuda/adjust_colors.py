"""Colors of images: the means of an image's channels, then one thread per value.

The formulas are in the reference's file of this name.
"""

from __future__ import annotations

import math
from typing import Any

from minicnn.backends.cuda.channels import WIDTH, ChannelSplit, position_in, unchunked_split
from minicnn.backends.cuda.reduce import block_sum
from minicnn.backends.cuda.runtime.api import cuda, device, float32, jit, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.runtime.launch import KernelPlan, Launch, elementwise, joined
from minicnn.contracts import Spec

ZERO, HALF, ONE, TWO, THREE = float32(0), float32(0.5), uint32(1), uint32(2), uint32(3)
RED, GREEN, BLUE = float32(0.2989), float32(0.587), float32(0.114)
MEANS = "means"


def adjust_colors_forward(
    x: Spec, levels: Spec, *, about_mean: bool, low: float, high: float
) -> KernelPlan:
    count = math.prod(x.shape)
    kernel = _kernel(count, math.prod(x.shape[1:3]), x.shape[3], about_mean, low, high)
    if not about_mean:
        return elementwise(kernel, count, ("y", "x", "levels", "levels"))
    return joined(_means(x), elementwise(kernel, count, ("y", "x", "levels", MEANS)))


def _means(x: Spec) -> KernelPlan:
    n, h, w, channels = x.shape
    if n == 0:
        return KernelPlan((), {MEANS: Spec((1, channels))})
    size = unchunked_split(h * w, channels, WIDTH)._replace(rows=n * h * w)
    launch = Launch(_mean_kernel(size), size.blocks, size.threads, (MEANS, "x", "levels"))
    return KernelPlan((launch,), {MEANS: Spec((n, channels))})


@cached
def _value(channels: int) -> Any:
    """Return a device function: (x, pixel, channel, gray) -> the value, or the brightness."""
    c = uint32(channels)
    colors = channels == 3

    @device
    def value(x, pixel, channel, gray):
        e = uint32(pixel * c)
        if colors and gray >= HALF:
            red, green = float32(x[e]), float32(x[uint32(e + ONE)])
            return RED * red + GREEN * green + BLUE * float32(x[uint32(e + TWO)])
        return float32(x[uint32(e + channel)])

    return value


@cached
def _mean_kernel(size: ChannelSplit) -> Any:
    position, threads, channels = position_in(size), size.threads, uint32(size.channels)
    width, lanes, pixels = uint32(size.width), uint32(size.lanes), float32(size.chunk)
    value = _value(size.channels)

    @jit
    def mean(means, x, levels):
        shared = cuda.shared.array(threads, float32)
        t, lane, channel, first, last, n = position()
        gray = levels[uint32(n * THREE + TWO)]
        total = ZERO
        for pixel in range(first + lane, last, lanes):
            total += value(x, uint32(pixel), channel, gray)
        total = block_sum(shared, total, t, lane, lanes, width)
        if lane == 0 and channel < channels:
            means[uint32(n * channels + channel)] = total / pixels

    return mean


@cached
def _kernel(
    count: int, pixels: int, channels: int, about_mean: bool, low: float, high: float
) -> Any:
    c, per_image = uint32(channels), uint32(pixels)
    least, most, value = float32(low), float32(high), _value(channels)

    @jit
    def adjusted(y, x, levels, means):
        e = uint32(cuda.grid(1))
        if e < count:
            pixel, channel = uint32(e // c), uint32(e % c)
            n = uint32(pixel // per_image)
            level = uint32(n * THREE)
            gain, shift = levels[level], levels[uint32(level + ONE)]
            v = value(x, pixel, channel, levels[uint32(level + TWO)])
            if about_mean:
                mean = means[uint32(n * c + channel)]
                v = (v - mean) * gain + mean + shift
            else:
                v = v * gain + shift
            v = least if v < least else v
            y[e] = most if v > most else v

    return adjusted
