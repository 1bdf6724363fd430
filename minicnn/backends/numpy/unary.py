"""Functions of each value: y = f(x), so dx = dy * f'(x).

    name         f(x)                        f'(x), in terms of y where possible
    absolute     |x|                         1 if x > 0, -1 if x < 0, 0 at 0
    clip         x between two bounds        1 where minimum <= x <= maximum, else 0
    cos          cos x                       -sin x
    exp          e^x                         y
    expm1        e^x - 1                     y + 1
    fixed_power  x^p                         p x^(p - 1)
    log          log x                       1 / x
    log1p        log(1 + x)                  1 / (1 + x)
    reciprocal   1 / x                       -y^2
    rsqrt        1 / sqrt x                  -y^3 / 2
    sin          sin x                       cos x
    softplus     log(1 + e^x)                1 / (1 + e^-x)
    sqrt         sqrt x                      1 / (2 y)
    square       x^2                         2 x

ceil, floor, round and sign are constant between their steps and have no gradient. NaN stays NaN.
"""

from __future__ import annotations

import numpy as np

from minicnn.backends.numpy.activations import sigmoid_forward


def absolute_forward(x: np.ndarray) -> tuple[np.ndarray]:
    return (np.abs(x),)


def absolute_backward(dy: np.ndarray, x: np.ndarray) -> tuple[np.ndarray]:
    return (dy * np.sign(x),)


def clip_forward(x: np.ndarray, *, minimum: float, maximum: float) -> tuple[np.ndarray]:
    above = np.where(x < minimum, minimum, x)
    return (np.where(above > maximum, maximum, above).astype(x.dtype),)


def clip_backward(
    dy: np.ndarray, x: np.ndarray, *, minimum: float, maximum: float
) -> tuple[np.ndarray]:
    return (np.where((x < minimum) | (x > maximum), 0, dy).astype(dy.dtype),)


def cos_forward(x: np.ndarray) -> tuple[np.ndarray]:
    return (np.cos(x),)


def cos_backward(dy: np.ndarray, x: np.ndarray) -> tuple[np.ndarray]:
    return (-dy * np.sin(x),)


def exp_forward(x: np.ndarray) -> tuple[np.ndarray]:
    return (np.exp(x),)


def exp_backward(dy: np.ndarray, y: np.ndarray) -> tuple[np.ndarray]:
    return (dy * y,)


def expm1_forward(x: np.ndarray) -> tuple[np.ndarray]:
    return (np.expm1(x),)


def expm1_backward(dy: np.ndarray, y: np.ndarray) -> tuple[np.ndarray]:
    return (dy * (y + 1),)


def fixed_power_forward(x: np.ndarray, *, exponent: float) -> tuple[np.ndarray]:
    return (np.power(x, x.dtype.type(exponent)),)


def fixed_power_backward(dy: np.ndarray, x: np.ndarray, *, exponent: float) -> tuple[np.ndarray]:
    p = x.dtype.type(exponent)
    return (dy * (p * np.power(x, p - 1)),)


def log_forward(x: np.ndarray) -> tuple[np.ndarray]:
    return (np.log(x),)


def log_backward(dy: np.ndarray, x: np.ndarray) -> tuple[np.ndarray]:
    return (dy / x,)


def log1p_forward(x: np.ndarray) -> tuple[np.ndarray]:
    return (np.log1p(x),)


def log1p_backward(dy: np.ndarray, x: np.ndarray) -> tuple[np.ndarray]:
    return (dy / (1 + x),)


def reciprocal_forward(x: np.ndarray) -> tuple[np.ndarray]:
    return (1 / x,)


def reciprocal_backward(dy: np.ndarray, y: np.ndarray) -> tuple[np.ndarray]:
    return (-dy * (y * y),)


def rsqrt_forward(x: np.ndarray) -> tuple[np.ndarray]:
    return (1 / np.sqrt(x),)


def rsqrt_backward(dy: np.ndarray, y: np.ndarray) -> tuple[np.ndarray]:
    return (-0.5 * dy * (y * y * y),)


def sin_forward(x: np.ndarray) -> tuple[np.ndarray]:
    return (np.sin(x),)


def sin_backward(dy: np.ndarray, x: np.ndarray) -> tuple[np.ndarray]:
    return (dy * np.cos(x),)


def softplus_forward(x: np.ndarray) -> tuple[np.ndarray]:
    return (np.where(x > 0, x, 0 * x) + np.log1p(np.exp(-np.abs(x))),)


def softplus_backward(dy: np.ndarray, x: np.ndarray) -> tuple[np.ndarray]:
    return (dy * sigmoid_forward(x)[0],)


def sqrt_forward(x: np.ndarray) -> tuple[np.ndarray]:
    return (np.sqrt(x),)


def sqrt_backward(dy: np.ndarray, y: np.ndarray) -> tuple[np.ndarray]:
    return (0.5 * dy / y,)


def square_forward(x: np.ndarray) -> tuple[np.ndarray]:
    return (x * x,)


def square_backward(dy: np.ndarray, x: np.ndarray) -> tuple[np.ndarray]:
    return (dy * (2 * x),)


def ceil_forward(x: np.ndarray) -> tuple[np.ndarray]:
    return (np.ceil(x),)


def floor_forward(x: np.ndarray) -> tuple[np.ndarray]:
    return (np.floor(x),)


def round_forward(x: np.ndarray) -> tuple[np.ndarray]:
    return (np.rint(x),)  # halves to the even neighbor


def sign_forward(x: np.ndarray) -> tuple[np.ndarray]:
    return (np.sign(x),)
