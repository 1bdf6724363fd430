"""Memory planning: values that are not needed at the same time share bytes of one arena."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from minicnn.contracts import CONTRACTS
from minicnn.models.planner.trace import Call, Value

ALIGNMENT = 64  # bytes; a cache line and the widest vector


@dataclass
class LiveRange:
    """The calls between which a value is needed, and its bytes in the arena.

    A value that is written in place of another one shares its live range.
    """

    bytes: int
    first: int
    last: int
    values: list[Value]
    offset: int = 0


def assign_offsets(calls: list[Call], live_out: set[int]) -> tuple[dict[int, int], int]:
    """Return the offset of each value in bytes, by its id, and the size of the arena.

    A value is live from the call that first writes it to the call that last reads it or a view of
    it; values in `live_out` are live to the end. The largest value is placed first, each at the
    lowest offset that is free during its whole live range.
    """
    placed: list[LiveRange] = []
    for live in sorted(_live_ranges(calls, live_out), key=lambda live: -live.bytes):
        overlapping = [p for p in placed if p.first <= live.last and live.first <= p.last]
        live.offset = _lowest_gap(live.bytes, overlapping)
        placed.append(live)
    offsets = {id(value): live.offset for live in placed for value in live.values}
    return offsets, max((live.offset + live.bytes for live in placed), default=0)


def _live_ranges(calls: list[Call], live_out: set[int]) -> list[LiveRange]:
    """Return the live ranges of all values that the arena holds."""
    ranges: dict[int, LiveRange] = {}
    for i, call in enumerate(calls):
        for value in (*call.reads, *call.writes):
            if value is not None and not value.root.storage:
                root = value.root
                live = ranges.setdefault(id(root), LiveRange(_bytes(root), i, i, [root]))
                live.last = len(calls) if id(root) in live_out else i
    for i, call in enumerate(calls):
        _write_in_place(call, i, ranges)
    return list({id(live): live for live in ranges.values()}.values())


def _write_in_place(call: Call, i: int, ranges: dict[int, LiveRange]) -> None:
    """Join the live ranges of a result and of an array that is read last here, if allowed."""
    contract = CONTRACTS[call.kernel]
    if not contract.in_place:
        return
    read, written = call.reads[contract.reads.index(contract.in_place)], call.writes[0]
    before, after = ranges.get(_root_id(read)), ranges.get(_root_id(written))
    if before is None or after is None or before.last != i or before.bytes != after.bytes:
        return
    before.last = after.last
    before.values += after.values
    ranges[_root_id(written)] = before


def _root_id(value: Value | None) -> int:
    return id(None if value is None else value.root)


def _bytes(value: Value) -> int:
    size = math.prod(value.shape) * np.dtype(value.dtype).itemsize
    return max(-(-size // ALIGNMENT), 1) * ALIGNMENT


def _lowest_gap(size: int, placed: list[LiveRange]) -> int:
    """Return the lowest offset at which `size` bytes fit between the placed ranges."""
    offset = 0
    for other in sorted(placed, key=lambda live: live.offset):
        if offset + size <= other.offset:
            break
        offset = max(offset, other.offset + other.bytes)
    return offset
