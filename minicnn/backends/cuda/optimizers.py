"""Optimizers: one thread per weight. The formulas are in the reference's file of this name.

A *rule* is a device function: (w, gradient, slots, rate, step, decay) -> (new w, new slots). There
are always three slots; those that the optimizer does not have are 0. A rule does the reference's
operations in the reference's order and rounds each to float32, so the bits are the same. A product
in a sum is written times(a, b): a GPU's compiler would turn a * b + c into one operation, which
rounds only once.

While HALTED is not 0, no weight is updated.
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

Present = tuple[bool, ...]  # for each slot of a kernel, whether the optimizer has it


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
    def rule(w, g, velocity, _second, _third, rate, step, decay):
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
    def rule(w, g, first, second, _third, rate, step, decay):
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
    def rule(w, g, square, velocity, mean, rate, step, decay):
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
    def rule(w, g, accumulator, _second, _third, rate, step, decay):
        w, g = decayed(w, g, rate, decay)
        accumulator = accumulator + times(g, g)
        return w - rate * g / float32(sqrt(accumulator + small)), accumulator, ZERO, ZERO

    return rule


# For each optimizer's kernel, the function that returns its rule.
RULES: dict[str, Callable[..., Any]] = {
    "sgd_update": sgd,
    "adam_update": adam,
    "rmsprop_update": rmsprop,
    "adagrad_update": adagrad,
}


class Update(NamedTuple):
    """How weights are updated; the same for all weights that one launch can update."""

    rule: Any
    slots: tuple[str, str, str]  # names of arrays, in the order of the rule's arguments


def update_of(
    kernel: str, is_present: Callable[[str], bool], attributes: dict[str, Any]
) -> tuple[Update, float, float]:
    """Return the update of an optimizer's kernel, and the weight's multiplier and weight decay.

    `is_present` says whether the optimizer has the slot of that name.
    """
    kernel, shared = kernel.removeprefix("dense_"), dict(attributes)
    own = shared.pop("multiplier"), shared.pop("weight_decay")
    slots = slots_of(kernel)
    present = tuple(map(is_present, slots))
    names = [name if has else NO_SLOT for name, has in zip(slots, present, strict=True)]
    first, second, third = (*names, NO_SLOT, NO_SLOT)[:3]
    return Update(RULES[kernel](present, **shared), (first, second, third)), *own


def slots_of(kernel: str) -> tuple[str, ...]:
    """Return the names of the slots of an optimizer's kernel, in its contract's order."""
    _w, _dw, *slots, _rates = OPTIMIZER_UPDATES[kernel].reads
    return tuple(name.rstrip("?") for name in slots)


def update_plan(
    kernel: str, w: Spec, dw: Spec, *reads: Spec | None, **attributes: Any
) -> KernelPlan:
    """Return the launch that updates the weights "w" by the gradient "dw"."""
    specs = dict(zip(slots_of(kernel), reads[:-1], strict=True))  # the last read is the rates
    update, multiplier, decay = update_of(kernel, lambda name: specs[name] is not None, attributes)
    count = math.prod(w.shape)
    # A slot that is absent is not used; any array can be passed for it.
    names = ("w", "dw", *(name or "w" for name in update.slots), "rates", HALTED)
    return elementwise(_update_kernel(update, count, multiplier, decay), count, names)


KERNELS: dict[str, KernelFactory] = {name: partial(update_plan, name) for name in RULES}


@cached
def element_update(update: Update) -> Any:
    """Return a device function that updates w[i] and its slots a[ia], b[ib], c[ic] by g[ig].

    They have separate indices, since the slots may be in one array.
    """
    rule = update.rule
    has_a, has_b, has_c = (name != NO_SLOT for name in update.slots)

    @device
    def update_element(w, g, a, b, c, i, ig, ia, ib, ic, rate, step, decay):
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

    return update_element


@cached
def _update_kernel(update: Update, count: int, multiplier: float, weight_decay: float) -> Any:
    update_element = element_update(update)
    factor, decay = float32(multiplier), float32(weight_decay)

    @jit
    def updated(w, g, a, b, c, rates, halted):
        i = uint32(cuda.grid(1))
        if i < count and halted[0] == 0:
            rate, step = rates[0] * factor, rates[1] * factor
            update_element(w, g, a, b, c, i, i, i, i, i, rate, step, decay)

    return updated
