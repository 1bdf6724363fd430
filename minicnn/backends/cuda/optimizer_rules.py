"""Optimizers' rules: one thread per weight. The formulas are in the reference's optimizers.py.

A *rule* is a device function: (w, gradient, slots, rate, step, decay, given) -> (new w, new slots).
There are always three slots; those that the optimizer does not have are 0. `given` are the rates of
the step as they are, for rules that need more than the first two. A rule does the reference's
operations in the reference's order and rounds each to float32, so the bits are the same. A product
in a sum is written times(a, b): a GPU's compiler would turn a * b + c into one operation, which
rounds only once.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from minicnn.backends.cuda.runtime.api import SIMULATED, cuda, device, float32, sqrt
from minicnn.backends.cuda.runtime.kernel_cache import cached

ZERO, ONE = float32(0), float32(1)

times = operator.mul if SIMULATED else cuda.libdevice.fmul_rn  # type: ignore[attr-defined]

Present = tuple[bool, ...]  # for each slot of a kernel, whether the optimizer has it


@device
def larger(a, b):
    return a if a >= b or a != a else b  # NaN if one of them is


@cached
def with_decay(decoupled: bool) -> Any:
    @device
    def decayed(w, g, rate, decay):
        if decay == ZERO:
            return w, g
        if decoupled:
            return w - times(rate * decay, w), g
        return w, g + times(decay, w)

    return decayed


@cached
def sgd(present: Present, *, momentum: float, nesterov: bool, decoupled: bool) -> Any:
    (has_velocity,) = present
    mu, decayed = float32(momentum), with_decay(decoupled)

    @device
    def rule(w, g, velocity, _second, _third, rate, step, decay, _given):
        w, g = decayed(w, g, rate, decay)
        if not has_velocity:
            return w - times(rate, g), ZERO, ZERO, ZERO
        velocity = times(mu, velocity) - times(rate, g)
        length = times(mu, velocity) - times(rate, g) if nesterov else velocity
        return w + length, velocity, ZERO, ZERO

    return rule


@cached
def adam(present: Present, *, beta_1: float, beta_2: float, epsilon: float, decoupled: bool) -> Any:
    new_1, new_2 = float32(1 - beta_1), float32(1 - beta_2)
    small, decayed = float32(epsilon), with_decay(decoupled)

    @device
    def rule(w, g, first, second, _third, rate, step, decay, _given):
        w, g = decayed(w, g, rate, decay)
        first = first + times(g - first, new_1)
        second = second + times(times(g, g) - second, new_2)
        return w - first * step / (float32(sqrt(second)) + small), first, second, ZERO

    return rule


@cached
def rmsprop(
    present: Present,
    *,
    rho: float,
    momentum: float,
    epsilon: float,
    centered: bool,
    decoupled: bool,
) -> Any:
    old, new, mu, small = (float32(a) for a in (rho, 1 - rho, momentum, epsilon))
    rolls, centers = momentum > 0 and present[1], centered and present[2]
    decayed = with_decay(decoupled)

    @device
    def rule(w, g, square, velocity, mean, rate, step, decay, _given):
        w, g = decayed(w, g, rate, decay)
        square = times(old, square) + times(new * g, g)
        variance = square
        if centers:
            mean = times(old, mean) + times(new, g)
            variance = square - times(mean, mean)
        increment = rate * g / float32(sqrt(variance + small))
        if rolls:
            velocity = increment = times(mu, velocity) + increment
        return w - increment, square, velocity, mean

    return rule


@cached
def adagrad(present: Present, *, epsilon: float, decoupled: bool) -> Any:
    small, decayed = float32(epsilon), with_decay(decoupled)

    @device
    def rule(w, g, accumulator, _second, _third, rate, step, decay, _given):
        w, g = decayed(w, g, rate, decay)
        accumulator = accumulator + times(g, g)
        return w - rate * g / float32(sqrt(accumulator + small)), accumulator, ZERO, ZERO

    return rule


@cached
def lion(present: Present, *, beta_1: float, beta_2: float, decoupled: bool) -> Any:
    old_1, new_1, old_2, new_2 = (float32(a) for a in (beta_1, 1 - beta_1, beta_2, 1 - beta_2))
    decayed = with_decay(decoupled)

    @device
    def rule(w, g, momentum, _second, _third, rate, step, decay, _given):
        w, g = decayed(w, g, rate, decay)
        direction = times(momentum, old_1) + times(g, new_1)
        sign = ONE if direction > ZERO else (-ONE if direction < ZERO else direction)
        momentum = times(momentum, old_2) + times(g, new_2)
        return w - times(rate, sign), momentum, ZERO, ZERO

    return rule


@cached
def amsgrad(
    present: Present, *, beta_1: float, beta_2: float, epsilon: float, decoupled: bool
) -> Any:
    new_1, new_2 = float32(1 - beta_1), float32(1 - beta_2)
    small, decayed = float32(epsilon), with_decay(decoupled)

    @device
    def rule(w, g, first, second, largest, rate, step, decay, _given):
        w, g = decayed(w, g, rate, decay)
        first = first + times(g - first, new_1)
        second = second + times(times(g, g) - second, new_2)
        largest = larger(largest, second)
        return w - first * step / (float32(sqrt(largest)) + small), first, second, largest

    return rule


@cached
def adamax(
    present: Present, *, beta_1: float, beta_2: float, epsilon: float, decoupled: bool
) -> Any:
    new_1, kept = float32(1 - beta_1), float32(beta_2)
    small, decayed = float32(epsilon), with_decay(decoupled)

    @device
    def rule(w, g, first, norm, _third, rate, step, decay, _given):
        w, g = decayed(w, g, rate, decay)
        first = first + times(g - first, new_1)
        norm = larger(times(kept, norm), -g if g < ZERO else g)
        return w - first * step / (norm + small), first, norm, ZERO

    return rule


@cached
def nadam(
    present: Present, *, beta_1: float, beta_2: float, epsilon: float, decoupled: bool
) -> Any:
    new_1, new_2 = float32(1 - beta_1), float32(1 - beta_2)
    small, decayed = float32(epsilon), with_decay(decoupled)

    @device
    def rule(w, g, first, second, _third, rate, step, decay, given):
        w, g = decayed(w, g, rate, decay)
        first = first + times(g - first, new_1)
        second = second + times(times(g, g) - second, new_2)
        ahead = times(given[1], first) + times(given[2], g)
        root = float32(sqrt(times(second, given[3])))
        return w - ahead * rate / (root + small), first, second, ZERO

    return rule


@cached
def adadelta(present: Present, *, rho: float, epsilon: float, decoupled: bool) -> Any:
    old, new, small = (float32(a) for a in (rho, 1 - rho, epsilon))
    decayed = with_decay(decoupled)

    @device
    def rule(w, g, square, delta_square, _third, rate, step, decay, _given):
        w, g = decayed(w, g, rate, decay)
        square = times(old, square) + times(new * g, g)
        delta = float32(sqrt(delta_square + small)) * g / float32(sqrt(square + small))
        delta_square = times(old, delta_square) + times(new * delta, delta)
        return w - times(rate, delta), square, delta_square, ZERO

    return rule


@cached
def ftrl(
    present: Present, *, l1: float, l2: float, shrinkage: float, beta: float, decoupled: bool
) -> Any:
    bound, own_beta = float32(l1), float32(beta)
    twice_l2, twice_shrinkage = float32(2 * l2), float32(2 * shrinkage)
    decayed = with_decay(decoupled)

    @device
    def rule(w, g, accumulator, linear, _third, rate, step, decay, _given):
        w, g = decayed(w, g, rate, decay)
        total = accumulator + times(g, g)
        root = float32(sqrt(total))
        change = (root - float32(sqrt(accumulator))) / rate
        linear = linear + ((g + times(twice_shrinkage, w)) - times(change, w))
        clipped = -bound if linear < -bound else (bound if linear > bound else linear)
        curvature = (root + own_beta) / rate + twice_l2
        return (clipped - linear) / curvature, total, linear, ZERO

    return rule


# For each optimizer's kernel, the function that returns its rule.
RULES: dict[str, Callable[..., Any]] = {
    "sgd_update": sgd,
    "lion_update": lion,
    "adam_update": adam,
    "amsgrad_update": amsgrad,
    "adamax_update": adamax,
    "nadam_update": nadam,
    "rmsprop_update": rmsprop,
    "adagrad_update": adagrad,
    "adadelta_update": adadelta,
    "ftrl_update": ftrl,
}
