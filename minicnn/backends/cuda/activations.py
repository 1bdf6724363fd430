"""Activations: one thread per value. The formulas are in the reference's file of this name."""

from __future__ import annotations

import math
from math import erfc
from typing import Any

from minicnn.backends.cuda.runtime.api import cuda, device, exp, expm1, float32, jit, uint32
from minicnn.backends.cuda.runtime.api import tanh as tanh_of
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.runtime.launch import KernelPlan, elementwise
from minicnn.contracts import Spec

ZERO, HALF, ONE, THREE, SIX = (float32(value) for value in (0, 0.5, 1, 3, 6))
SQRT_HALF = float32(math.sqrt(0.5))
NORMAL_PEAK = float32(1 / math.sqrt(2 * math.pi))  # of the normal density, at 0
GELU_SCALE, GELU_CUBIC = float32(2 * math.sqrt(2 / math.pi)), float32(0.044715)
SATURATED = float32(100)  # from here on p is 0 or 1, and z^3 might overflow


@device
def relu(x):
    return ZERO if x <= ZERO else x


@device
def relu_gradient(dy, y):
    return dy if y > ZERO else ZERO


@device
def relu6(x):
    return ZERO if x <= ZERO else (SIX if x >= SIX else x)


@device
def relu6_gradient(dy, y):
    return dy if y > ZERO and y < SIX else ZERO


@device
def sigmoid(x):
    small = float32(exp(-abs(x)))  # e^-|x| never overflows
    return (ONE if x >= ZERO else small) / (ONE + small)


@device
def sigmoid_gradient(dy, y):
    return dy * y * (ONE - y)


@device
def tanh(x):
    return float32(tanh_of(x))


@device
def tanh_gradient(dy, y):
    return dy * (ONE - y * y)


@device
def silu(x):
    return x * sigmoid(x)


@device
def silu_gradient(dy, x):
    s = sigmoid(x)
    return dy * s * (ONE + x * (ONE - s))


@cached
def leaky_relu(negative_slope: float) -> Any:
    slope = float32(negative_slope)
    return device(lambda x: x if x > ZERO else slope * x)


@cached
def leaky_relu_gradient(negative_slope: float) -> Any:
    slope = float32(negative_slope)
    return device(lambda dy, x: dy if x > ZERO else slope * dy)


@cached
def elu(alpha: float) -> Any:
    scale = float32(alpha)
    return device(lambda x: x if x > ZERO else scale * float32(expm1(x)))


@cached
def elu_gradient(alpha: float) -> Any:
    scale = float32(alpha)
    return device(lambda dy, y: dy if y > ZERO else dy * (y + scale))


def gelu_distribution(approximate: bool) -> Any:
    """Return p of gelu as a device function."""
    if not approximate:
        return device(lambda x: HALF * float32(erfc(-x * SQRT_HALF)))

    def p(x):
        z = min(max(x, -SATURATED), SATURATED)
        return sigmoid(GELU_SCALE * (z + GELU_CUBIC * z * z * z))

    return device(p)


def gelu_density(approximate: bool) -> Any:
    """Return p' of gelu as a device function of x and p."""
    if not approximate:
        return device(lambda x, p: NORMAL_PEAK * float32(exp(-HALF * x * x)))

    def slope(x, p):
        z = min(max(x, -SATURATED), SATURATED)
        return p * (ONE - p) * GELU_SCALE * (ONE + THREE * GELU_CUBIC * z * z)

    return device(slope)


@cached
def gelu(approximate: bool) -> Any:
    distribution = gelu_distribution(approximate)
    return device(lambda x: x * distribution(x))


@cached
def gelu_gradient(approximate: bool) -> Any:
    distribution, density = gelu_distribution(approximate), gelu_density(approximate)

    def gradient(dy, x):
        p = distribution(x)
        return dy * (p + x * density(x, p))

    return device(gradient)


def relu_forward(x: Spec) -> KernelPlan:
    return _map(relu, x)


def relu_backward(dy: Spec, y: Spec) -> KernelPlan:
    return _gradient(relu_gradient, dy, "y")


def leaky_relu_forward(x: Spec, *, negative_slope: float) -> KernelPlan:
    return _map(leaky_relu(negative_slope), x)


def leaky_relu_backward(dy: Spec, x: Spec, *, negative_slope: float) -> KernelPlan:
    return _gradient(leaky_relu_gradient(negative_slope), dy, "x")


def relu6_forward(x: Spec) -> KernelPlan:
    return _map(relu6, x)


def relu6_backward(dy: Spec, y: Spec) -> KernelPlan:
    return _gradient(relu6_gradient, dy, "y")


def elu_forward(x: Spec, *, alpha: float) -> KernelPlan:
    return _map(elu(alpha), x)


def elu_backward(dy: Spec, y: Spec, *, alpha: float) -> KernelPlan:
    return _gradient(elu_gradient(alpha), dy, "y")


def sigmoid_forward(x: Spec) -> KernelPlan:
    return _map(sigmoid, x)


def sigmoid_backward(dy: Spec, y: Spec) -> KernelPlan:
    return _gradient(sigmoid_gradient, dy, "y")


def tanh_forward(x: Spec) -> KernelPlan:
    return _map(tanh, x)


def tanh_backward(dy: Spec, y: Spec) -> KernelPlan:
    return _gradient(tanh_gradient, dy, "y")


def silu_forward(x: Spec) -> KernelPlan:
    return _map(silu, x)


def silu_backward(dy: Spec, x: Spec) -> KernelPlan:
    return _gradient(silu_gradient, dy, "x")


def gelu_forward(x: Spec, *, approximate: bool) -> KernelPlan:
    return _map(gelu(approximate), x)


def gelu_backward(dy: Spec, x: Spec, *, approximate: bool) -> KernelPlan:
    return _gradient(gelu_gradient(approximate), dy, "x")


def _map(function: Any, x: Spec) -> KernelPlan:
    """Return a plan for y = function(x), value by value."""
    count = math.prod(x.shape)
    return elementwise(map_kernel(function, count), count, ("y", "x"))


def _gradient(function: Any, dy: Spec, by: str) -> KernelPlan:
    """Return a plan for dx = function(dy, x or y), value by value."""
    count = math.prod(dy.shape)
    return elementwise(map2_kernel(function, count), count, ("dx", "dy", by))


@cached
def map_kernel(function: Any, count: int) -> Any:
    @jit
    def mapped(out, a):
        i = uint32(cuda.grid(1))
        if i < count:
            out[i] = function(a[i])

    return mapped


@cached
def map2_kernel(function: Any, count: int) -> Any:
    @jit
    def mapped2(out, a, b):
        i = uint32(cuda.grid(1))
        if i < count:
            out[i] = function(a[i], b[i])

    return mapped2
