"""Local response normalization: one thread per value, which also reads the neighboring channels.

The formulas are in the reference's file of this name.
"""

from __future__ import annotations

import math
from typing import Any

from minicnn.backends.cuda.runtime.api import cuda, float32, int32, jit, pow, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.runtime.launch import KernelPlan, elementwise
from minicnn.contracts import Spec

ZERO = float32(0)


def local_response_norm_forward(
    x: Spec, *, size: int, alpha: float, beta: float, k: float
) -> KernelPlan:
    count = math.prod(x.shape)
    kernel = _forward_kernel(count, x.shape[-1], size, alpha, beta, k)
    return elementwise(kernel, count, ("y", "scale", "x"))


def local_response_norm_backward(
    dy: Spec, x: Spec, y: Spec, scale: Spec, *, size: int, alpha: float, beta: float, k: float
) -> KernelPlan:
    count = math.prod(x.shape)
    kernel = _backward_kernel(count, x.shape[-1], size, alpha, beta)
    return elementwise(kernel, count, ("dx", "dy", "x", "y", "scale"))


@cached
def _forward_kernel(
    count: int, channels: int, size: int, alpha: float, beta: float, k: float
) -> Any:
    c, before = int32(channels), int32((size - 1) // 2)
    start, share, power = float32(k), float32(alpha / size), float32(-beta)

    @jit
    def normalized(y, scale, x):
        e = uint32(cuda.grid(1))
        if e < count:
            channel = int32(e % uint32(c))
            pixel = uint32(e - uint32(channel))  # its first channel
            squares = ZERO
            for i in range(size):
                neighbor = int32(channel + int32(i) - before)
                if neighbor >= 0 and neighbor < c:
                    a = x[uint32(pixel + uint32(neighbor))]
                    squares += a * a
            scale[e] = start + share * squares
            y[e] = x[e] * float32(pow(scale[e], power))

    return normalized


@cached
def _backward_kernel(count: int, channels: int, size: int, alpha: float, beta: float) -> Any:
    c, before = int32(channels), int32(size - 1 - (size - 1) // 2)  # mirrored: see the reference
    power, share = float32(-beta), float32(2 * alpha * beta / size)

    @jit
    def backward(dx, dy, x, y, scale):
        e = uint32(cuda.grid(1))
        if e < count:
            channel = int32(e % uint32(c))
            pixel = uint32(e - uint32(channel))
            through_scales = ZERO
            for i in range(size):
                neighbor = int32(channel + int32(i) - before)
                if neighbor >= 0 and neighbor < c:
                    o = uint32(pixel + uint32(neighbor))
                    through_scales += dy[o] * y[o] / scale[o]
            dx[e] = dy[e] * float32(pow(scale[e], power)) - share * x[e] * through_scales

    return backward
