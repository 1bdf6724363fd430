"""Optimizers: one thread a weight. The formulas stand in the reference's file of this name.

A *rule* is a device function that moves one weight and its slots, the numbers that the optimizer
keeps for it: up to three, with 0 in the place of those that are not kept. Its operations are the
reference's, in the reference's order, each rounded to float32, so the bits are the same. A product
that something is added to is written times(a, b): of a * b + c a GPU's compiler would make one
operation, which rounds once.

While HALTED is not 0 nothing moves.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from minicnn.backends.cuda.runtime.api import SIMULATED, cuda, device, float32, jit, sqrt, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.runtime.launch import HALTED, KernelFactory, KernelPlan, elementwise
from minicnn.contracts import OPTIMIZER_UPDATES, Spec

ZERO = float32(0)
NO_SLOT = ""

times = operator.mul if SIMULATED else cuda.libdevice.fmul_rn  # type: ignore[attr-defined]

Kept = tuple[bool, ...]  # of a kind's slots, those that the optimizer really keeps


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
def sgd(kept: Kept, *, momentum: float, nesterov: bool, decoupled: bool) -> Any:
    (has_velocity,) = kept
    mu, decayed = float32(momentum), with_decay(decoupled)

    @device
    def move(w, g, velocity, _second, _third, rate, step, decay):
        w, g = decayed(w, g, rate, decay)
        if not has_velocity:
            return w - times(rate, g), ZERO, ZERO, ZERO
        velocity = times(mu, velocity) - times(rate, g)
        length = times(mu, velocity) - times(rate, g) if nesterov else velocity
        return w + length, velocity, ZERO, ZERO

    return move


@cached
def adam(kept: Kept, *, beta_1: float, beta_2: float, epsilon: float, decoupled: bool) -> Any:
    new_1, new_2 = float32(1 - beta_1), float32(1 - beta_2)
    small, decayed = float32(epsilon), with_decay(decoupled)

    @device
    def move(w, g, first, second, _third, rate, step, decay):
        w, g = decayed(w, g, rate, decay)
        first = first + times(g - first, new_1)
        second = second + times(times(g, g) - second, new_2)
        return w - first * step / (float32(sqrt(second)) + small), first, second, ZERO

    return move


@cached
def rmsprop(
    kept: Kept, *, rho: float, momentum: float, epsilon: float, centered: bool, decoupled: bool
) -> Any:
    old, new, mu, small = (float32(a) for a in (rho, 1 - rho, momentum, epsilon))
    rolls, centers = momentum > 0 and kept[1], centered and kept[2]
    decayed = with_decay(decoupled)

    @device
    def move(w, g, square, velocity, mean, rate, step, decay):
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

    return move


# An optimizer's kernel -> the function that makes its rule.
RULES: dict[str, Callable[..., Any]] = {
    "sgd_update": sgd,
    "adam_update": adam,
    "rmsprop_update": rmsprop,
}


class Update(NamedTuple):
    """How weights move: the same for all that one launch can move."""

    rule: Any
    slots: tuple[str, str, str]  # names of arrays, in the places that the rule gives them


def update_of(
    kernel: str, present: Callable[[str], bool], attributes: dict[str, Any]
) -> tuple[Update, float, float]:
    """The update of an optimizer's kernel, and what is the weight's own: multiplier and decay.

    `present` tells of a slot's name whether the optimizer keeps such a number.
    """
    kernel, shared = kernel.removeprefix("dense_"), dict(attributes)
    own = shared.pop("multiplier"), shared.pop("weight_decay")
    slots = slots_of(kernel)
    kept = tuple(map(present, slots))
    names = [name if is_kept else NO_SLOT for name, is_kept in zip(slots, kept, strict=True)]
    first, second, third = (*names, NO_SLOT, NO_SLOT)[:3]
    return Update(RULES[kernel](kept, **shared), (first, second, third)), *own


def slots_of(kernel: str) -> tuple[str, ...]:
    """Names of the arrays that an optimizer's kernel keeps, in its contract's order."""
    _w, _dw, *slots, _rates = OPTIMIZER_UPDATES[kernel].reads
    return tuple(name.rstrip("?") for name in slots)


def moved(kernel: str, w: Spec, dw: Spec, *reads: Spec | None, **attributes: Any) -> KernelPlan:
    """The one launch that moves the weights `w`; its gradient is called "dw"."""
    kept = dict(zip(slots_of(kernel), reads[:-1], strict=True))  # the last one is the rates
    update, multiplier, decay = update_of(kernel, lambda name: kept[name] is not None, attributes)
    count = math.prod(w.shape)
    # An array that is not there is never touched; something must stand for it.
    names = ("w", "dw", *(name or "w" for name in update.slots), "rates", HALTED)
    return elementwise(_update_kernel(update, count, multiplier, decay), count, names)


KERNELS: dict[str, KernelFactory] = {name: partial(moved, name) for name in RULES}


@cached
def mover(update: Update) -> Any:
    """A device function that moves w[i], with its gradient g[ig] and its slots a[ia], b[ib], c[ic].

    Each has an index of its own, for they may lie in one array.
    """
    rule = update.rule
    has_a, has_b, has_c = (name != NO_SLOT for name in update.slots)

    @device
    def move(w, g, a, b, c, i, ig, ia, ib, ic, rate, step, decay):
        weight, new_a, new_b, new_c = rule(
            w[i],
            g[ig],
            a[ia] if has_a else ZERO,
            b[ib] if has_b else ZERO,
            c[ic] if has_c else ZERO,
            rate,
            step,
            decay,
        )
        w[i] = weight
        if has_a:
            a[ia] = new_a
        if has_b:
            b[ib] = new_b
        if has_c:
            c[ic] = new_c

    return move


@cached
def _update_kernel(update: Update, count: int, multiplier: float, weight_decay: float) -> Any:
    move, factor, decay = mover(update), float32(multiplier), float32(weight_decay)

    @jit
    def updated(w, g, a, b, c, rates, halted):
        i = uint32(cuda.grid(1))
        if i < count and halted[0] == 0:
            rate, step = rates[0] * factor, rates[1] * factor
            move(w, g, a, b, c, i, i, i, i, i, rate, step, decay)

    return updated
