"""Optimizers that divide by the gradient's size; optimizers.py has the formulas."""

from __future__ import annotations

import numpy as np

from minicnn.backends.numpy.optimizer_parts import own_rates, with_decay


def rmsprop_update(
    w: np.ndarray,
    dw: np.ndarray,
    square: np.ndarray,
    velocity: np.ndarray | None,
    mean: np.ndarray | None,
    rates: np.ndarray,
    *,
    rho: float,
    momentum: float,
    epsilon: float,
    centered: bool,
    weight_decay: float,
    decoupled: bool,
    multiplier: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, np.ndarray | None]:
    rate, _ = own_rates(w, rates, multiplier)
    w, g = with_decay(w, dw, rate, weight_decay, decoupled)
    numbers = (rho, 1 - rho, momentum, epsilon)
    rho, rest, momentum, epsilon = (w.dtype.type(a) for a in numbers)
    square = rho * square + rest * g * g
    variance = square
    if centered and mean is not None:
        mean = rho * mean + rest * g
        variance = square - mean * mean
    increment = rate * g / np.sqrt(variance + epsilon)
    if momentum > 0 and velocity is not None:
        velocity = increment = momentum * velocity + increment
    return w - increment, square, velocity, mean


def adagrad_update(
    w: np.ndarray,
    dw: np.ndarray,
    accumulator: np.ndarray,
    rates: np.ndarray,
    *,
    epsilon: float,
    weight_decay: float,
    decoupled: bool,
    multiplier: float,
) -> tuple[np.ndarray, np.ndarray]:
    rate, _ = own_rates(w, rates, multiplier)
    w, g = with_decay(w, dw, rate, weight_decay, decoupled)
    accumulator = accumulator + g * g
    return w - rate * g / np.sqrt(accumulator + w.dtype.type(epsilon)), accumulator


def adadelta_update(
    w: np.ndarray,
    dw: np.ndarray,
    square: np.ndarray,
    delta_square: np.ndarray,
    rates: np.ndarray,
    *,
    rho: float,
    epsilon: float,
    weight_decay: float,
    decoupled: bool,
    multiplier: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rate, _ = own_rates(w, rates, multiplier)
    w, g = with_decay(w, dw, rate, weight_decay, decoupled)
    rho, rest, epsilon = (w.dtype.type(a) for a in (rho, 1 - rho, epsilon))
    square = rho * square + rest * g * g
    delta = np.sqrt(delta_square + epsilon) * g / np.sqrt(square + epsilon)
    delta_square = rho * delta_square + rest * delta * delta
    return w - rate * delta, square, delta_square


def ftrl_update(
    w: np.ndarray,
    dw: np.ndarray,
    accumulator: np.ndarray,
    linear: np.ndarray,
    rates: np.ndarray,
    *,
    l1: float,
    l2: float,
    shrinkage: float,
    beta: float,
    weight_decay: float,
    decoupled: bool,
    multiplier: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rate, _ = own_rates(w, rates, multiplier)
    w, g = with_decay(w, dw, rate, weight_decay, decoupled)
    l1, twice_l2, twice_shrinkage, beta = (
        w.dtype.type(a) for a in (l1, 2 * l2, 2 * shrinkage, beta)
    )
    total = accumulator + g * g
    change = (np.sqrt(total) - np.sqrt(accumulator)) / rate
    linear = linear + ((g + twice_shrinkage * w) - change * w)
    clipped = np.where(linear < -l1, -l1, np.where(linear > l1, l1, linear))
    curvature = (np.sqrt(total) + beta) / rate + twice_l2
    return (clipped - linear) / curvature, total, linear
