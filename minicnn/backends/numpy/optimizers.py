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
    adadelta square = rho * square + (1 - rho) * g^2
             delta  = sqrt(delta_square + epsilon) * g / sqrt(square + epsilon)
             delta_square = rho * delta_square + (1 - rho) * delta^2
             w -= rate * delta
    adamax   first += (g - first) * (1 - beta_1)
             norm   = max(beta_2 * norm, |g|)
             w -= first * step / (norm + epsilon)
    amsgrad  adam, with the largest `second` so far under the root
    nadam    first and second as in adam
             ahead = of_mean * first + of_gradient * g
             w -= ahead * rate / (sqrt(second * of_square) + epsilon)
    lion     w -= rate * sign(momentum * beta_1 + g * (1 - beta_1))
             momentum = momentum * beta_2 + g * (1 - beta_2)
    ftrl     total   = accumulator + g^2
             linear += (g + 2 * shrinkage * w) - (sqrt(total) - sqrt(accumulator)) / rate * w
             w       = (clip(linear, -l1, l1) - linear) / ((sqrt(total) + beta) / rate + 2 * l2)
             accumulator = total

`rates` holds two values: the learning rate, and Adam's `step`,
the rate after bias correction. `multiplier` is the weight's own factor for both. Nadam's `rates`
are the learning rate, of_mean, of_gradient and of_square.

Weight decay pulls weights to 0: coupled it is the gradient of weight_decay / 2 * w^2, so
g = dw + weight_decay * w; decoupled it shrinks w itself by rate * weight_decay.

All engines give the same bits: everything is computed in the weights' dtype, in the order written,
and each operation rounds once. Attributes are converted to that dtype first, but 1 - beta is
computed before: in float32 the difference of 1 and 0.999 would have a relative error of 1e-5.
"""

from __future__ import annotations

import numpy as np

from minicnn.backends.engine import Kernel
from minicnn.backends.numpy.adagrad import (
    adadelta_update,
    adagrad_update,
    ftrl_update,
    rmsprop_update,
)
from minicnn.backends.numpy.adam import adam_update, adamax_update, amsgrad_update, nadam_update
from minicnn.backends.numpy.optimizer_parts import own_rates, with_decay


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
    rate, _ = own_rates(w, rates, multiplier)
    w, g = with_decay(w, dw, rate, weight_decay, decoupled)
    if velocity is None:
        return w - rate * g, None
    momentum = w.dtype.type(momentum)
    velocity = momentum * velocity - rate * g
    return w + (momentum * velocity - rate * g if nesterov else velocity), velocity


def lion_update(
    w: np.ndarray,
    dw: np.ndarray,
    momentum: np.ndarray,
    rates: np.ndarray,
    *,
    beta_1: float,
    beta_2: float,
    weight_decay: float,
    decoupled: bool,
    multiplier: float,
) -> tuple[np.ndarray, np.ndarray]:
    rate, _ = own_rates(w, rates, multiplier)
    w, g = with_decay(w, dw, rate, weight_decay, decoupled)
    numbers = (beta_1, 1 - beta_1, beta_2, 1 - beta_2)
    old_1, new_1, old_2, new_2 = (w.dtype.type(a) for a in numbers)
    w = w - rate * np.sign(momentum * old_1 + g * new_1)
    return w, momentum * old_2 + g * new_2


KERNELS: dict[str, Kernel] = {
    "sgd_update": sgd_update,
    "lion_update": lion_update,
    "adam_update": adam_update,
    "amsgrad_update": amsgrad_update,
    "adamax_update": adamax_update,
    "nadam_update": nadam_update,
    "rmsprop_update": rmsprop_update,
    "adagrad_update": adagrad_update,
    "adadelta_update": adadelta_update,
    "ftrl_update": ftrl_update,
}
