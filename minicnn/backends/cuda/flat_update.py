"""All weights moved by one launch.

A training program ends with an update for each weight: on a GPU dozens of launches, most of them
for a few hundred numbers; and so with running statistics, which are assigned. Here such steps are
joined. The gradients that dense layers still have to compute come first, then one launch moves all
weights that have the same rule. Its blocks look up which weight is theirs:

    owner  (blocks,)     the row of a block's weight
    rows   (weights, 7)  where w, dw and up to three slots begin, how long they are, first block
    own    (weights, 2)  the weight's multiplier and weight decay

Weights are found by their distance from the start of one allocation, so all must lie in one, their
slots in one, their gradients in one; otherwise steps stay what they are: slower, and as right.
The numbers are moved by the same device function, so the bits are the same.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Any, NamedTuple

import numpy as np

from minicnn.backends.cuda.optimizers import NO_SLOT, RULES, ZERO, Update, mover, update_of
from minicnn.backends.cuda.runtime.api import cuda, device, jit, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.runtime.launch import (
    HALTED,
    MAX_ELEMENTS,
    THREADS,
    KernelPlan,
    Launch,
    blocks_for,
)
from minicnn.backends.cuda.runtime.memory import Region, allocate, upload
from minicnn.contracts import Spec
from minicnn.program import Step

EACH = 4  # weights of a thread: enough reads on their way; estimate, not measured (2026-11)
# Columns of `rows`. The slots are the three after SLOT.
W, DW, SLOT, LENGTH, FIRST_BLOCK, COLUMNS = 0, 1, 2, 5, 6, 7


class BoundStep(NamedTuple):
    """A step's launches, and by name the arrays that they get and where these lie."""

    step: Step | None  # None: several steps
    plan: KernelPlan
    arrays: dict[str, Any]
    places: dict[str, Region]
    writes: tuple[int, ...]  # the program's buffers


class Member(NamedTuple):
    """One weight's part in a joint update; its step's places include "w" and "dw"."""

    bound: BoundStep
    update: Update
    multiplier: float
    decay: float

    @property
    def slots(self) -> list[str]:
        """Names of those that are kept."""
        return [name for name in self.update.slots if name != NO_SLOT]

    @property
    def key(self) -> tuple[Any, ...]:
        """What is equal for weights that one launch can move."""
        places = self.bound.places
        weights, gradients, *slots = (places[name].where[0] for name in ("w", "dw", *self.slots))
        joins = len(set(slots)) < 2 and self._countable()
        rates = places["rates"].where if "rates" in places else None
        return (self.update, weights, gradients, *slots[:1], rates, joins or id(self.bound))

    def _countable(self) -> bool:
        """Are these float32, and few enough in each allocation for the kernel's indices?"""
        places = [self.bound.places[name] for name in ("w", "dw", *self.slots)]
        return all(p.spec.dtype == "float32" and p.memory.size // 4 < MAX_ELEMENTS for p in places)


def is_update(step: Step) -> bool:
    """Is the step's last launch one that can be joined with others: an optimizer's, or a copy?"""
    return step.kernel == "assign" or step.kernel.removeprefix("dense_") in RULES


def join_updates(bounds: list[BoundStep]) -> list[BoundStep]:
    """The same work in fewer launches: updates that follow each other are made together."""
    joined: list[BoundStep] = []
    waiting: list[BoundStep] = []
    for bound in bounds:
        if bound.step is not None and is_update(bound.step):
            waiting.append(bound)
        else:
            joined += [*_together(waiting), bound]
            waiting = []
    return joined + _together(waiting)


def _together(bounds: list[BoundStep]) -> list[BoundStep]:
    """Joint updates, where the steps do not depend on each other."""
    members = [_member(bound) for bound in bounds]
    if not _independent(members):
        return bounds
    groups: dict[tuple[Any, ...], list[Member]] = {}
    for member in members:
        groups.setdefault(member.key, []).append(member)
    joined = []
    for group in groups.values():
        if len(group) > 1:
            joined += [_without_update(member.bound) for member in group]
            joined.append(_joint(group))
        else:
            joined.append(group[0].bound)
    return joined


def _independent(members: list[Member]) -> bool:
    """Does each step alone touch what it writes?"""
    touched = Counter(
        where for m in members for where in {place.where for place in m.bound.places.values()}
    )
    written = [m.bound.places[name].where for m in members for name in ("w", *m.slots)]
    return all(touched[where] == 1 for where in written)


@device
def copied(w, g, _a, _b, _c, _rate, _step, _decay):
    return g, ZERO, ZERO, ZERO


COPY = Update(copied, (NO_SLOT, NO_SLOT, NO_SLOT))


def _member(bound: BoundStep) -> Member:
    step, places = bound.step, bound.places
    if step is None:
        raise ValueError("a joint update has no step of its own")
    if step.kernel == "assign":
        places = places | {"w": places["target"], "dw": places["value"]}
        return Member(bound._replace(places=places), COPY, 1.0, 0.0)
    return Member(bound, *update_of(step.kernel, places.__contains__, step.attributes))


def _without_update(bound: BoundStep) -> BoundStep:
    """What a step does before its last launch, which moves the weight."""
    plan = bound.plan._replace(launches=bound.plan.launches[:-1])
    return bound._replace(step=None, plan=plan, writes=())


def _joint(members: list[Member]) -> BoundStep:
    """The launch that moves the weights of all `members`."""
    first = members[0]
    places, given = first.bound.places, first.bound.arrays
    slots = first.slots[0] if first.slots else "w"  # without slots, something that is not touched
    tables = _tables(members)
    uploaded = {name: _uploaded(table, name) for name, table in tables.items()}
    arrays = {
        "weights": _numbers(places["w"].memory),
        "gradients": _numbers(places["dw"].memory),
        "slots": _numbers(places[slots].memory),
        **uploaded,
        "rates": given.get("rates", uploaded["own"]),  # a copy needs none
        HALTED: given[HALTED],
    }
    kernel, blocks = joint_kernel(first.update, THREADS), len(tables["owner"])
    plan = KernelPlan((Launch(kernel, blocks, THREADS, tuple(arrays)),) if blocks else ())
    return BoundStep(None, plan, arrays, {}, tuple(i for m in members for i in m.bound.writes))


def _tables(members: list[Member]) -> dict[str, np.ndarray]:
    """The tables at the head of this file, in the order of the kernel's arguments."""
    rows = np.zeros((len(members), COLUMNS), np.uint32)
    owner: list[int] = []
    for row, (bound, update, _, _) in enumerate(members):
        places, length = bound.places, math.prod(bound.places["w"].spec.shape)
        for column, name in enumerate(("w", "dw", *update.slots)):
            rows[row, column] = places[name].offset // 4 if name != NO_SLOT else 0
        rows[row, LENGTH], rows[row, FIRST_BLOCK] = length, len(owner)
        owner += [row] * blocks_for(length, EACH * THREADS)
    own = np.array([(m.multiplier, m.decay) for m in members], np.float32)
    return {"owner": np.array(owner, np.uint32), "rows": rows, "own": own}


def _numbers(memory: Any) -> Any:
    """A uint8 array as float32."""
    return memory.view(np.dtype("float32"))


def _uploaded(table: np.ndarray, name: str) -> Any:
    copy = allocate(Spec(table.shape, table.dtype.name), f"the table {name!r} of a joint update")
    upload(table, copy)
    return copy


@cached
def joint_kernel(update: Update, threads: int) -> Any:
    move, stretch = mover(update), EACH * threads

    @jit
    def updated_together(weights, gradients, slots, owner, rows, own, rates, halted):
        block = uint32(cuda.blockIdx.x)
        row = uint32(owner[block])
        entry = row * uint32(COLUMNS)
        w, dw = rows[entry + uint32(W)], rows[entry + uint32(DW)]
        a, b = rows[entry + uint32(SLOT)], rows[entry + uint32(SLOT + 1)]
        c, length = rows[entry + uint32(SLOT + 2)], rows[entry + uint32(LENGTH)]
        i = (block - rows[entry + uint32(FIRST_BLOCK)]) * uint32(stretch)
        i += uint32(cuda.threadIdx.x)
        factor, decay = own[row * uint32(2)], own[row * uint32(2) + uint32(1)]
        rate, step = rates[0] * factor, rates[1] * factor
        if halted[0] == 0:
            for _ in range(EACH):
                if i < length:
                    move(
                        weights, gradients, slots, slots, slots,
                        w + i, dw + i, a + i, b + i, c + i,
                        rate, step, decay,
                    )  # fmt: skip
                i += uint32(threads)

    return updated_together
