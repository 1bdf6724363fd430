"""Activations: one thread a number. The formulas stand in the reference's file of this name."""

from __future__ import annotations

import math
from typing import Any

from minicnn.backends.cuda.runtime.api import cuda, device, exp, expm1, float32, jit, uint32
from minicnn.backends.cuda.runtime.api import tanh as tanh_of
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.runtime.launch import KernelPlan, elementwise
from minicnn.contracts import Spec

ZERO, ONE, SIX = float32(0), float32(1), float32(6)


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
    small = float32(exp(-abs(x)))  # e^-x for positive x, e^x for negative: never above 1
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


def relu_forward(x: Spec) -> KernelPlan:
    return _mapped(relu, x)


def relu_backward(dy: Spec, y: Spec) -> KernelPlan:
    return _pulled_back(relu_gradient, dy, "y")


def leaky_relu_forward(x: Spec, *, negative_slope: float) -> KernelPlan:
    return _mapped(leaky_relu(negative_slope), x)


def leaky_relu_backward(dy: Spec, x: Spec, *, negative_slope: float) -> KernelPlan:
    return _pulled_back(leaky_relu_gradient(negative_slope), dy, "x")


def relu6_forward(x: Spec) -> KernelPlan:
    return _mapped(relu6, x)


def relu6_backward(dy: Spec, y: Spec) -> KernelPlan:
    return _pulled_back(relu6_gradient, dy, "y")


def elu_forward(x: Spec, *, alpha: float) -> KernelPlan:
    return _mapped(elu(alpha), x)


def elu_backward(dy: Spec, y: Spec, *, alpha: float) -> KernelPlan:
    return _pulled_back(elu_gradient(alpha), dy, "y")


def sigmoid_forward(x: Spec) -> KernelPlan:
    return _mapped(sigmoid, x)


def sigmoid_backward(dy: Spec, y: Spec) -> KernelPlan:
    return _pulled_back(sigmoid_gradient, dy, "y")


def tanh_forward(x: Spec) -> KernelPlan:
    return _mapped(tanh, x)


def tanh_backward(dy: Spec, y: Spec) -> KernelPlan:
    return _pulled_back(tanh_gradient, dy, "y")


def silu_forward(x: Spec) -> KernelPlan:
    return _mapped(silu, x)


def silu_backward(dy: Spec, x: Spec) -> KernelPlan:
    return _pulled_back(silu_gradient, dy, "x")


def _mapped(function: Any, x: Spec) -> KernelPlan:
    """y = function(x), number by number."""
    count = math.prod(x.shape)
    return elementwise(map_kernel(function, count), count, ("y", "x"))


def _pulled_back(function: Any, dy: Spec, by: str) -> KernelPlan:
    """dx = function(dy, x or y), number by number."""
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
