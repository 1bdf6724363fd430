"""Activations: y = f(x) for each value, so dx = dy * f'(x).

    name          f(x)                              f'(x), in terms of y where possible
    relu          max(x, 0)                         1 if y > 0 else 0
    leaky_relu    x if x > 0 else slope * x         1 if x > 0 else slope
    relu6         min(max(x, 0), 6)                 1 if 0 < y < 6 else 0
    elu           x if x > 0 else alpha (e^x - 1)   1 if y > 0 else y + alpha
    sigmoid s     1 / (1 + e^-x)                    y (1 - y)
    tanh          tanh x                            1 - y^2
    silu          x s(x)                            s(x) (1 + x (1 - s(x)))
    gelu          x p(x)                            p(x) + x p'(x)

For gelu p is the normal distribution function, p(x) = erfc(-x / sqrt 2) / 2, so p'(x) is the
density e^(-x^2 / 2) / sqrt(2 pi); or, approximated, p(x) = (1 + tanh u) / 2 = s(2 u) with
u = sqrt(2 / pi) (x + 0.044715 x^3), so p'(x) = s(2 u) (1 - s(2 u)) 2 u'.

A derivative in terms of y makes it unnecessary to store x. At a kink it is that of the side of
smaller x. NaN stays NaN: conditions are written so that it never selects a constant.
"""

from __future__ import annotations

import math

import numpy as np


def relu_forward(x: np.ndarray) -> tuple[np.ndarray]:
    return (np.where(x <= 0, 0, x),)


def relu_backward(dy: np.ndarray, y: np.ndarray) -> tuple[np.ndarray]:
    return (np.where(y > 0, dy, 0),)


def leaky_relu_forward(x: np.ndarray, *, negative_slope: float) -> tuple[np.ndarray]:
    return (np.where(x > 0, x, negative_slope * x),)


def leaky_relu_backward(
    dy: np.ndarray, x: np.ndarray, *, negative_slope: float
) -> tuple[np.ndarray]:
    return (np.where(x > 0, dy, negative_slope * dy),)


def relu6_forward(x: np.ndarray) -> tuple[np.ndarray]:
    return (np.where(x <= 0, 0, np.where(x >= 6, 6, x)),)


def relu6_backward(dy: np.ndarray, y: np.ndarray) -> tuple[np.ndarray]:
    return (np.where((y > 0) & (y < 6), dy, 0),)


def elu_forward(x: np.ndarray, *, alpha: float) -> tuple[np.ndarray]:
    return (np.where(x > 0, x, alpha * np.expm1(x)),)


def elu_backward(dy: np.ndarray, y: np.ndarray, *, alpha: float) -> tuple[np.ndarray]:
    return (np.where(y > 0, dy, dy * (y + alpha)),)


def sigmoid_forward(x: np.ndarray) -> tuple[np.ndarray]:
    small = np.exp(-np.abs(x))  # e^-x for positive x, e^x for negative: never above 1
    return (np.where(x >= 0, 1, small) / (1 + small),)


def sigmoid_backward(dy: np.ndarray, y: np.ndarray) -> tuple[np.ndarray]:
    return (dy * y * (1 - y),)


def tanh_forward(x: np.ndarray) -> tuple[np.ndarray]:
    return (np.tanh(x),)


def tanh_backward(dy: np.ndarray, y: np.ndarray) -> tuple[np.ndarray]:
    return (dy * (1 - y * y),)


def silu_forward(x: np.ndarray) -> tuple[np.ndarray]:
    (s,) = sigmoid_forward(x)
    return (x * s,)


def silu_backward(dy: np.ndarray, x: np.ndarray) -> tuple[np.ndarray]:
    (s,) = sigmoid_forward(x)
    return (dy * s * (1 + x * (1 - s)),)


def gelu_forward(x: np.ndarray, *, approximate: bool) -> tuple[np.ndarray]:
    p, _ = (_tanh_distribution if approximate else _normal_distribution)(x)
    return (x * p,)


def gelu_backward(dy: np.ndarray, x: np.ndarray, *, approximate: bool) -> tuple[np.ndarray]:
    p, slope = (_tanh_distribution if approximate else _normal_distribution)(x)
    return (dy * (p + x * slope),)


_erfc = np.vectorize(math.erfc, otypes=[float])


def _normal_distribution(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(p, p') of gelu. erfc keeps the digits that 1 + erf loses where x is negative."""
    p = 0.5 * _erfc(-x * math.sqrt(0.5)).astype(x.dtype)
    return p, np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)


def _tanh_distribution(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(p, p') of the approximated gelu."""
    z = np.clip(x, -100, 100)  # beyond that p is 0 or 1, and z^3 might overflow
    scale = 2 * math.sqrt(2 / math.pi)
    (p,) = sigmoid_forward(scale * (z + 0.044715 * z**3))
    return p, p * (1 - p) * scale * (1 + 3 * 0.044715 * z * z)
