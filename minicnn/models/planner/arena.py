"""Where each value of a program lives: one arena, shared by values that are not needed together."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from minicnn.contracts import CONTRACTS
from minicnn.models.planner.trace import Call, Value

ALIGNMENT = 64  # bytes; a cache line and the widest vector


@dataclass
class Life:
    """A place in the arena, the calls it is needed for, and the values it holds in turn."""

    bytes: int
    first: int
    last: int
    values: list[Value]
    begin: int = 0


def place(calls: list[Call], kept: set[int]) -> tuple[dict[int, int], int]:
    """Offsets in bytes by the value's id, and the arena's size.

    A value occupies its place from the call that first writes it to the call that last reads it
    or a view of it; values in `kept` stay to the end. The largest is placed first, each at the
    lowest offset that is free for its whole life.
    """
    placed: list[Life] = []
    for life in sorted(_lives(calls, kept), key=lambda life: -life.bytes):
        others = [p for p in placed if p.first <= life.last and life.first <= p.last]
        life.begin = _lowest_gap(life.bytes, others)
        placed.append(life)
    offsets = {id(value): life.begin for life in placed for value in life.values}
    return offsets, max((life.begin + life.bytes for life in placed), default=0)


def _lives(calls: list[Call], kept: set[int]) -> list[Life]:
    """A Life for every value that has no home of its own, or for several that follow each other."""
    lives: dict[int, Life] = {}
    for i, call in enumerate(calls):
        for value in (*call.reads, *call.writes):
            if value is not None and not value.root.storage:
                root = value.root
                life = lives.setdefault(id(root), Life(_bytes(root), i, i, [root]))
                life.last = len(calls) if id(root) in kept else i
    for i, call in enumerate(calls):
        _write_in_place(call, i, lives)
    return list({id(life): life for life in lives.values()}.values())


def _write_in_place(call: Call, i: int, lives: dict[int, Life]) -> None:
    """Let the result take the place of what is read here for the last time, if it may."""
    contract = CONTRACTS[call.kernel]
    if not contract.in_place:
        return
    read, written = call.reads[contract.reads.index(contract.in_place)], call.writes[0]
    before, after = lives.get(_root_id(read)), lives.get(_root_id(written))
    if before is None or after is None or before.last != i or before.bytes != after.bytes:
        return
    before.last = after.last
    before.values += after.values
    lives[_root_id(written)] = before


def _root_id(value: Value | None) -> int:
    return id(None if value is None else value.root)


def _bytes(value: Value) -> int:
    size = math.prod(value.shape) * np.dtype(value.dtype).itemsize
    return max(-(-size // ALIGNMENT), 1) * ALIGNMENT


def _lowest_gap(size: int, others: list[Life]) -> int:
    begin = 0
    for other in sorted(others, key=lambda life: life.begin):
        if begin + size <= other.begin:
            break
        begin = max(begin, other.begin + other.bytes)
    return begin
