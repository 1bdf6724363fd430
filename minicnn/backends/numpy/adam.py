"""Adam and its relatives; optimizers.py has the formulas and the rule about rounding."""

from __future__ import annotations

import numpy as np

from minicnn.backends.numpy.optimizer_parts import own_rates, with_decay


def adam_update(
    w: np.ndarray,
    dw: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    rates: np.ndarray,
    *,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    weight_decay: float,
    decoupled: bool,
    multiplier: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rate, step = own_rates(w, rates, multiplier)
    w, g = with_decay(w, dw, rate, weight_decay, decoupled)
    rest_1, rest_2, epsilon = (w.dtype.type(a) for a in (1 - beta_1, 1 - beta_2, epsilon))
    first = first + (g - first) * rest_1
    second = second + (g * g - second) * rest_2
    return w - first * step / (np.sqrt(second) + epsilon), first, second


def amsgrad_update(
    w: np.ndarray,
    dw: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    largest: np.ndarray,
    rates: np.ndarray,
    *,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    weight_decay: float,
    decoupled: bool,
    multiplier: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rate, step = own_rates(w, rates, multiplier)
    w, g = with_decay(w, dw, rate, weight_decay, decoupled)
    rest_1, rest_2, epsilon = (w.dtype.type(a) for a in (1 - beta_1, 1 - beta_2, epsilon))
    first = first + (g - first) * rest_1
    second = second + (g * g - second) * rest_2
    largest = np.maximum(largest, second)
    return w - first * step / (np.sqrt(largest) + epsilon), first, second, largest


def adamax_update(
    w: np.ndarray,
    dw: np.ndarray,
    first: np.ndarray,
    norm: np.ndarray,
    rates: np.ndarray,
    *,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    weight_decay: float,
    decoupled: bool,
    multiplier: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rate, step = own_rates(w, rates, multiplier)
    w, g = with_decay(w, dw, rate, weight_decay, decoupled)
    rest_1, beta_2, epsilon = (w.dtype.type(a) for a in (1 - beta_1, beta_2, epsilon))
    first = first + (g - first) * rest_1
    norm = np.maximum(beta_2 * norm, np.abs(g))
    return w - first * step / (norm + epsilon), first, norm


def nadam_update(
    w: np.ndarray,
    dw: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    rates: np.ndarray,
    *,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    weight_decay: float,
    decoupled: bool,
    multiplier: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rate = own_rates(w, rates, multiplier)[0]
    of_mean, of_gradient, of_square = rates[1:].astype(w.dtype)
    w, g = with_decay(w, dw, rate, weight_decay, decoupled)
    rest_1, rest_2, epsilon = (w.dtype.type(a) for a in (1 - beta_1, 1 - beta_2, epsilon))
    first = first + (g - first) * rest_1
    second = second + (g * g - second) * rest_2
    ahead = of_mean * first + of_gradient * g
    return w - ahead * rate / (np.sqrt(second * of_square) + epsilon), first, second
