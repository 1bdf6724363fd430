"""Functions of two arrays of equal shape, value by value, and their gradients.

subtract   y = a - b        da = dy                        db = -dy
divide     y = a / b        da = dy / b                    db = -dy y / b
maximum    y = max(a, b)    da = dy where a >= b, else 0   db = dy where a < b, else 0
minimum    y = min(a, b)    da = dy where a <= b, else 0   db = dy where a > b, else 0
power      y = a^b          da = dy b a^(b - 1)            db = dy y log a, 0 where a <= 0

compare and elementwise apply a function of NumPy by its name: the one compares floats, the other
computes with integers and truth values. Their results have no gradient.
"""

from __future__ import annotations

import numpy as np


def subtract_forward(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray]:
    return (a - b,)


def subtract_backward(dy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return dy.copy(), -dy


def divide_forward(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray]:
    return (a / b,)


def divide_backward(dy: np.ndarray, b: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    da = dy / b
    return da, -da * y


def maximum_forward(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray]:
    return (np.maximum(a, b),)


def maximum_backward(dy: np.ndarray, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    first = a >= b
    return np.where(first, dy, 0), np.where(first, 0, dy)


def minimum_forward(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray]:
    return (np.minimum(a, b),)


def minimum_backward(dy: np.ndarray, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    first = a <= b
    return np.where(first, dy, 0), np.where(first, 0, dy)


def power_forward(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray]:
    return (np.power(a, b),)


def power_backward(
    dy: np.ndarray, a: np.ndarray, b: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    positive = a > 0
    log = np.log(np.where(positive, a, 1))
    return dy * (b * np.power(a, b - 1)), np.where(positive, dy * y * log, 0)


def compare_forward(a: np.ndarray, b: np.ndarray, *, function: str) -> tuple[np.ndarray]:
    return (np.asarray(getattr(np, function)(a, b)),)


def elementwise_forward(a: np.ndarray, b: np.ndarray | None, *, function: str) -> tuple[np.ndarray]:
    reads = (a,) if b is None else (a, b)
    return (np.asarray(getattr(np, function)(*reads)),)
