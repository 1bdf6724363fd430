"""Operations with a formula of one line, and those that only copy values: one thread per value."""

from __future__ import annotations

import math
from typing import Any

from minicnn.backends.cuda.activations import map2_kernel, map_kernel
from minicnn.backends.cuda.runtime.api import cuda, device, float32, jit, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.runtime.launch import HALTED, KernelPlan, elementwise, joined
from minicnn.contracts import Shape, Spec
from minicnn.shapes import Pair


@device
def identity(a):
    return a


@device
def sum_of(a, b):
    return a + b


@device
def product_of(a, b):
    return a * b


@cached
def line(scale: float, offset: float) -> Any:
    slope, start = float32(scale), float32(offset)
    return device(lambda x: float32(x) * slope + start)


@cached
def scaled(scale: float) -> Any:
    slope = float32(scale)
    return device(lambda dy: dy * slope)


def add_forward(a: Spec, b: Spec) -> KernelPlan:
    return _both(sum_of, a, "y", "a", "b")


def add_backward(dy: Spec) -> KernelPlan:
    return joined(_one(identity, dy, "da", "dy"), _one(identity, dy, "db", "dy"))


def multiply_forward(a: Spec, b: Spec) -> KernelPlan:
    return _both(product_of, a, "y", "a", "b")


def multiply_backward(dy: Spec, a: Spec, b: Spec) -> KernelPlan:
    return joined(_both(product_of, dy, "da", "dy", "b"), _both(product_of, dy, "db", "dy", "a"))


def rescale_forward(x: Spec, *, scale: float, offset: float) -> KernelPlan:
    return _one(line(scale, offset), x, "y", "x")


def rescale_backward(dy: Spec, *, scale: float, **_: Any) -> KernelPlan:
    return _one(scaled(scale), dy, "dx", "dy")


def reshape_forward(x: Spec, *, shape: Shape, **_: Any) -> KernelPlan:
    return _one(identity, x, "y", "x")


def reshape_backward(dy: Spec, *, image: Shape, **_: Any) -> KernelPlan:
    return _one(identity, dy, "dx", "dy")


def assign(value: Spec) -> KernelPlan:
    count = math.prod(value.shape)
    return elementwise(_assign_kernel(count), count, ("target", "value", HALTED))


def concatenate_forward(a: Spec, b: Spec, *, axis: int, sizes: Pair) -> KernelPlan:
    row_a, row_b = (math.prod(s.shape[axis:]) for s in (a, b))
    rows = math.prod(a.shape[:axis])
    return joined(
        _copied(rows, row_a, (row_a + row_b, 0), (row_a, 0), "y", "a"),
        _copied(rows, row_b, (row_a + row_b, row_a), (row_b, 0), "y", "b"),
    )


def concatenate_backward(dy: Spec, *, axis: int, sizes: Pair) -> KernelPlan:
    rows, inner = math.prod(dy.shape[:axis]), math.prod(dy.shape[axis + 1 :])
    row_a, row_b = (size * inner for size in sizes)
    return joined(
        _copied(rows, row_a, (row_a, 0), (row_a + row_b, 0), "da", "dy"),
        _copied(rows, row_b, (row_b, 0), (row_a + row_b, row_a), "db", "dy"),
    )


def _one(function: Any, like: Spec, out: str, a: str) -> KernelPlan:
    count = math.prod(like.shape)
    return elementwise(map_kernel(function, count), count, (out, a))


def _both(function: Any, like: Spec, out: str, a: str, b: str) -> KernelPlan:
    count = math.prod(like.shape)
    return elementwise(map2_kernel(function, count), count, (out, a, b))


def _copied(rows: int, length: int, to: Pair, source: Pair, out: str, a: str) -> KernelPlan:
    """Return a plan that copies `length` values per row.

    `to` and `source` are (values per row, the first one that is written or read).
    """
    count = rows * length
    return elementwise(_copy_kernel(count, length, *to, *source), count, (out, a))


@cached
def _copy_kernel(
    count: int, length: int, to_row: int, to_first: int, from_row: int, from_first: int
) -> Any:
    @jit
    def copied(out, a):
        i = uint32(cuda.grid(1))
        if i < count:
            row, column = i // uint32(length), i % uint32(length)
            out[row * uint32(to_row) + uint32(to_first) + column] = a[
                row * uint32(from_row) + uint32(from_first) + column
            ]

    return copied


@cached
def _assign_kernel(count: int) -> Any:
    @jit
    def assigned(target, value, halted):
        i = uint32(cuda.grid(1))
        if i < count and halted[0] == 0:
            target[i] = value[i]

    return assigned
