"""Weight updates that are joined: one launch updates many weights.

A training program ends with one update per weight. On a GPU these are dozens of launches, most of
them for a few hundred values; running statistics, which are assigned, add more. Here updates that
follow each other are joined. First come the gradients that dense layers still have to compute, then
one launch updates all weights that have the same rule. Its blocks look up their weight in tables:

    owner  (blocks,)     the row of the block's weight
    rows   (weights, 7)  where w, dw and up to three slots begin, their length, the first block
    own    (weights, 2)  the weight's multiplier and weight decay

A weight is found by its distance from the start of an allocation, so all weights must be in one
allocation, all their slots in one, and all their gradients in one. Updates for which this does not
hold stay separate launches, which are slower but equally correct. Both use the same device
function, so the bits are the same.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Any, NamedTuple

import numpy as np

from minicnn.backends.cuda.optimizer_rules import RULES, ZERO
from minicnn.backends.cuda.optimizers import NO_SLOT, Update, element_update, update_of
from minicnn.backends.cuda.runtime.api import cuda, device, jit, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.runtime.launch import (
    HALTED,
    MAX_ELEMENTS,
    THREADS,
    BoundStep,
    KernelPlan,
    Launch,
    blocks_for,
)
from minicnn.backends.cuda.runtime.memory import allocate, upload
from minicnn.contracts import Spec
from minicnn.program import Step

EACH = 4  # weights per thread, so that several reads overlap; estimate, not measured (2026-11)
# Columns of `rows`. The slots are the three after SLOT.
W, DW, SLOT, LENGTH, FIRST_BLOCK, COLUMNS = 0, 1, 2, 5, 6, 7


class Member(NamedTuple):
    """The update of one weight; the regions of its step include "w" and "dw"."""

    bound: BoundStep
    update: Update
    multiplier: float
    decay: float

    @property
    def slots(self) -> list[str]:
        """The names of the slots that the optimizer has."""
        return [name for name in self.update.slots if name != NO_SLOT]

    @property
    def key(self) -> tuple[Any, ...]:
        """A key that is equal for weights that one launch can update."""
        regions = self.bound.regions
        weights, gradients, *slots = (regions[name].key[0] for name in ("w", "dw", *self.slots))
        joins = len(set(slots)) < 2 and self._countable()
        rates = regions["rates"].key if "rates" in regions else None
        return (self.update, weights, gradients, *slots[:1], rates, joins or id(self.bound))

    def _countable(self) -> bool:
        """Return whether all arrays are float32 in allocations that the kernel can index."""
        regions = [self.bound.regions[name] for name in ("w", "dw", *self.slots)]
        return all(p.spec.dtype == "float32" and p.memory.size // 4 < MAX_ELEMENTS for p in regions)


def is_update(step: Step) -> bool:
    """Return whether the step is an update or a copy, which can be joined with others."""
    return step.kernel == "assign" or step.kernel.removeprefix("dense_") in RULES


def join_updates(bounds: list[BoundStep]) -> list[BoundStep]:
    """Return the same steps, with updates that follow each other joined into fewer launches."""
    joined: list[BoundStep] = []
    waiting: list[BoundStep] = []
    for bound in bounds:
        if bound.step is not None and is_update(bound.step):
            waiting.append(bound)
        else:
            joined += [*_joined_group(waiting), bound]
            waiting = []
    return joined + _joined_group(waiting)


def _joined_group(bounds: list[BoundStep]) -> list[BoundStep]:
    """Return joined updates, or `bounds` itself if one of them depends on another."""
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
            joined.append(_joined_update(group))
        else:
            joined.append(group[0].bound)
    return joined


def _independent(members: list[Member]) -> bool:
    """Return whether each array that is written is used by one step only."""
    used = Counter(
        key for m in members for key in {region.key for region in m.bound.regions.values()}
    )
    written = [m.bound.regions[name].key for m in members for name in ("w", *m.slots)]
    return all(used[key] == 1 for key in written)


@device
def copied(w, g, _a, _b, _c, _rate, _step, _decay, _given):
    return g, ZERO, ZERO, ZERO


COPY = Update(copied, (NO_SLOT, NO_SLOT, NO_SLOT))


def _member(bound: BoundStep) -> Member:
    step, regions = bound.step, bound.regions
    if step is None:
        raise ValueError("an update that was joined already cannot be joined again")
    if step.kernel == "assign":
        regions = regions | {"w": regions["target"], "dw": regions["value"]}
        return Member(bound._replace(regions=regions), COPY, 1.0, 0.0)
    return Member(bound, *update_of(step.kernel, regions.__contains__, step.attributes))


def _without_update(bound: BoundStep) -> BoundStep:
    """Return a step without its last launch, which updates the weight."""
    plan = bound.plan._replace(launches=bound.plan.launches[:-1])
    return bound._replace(step=None, plan=plan, writes=())


def _joined_update(members: list[Member]) -> BoundStep:
    """Return the one launch that updates the weights of all `members`."""
    first = members[0]
    regions, given = first.bound.regions, first.bound.arrays
    slots = first.slots[0] if first.slots else "w"  # without slots, any array: it is not used
    tables = _tables(members)
    uploaded = {name: _uploaded(table, name) for name, table in tables.items()}
    arrays = {
        "weights": _floats(regions["w"].memory),
        "gradients": _floats(regions["dw"].memory),
        "slots": _floats(regions[slots].memory),
        **uploaded,
        "rates": given.get("rates", uploaded["own"]),  # not used by a copy
        HALTED: given[HALTED],
    }
    kernel, blocks = joined_kernel(first.update, THREADS), len(tables["owner"])
    plan = KernelPlan((Launch(kernel, blocks, THREADS, tuple(arrays)),) if blocks else ())
    return BoundStep(None, plan, arrays, {}, tuple(i for m in members for i in m.bound.writes))


def _tables(members: list[Member]) -> dict[str, np.ndarray]:
    """Return the tables that the top of this file describes, in the order of the arguments."""
    rows = np.zeros((len(members), COLUMNS), np.uint32)
    owner: list[int] = []
    for row, (bound, update, _, _) in enumerate(members):
        regions, length = bound.regions, math.prod(bound.regions["w"].spec.shape)
        for column, name in enumerate(("w", "dw", *update.slots)):
            rows[row, column] = regions[name].offset // 4 if name != NO_SLOT else 0
        rows[row, LENGTH], rows[row, FIRST_BLOCK] = length, len(owner)
        owner += [row] * blocks_for(length, EACH * THREADS)
    own = np.array([(m.multiplier, m.decay) for m in members], np.float32)
    return {"owner": np.array(owner, np.uint32), "rows": rows, "own": own}


def _floats(memory: Any) -> Any:
    """Return a view of a uint8 array as float32."""
    return memory.view(np.dtype("float32"))


def _uploaded(table: np.ndarray, name: str) -> Any:
    copy = allocate(Spec(table.shape, table.dtype.name), f"the table {name!r} of joined updates")
    upload(table, copy)
    return copy


@cached
def joined_kernel(update: Update, threads: int) -> Any:
    update_element, stretch = element_update(update), EACH * threads

    @jit
    def update_all(weights, gradients, slots, owner, rows, own, rates, halted):
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
                    update_element(
                        weights, gradients, slots, slots, slots,
                        w + i, dw + i, a + i, b + i, c + i,
                        rate, step, decay, rates,
                    )  # fmt: skip
                i += uint32(threads)

    return update_all
