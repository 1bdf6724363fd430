"""Optimizers: launches that update weights by their rules, which are in optimizer_rules.py.

While HALTED is not 0, no weight is updated.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from minicnn.backends.cuda.optimizer_rules import RULES, ZERO
from minicnn.backends.cuda.runtime.api import cuda, device, float32, jit, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.runtime.launch import HALTED, KernelFactory, KernelPlan, elementwise
from minicnn.contracts import OPTIMIZER_UPDATES, Spec

NO_SLOT = ""


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
    def update_element(w, g, a, b, c, i, ig, ia, ib, ic, rate, step, decay, given):
        weight, new_a, new_b, new_c = rule(
            w[i],
            g[ig],
            a[ia] if has_a else ZERO,
            b[ib] if has_b else ZERO,
            c[ic] if has_c else ZERO,
            rate,
            step,
            decay,
            given,
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
            update_element(w, g, a, b, c, i, i, i, i, i, rate, step, decay, rates)

    return updated
