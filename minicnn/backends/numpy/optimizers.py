"""Optimizers: the update of a weight w by its gradient g, with Keras's formulas.

    sgd      velocity = momentum * velocity - rate * g
             w += velocity,    Nesterov: w += momentum * velocity - rate * g
    adam     first  += (g - first) * (1 - beta_1)          the gradient's moving mean
             second += (g^2 - second) * (1 - beta_2)       and that of its square
             w -= first * step / (sqrt(second) + epsilon)
    rmsprop  square = rho * square + (1 - rho) * g^2
             w -= rate * g / sqrt(square + epsilon),    centered: square - mean^2 + epsilon
    adagrad  accumulator += g^2
             w -= rate * g / sqrt(accumulator + epsilon)

`rates` holds two values: the learning rate, and Adam's `step`, the rate after bias correction.
`multiplier` is the weight's own factor for both.

Weight decay pulls weights to 0: coupled it is the gradient of weight_decay / 2 * w^2, so
g = dw + weight_decay * w; decoupled it shrinks w itself by rate * weight_decay.

All engines give the same bits: everything is computed in the weights' dtype, in the order written,
and each operation rounds once. Attributes are converted to that dtype first, but 1 - beta is
computed before: in float32 the difference of 1 and 0.999 would have a relative error of 1e-5.
"""

from __future__ import annotations

import numpy as np


def sgd_update(
    w: np.ndarray,
    dw: np.ndarray,
    velocity: np.ndarray | None,
    rates: np.ndarray,
    *,
    momentum: float,
    nesterov: bool,
    weight_decay: float,
    decoupled: bool,
    multiplier: float,
) -> tuple[np.ndarray, np.ndarray | None]:
    rate, _ = _own_rates(w, rates, multiplier)
    w, g = _with_decay(w, dw, rate, weight_decay, decoupled)
    if velocity is None:
        return w - rate * g, None
    momentum = w.dtype.type(momentum)
    velocity = momentum * velocity - rate * g
    return w + (momentum * velocity - rate * g if nesterov else velocity), velocity


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
    rate, step = _own_rates(w, rates, multiplier)
    w, g = _with_decay(w, dw, rate, weight_decay, decoupled)
    rest_1, rest_2, epsilon = (w.dtype.type(a) for a in (1 - beta_1, 1 - beta_2, epsilon))
    first = first + (g - first) * rest_1
    second = second + (g * g - second) * rest_2
    return w - first * step / (np.sqrt(second) + epsilon), first, second


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
    rate, _ = _own_rates(w, rates, multiplier)
    w, g = _with_decay(w, dw, rate, weight_decay, decoupled)
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
    rate, _ = _own_rates(w, rates, multiplier)
    w, g = _with_decay(w, dw, rate, weight_decay, decoupled)
    accumulator = accumulator + g * g
    return w - rate * g / np.sqrt(accumulator + w.dtype.type(epsilon)), accumulator


def _own_rates(w: np.ndarray, rates: np.ndarray, multiplier: float) -> np.ndarray:
    """Return the two rates of this weight, in its dtype."""
    return rates.astype(w.dtype) * w.dtype.type(multiplier)


def _with_decay(
    w: np.ndarray, dw: np.ndarray, rate: np.floating, weight_decay: float, decoupled: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return the weight and the gradient, with weight decay applied."""
    if not weight_decay:
        return w, dw
    weight_decay = w.dtype.type(weight_decay)
    return (w - rate * weight_decay * w, dw) if decoupled else (w, dw + weight_decay * w)
