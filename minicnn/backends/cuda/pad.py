"""Zero padding: one thread per value of the result."""

from __future__ import annotations

import math
from typing import Any

from minicnn.backends.cuda.runtime.api import cuda, float32, int32, jit, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.runtime.launch import KernelPlan, elementwise
from minicnn.contracts import Shape, Spec
from minicnn.shapes import Pair

ZERO = float32(0)


def zero_pad2d_forward(x: Spec, *, pad_h: Pair, pad_w: Pair) -> KernelPlan:
    n, h, w, channels = x.shape
    to = (n, h + sum(pad_h), w + sum(pad_w), channels)
    return _shifted(to, (h, w), (-pad_h[0], -pad_w[0]), ("y", "x"))


def zero_pad2d_backward(dy: Spec, *, pad_h: Pair, pad_w: Pair) -> KernelPlan:
    n, h, w, channels = dy.shape
    to = (n, h - sum(pad_h), w - sum(pad_w), channels)
    return _shifted(to, (h, w), (pad_h[0], pad_w[0]), ("dx", "dy"))


def crop2d_forward(x: Spec, *, pad_h: Pair, pad_w: Pair) -> KernelPlan:
    return zero_pad2d_backward(x, pad_h=pad_h, pad_w=pad_w).renamed(dx="y", dy="x")


def crop2d_backward(dy: Spec, *, pad_h: Pair, pad_w: Pair) -> KernelPlan:
    return zero_pad2d_forward(dy, pad_h=pad_h, pad_w=pad_w).renamed(y="dx", x="dy")


def _shifted(to: Shape, image: Pair, shift: Pair, arguments: tuple[str, ...]) -> KernelPlan:
    return elementwise(_shift_kernel(to, image, shift), math.prod(to), arguments)


@cached
def _shift_kernel(to: Shape, image: Pair, shift: Pair) -> Any:
    """Return a kernel: out[n, i, j, c] = a[n, i + shift, j + shift, c], or 0 outside `image`."""
    count, columns, channels = math.prod(to), uint32(to[2]), uint32(to[3])
    rows, h, w = uint32(to[1]), int32(image[0]), int32(image[1])
    down, right = int32(shift[0]), int32(shift[1])

    @jit
    def shifted(out, a):
        e = uint32(cuda.grid(1))
        if e < count:
            channel, pixel = e % channels, e // channels
            column, line = pixel % columns, pixel // columns
            i, j = int32(line % rows) + down, int32(column) + right
            if i >= 0 and i < h and j >= 0 and j < w:
                source = (line // rows * uint32(h) + uint32(i)) * uint32(w) + uint32(j)
                out[e] = a[uint32(source * channels + channel)]
            else:
                out[e] = ZERO

    return shifted
