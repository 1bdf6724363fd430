"""All weights moved by one launch.

A training program ends with an update for each weight: on a GPU dozens of launches, most of them
for a few hundred numbers. Here such steps are joined. The gradients that dense layers still have to
compute come first, then one launch moves all weights that have the same rule. Its blocks look up
which weight is theirs:

    owner  (blocks,)   the row of a block's weight
    rows   (weights, 7)   where w, dw and up to three slots begin, how long they are, first block
    own    (weights, 2)   the weight's multiplier and weight decay

Weights are found by their distance from the start of one allocation, so all must lie in one, their
slots in one, their gradients in one; otherwise steps stay what they are: slower, and as right.
The numbers are moved by the same device function, so the bits are the same.
"""

from __future__ import annotations

import math
from collections import Counter
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from minicnn.backends.cuda.api import cuda, jit, uint32
from minicnn.backends.cuda.memory import Place, allocate, upload
from minicnn.backends.cuda.optimizers import KINDS, NO_SLOT, Update, mover, update_of
from minicnn.backends.cuda.work import HALTED, LARGEST, THREADS, Launch, Work, blocks_for
from minicnn.contracts import Spec
from minicnn.program import Step

EACH = 4  # weights of a thread: enough reads on their way; estimate, not measured (2026-11)
STRETCH = EACH * THREADS  # weights of a block
W, DW, SLOT, LENGTH, FIRST_BLOCK, COLUMNS = 0, 1, 2, 5, 6, 7  # columns of `rows`


class Bound(NamedTuple):
    """A step's launches, and by name the arrays that they get and where these lie."""

    step: Step | None  # None: several steps
    work: Work
    arrays: dict[str, Any]
    places: dict[str, Place]
    writes: tuple[int, ...]  # the program's buffers


class Member(NamedTuple):
    """One weight's part in a joint update."""

    bound: Bound
    update: Update
    multiplier: float
    decay: float

    @property
    def key(self) -> tuple[Any, ...]:
        """What is equal for weights that one launch can move."""
        places = self.bound.places
        memories = [places[name].where[0] for name in ("w", "dw", *self.slots)]
        one_memory = len(set(memories[2:])) < 2
        return (
            self.update,
            *memories[:3],
            places["rates"].where,
            None if one_memory else id(self.bound),  # nobody else has this one
        )

    @property
    def slots(self) -> list[str]:
        """Names of those that are kept."""
        return [name for name in self.update.slots if name != NO_SLOT]


def is_update(step: Step) -> bool:
    """Does an optimizer's kernel end this step?"""
    return step.kernel.removeprefix("dense_") in KINDS


def join_updates(bounds: list[Bound]) -> list[Bound]:
    """The same work in fewer launches: updates that follow each other are made together."""
    joined: list[Bound] = []
    waiting: list[Bound] = []
    for bound in bounds:
        if bound.step is not None and is_update(bound.step):
            waiting.append(bound)
        else:
            joined += [*_together(waiting), bound]
            waiting = []
    return joined + _together(waiting)


def _together(bounds: list[Bound]) -> list[Bound]:
    """Joint updates, where the steps do not depend on each other."""
    if len(bounds) < 2 or not _independent(bounds):
        return bounds
    groups: dict[tuple[Any, ...], list[Member]] = {}
    for member in map(_member, bounds):
        groups.setdefault(member.key, []).append(member)
    joined = []
    for members in groups.values():
        if len(members) > 1 and _countable(members):
            joined += [_without_update(member.bound) for member in members]
            joined.append(_joint(members))
        else:
            joined += [member.bound for member in members]
    return joined


def _independent(bounds: list[Bound]) -> bool:
    """Does each step alone touch what it writes?"""
    touched = Counter(where for bound in bounds for where in _touched(bound))
    written = [bound.places[name].where for bound in bounds for name in ("w", *_slots_of(bound))]
    return all(touched[where] == 1 for where in written)


def _touched(bound: Bound) -> set[tuple[int, int]]:
    return {place.where for place in bound.places.values()}


def _slots_of(bound: Bound) -> list[str]:
    return _member(bound).slots


def _member(bound: Bound) -> Member:
    step = bound.step
    if step is None:
        raise ValueError("a joint update has no step of its own")
    return Member(bound, *update_of(step.kernel, bound.places.__contains__, step.attributes))


def _countable(members: list[Member]) -> bool:
    """Can the kernel count all numbers of each allocation?"""
    memories = [members[0].bound.places[name].memory for name in ("w", "dw", *members[0].slots)]
    return all(memory.size // 4 < LARGEST for memory in memories)


def _without_update(bound: Bound) -> Bound:
    """What a step does before its last launch, which moves the weight."""
    work = bound.work._replace(launches=bound.work.launches[:-1])
    return bound._replace(step=None, work=work, writes=())


def _joint(members: list[Member]) -> Bound:
    """The launch that moves the weights of all `members`."""
    first = members[0]
    places = first.bound.places
    slots = first.slots[0] if first.slots else "w"  # without slots, something that is not touched
    tables = _tables(members)
    arrays = {
        "weights": _numbers(places["w"].memory),
        "gradients": _numbers(places["dw"].memory),
        "slots": _numbers(places[slots].memory),
        **{name: _uploaded(table, name) for name, table in tables.items()},
        "rates": first.bound.arrays["rates"],
        HALTED: first.bound.arrays[HALTED],
    }
    kernel, blocks = joint_kernel(first.update), len(tables["owner"])
    work = Work((Launch(kernel, blocks, THREADS, tuple(arrays)),) if blocks else ())
    return Bound(None, work, arrays, {}, tuple(i for m in members for i in m.bound.writes))


def _tables(members: list[Member]) -> dict[str, np.ndarray]:
    """The tables at the head of this file, in the order of the kernel's arguments."""
    rows = np.zeros((len(members), COLUMNS), np.uint32)
    owner: list[int] = []
    for row, member in enumerate(members):
        places, length = member.bound.places, math.prod(_shape(member))
        rows[row, W], rows[row, DW] = (places[name].offset // 4 for name in ("w", "dw"))
        for column, name in enumerate(member.update.slots, SLOT):
            rows[row, column] = places[name].offset // 4 if name else 0
        rows[row, LENGTH], rows[row, FIRST_BLOCK] = length, len(owner)
        owner += [row] * blocks_for(length, STRETCH)
    own = np.array([(m.multiplier, m.decay) for m in members], np.float32)
    return {"owner": np.array(owner, np.uint32), "rows": rows, "own": own}


def _shape(member: Member) -> tuple[int, ...]:
    return member.bound.places["w"].spec.shape


def _numbers(memory: Any) -> Any:
    """A uint8 array as float32."""
    return memory.view(np.dtype("float32"))


def _uploaded(table: np.ndarray, name: str) -> Any:
    copy = allocate(Spec(table.shape, table.dtype.name), f"the table {name!r} of a joint update")
    upload(table, copy)
    return copy


@cache
def joint_kernel(update: Update) -> Any:
    move = mover(update)

    @jit
    def updated_together(weights, gradients, slots, owner, rows, own, rates, halted):
        block = uint32(cuda.blockIdx.x)
        row = uint32(owner[block])
        entry = row * uint32(COLUMNS)
        w, dw = rows[entry + uint32(W)], rows[entry + uint32(DW)]
        a, b, c = (
            rows[entry + uint32(SLOT)],
            rows[entry + uint32(SLOT + 1)],
            rows[entry + uint32(SLOT + 2)],
        )
        length = rows[entry + uint32(LENGTH)]
        i = (block - rows[entry + uint32(FIRST_BLOCK)]) * uint32(STRETCH)
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
                i += uint32(THREADS)

    return updated_together
