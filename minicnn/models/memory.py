"""Where each value of a program lives: one arena, shared by values that are not needed together."""

from __future__ import annotations

import math

import numpy as np

from minicnn.models.trace import Call, Value

ALIGNMENT = 64  # bytes; a cache line and the widest vector


def place(calls: list[Call], kept: set[int]) -> tuple[dict[int, int], int]:
    """Offsets in bytes by the value's id, and the arena's size.

    A value occupies its place from the call that first writes it to the call that last reads it
    or a view of it; values in `kept` stay to the end. The largest is placed first, each at the
    lowest offset that is free for its whole life.
    """
    lives = _lives(calls, kept)
    placed: list[tuple[int, int, int, int]] = []  # first call, last call, begin, end
    offsets: dict[int, int] = {}
    for value, first, last in sorted(lives, key=lambda life: -_bytes(life[0])):
        size = _bytes(value)
        begin = _lowest_gap(size, [p for p in placed if p[0] <= last and first <= p[1]])
        placed.append((first, last, begin, begin + size))
        offsets[id(value)] = begin
    return offsets, max((end for *_, end in placed), default=0)


def _lives(calls: list[Call], kept: set[int]) -> list[tuple[Value, int, int]]:
    """(value, first call, last call) of every value that has no home of its own."""
    spans: dict[int, tuple[Value, int, int]] = {}
    for i, call in enumerate(calls):
        for value in (*call.reads, *call.writes):
            if value is not None and not value.root.home:
                root = value.root
                _, first, _ = spans.get(id(root), (root, i, i))
                last = len(calls) if id(root) in kept else i
                spans[id(root)] = (root, first, last)
    return list(spans.values())


def _bytes(value: Value) -> int:
    size = math.prod(value.shape) * np.dtype(value.dtype).itemsize
    return max(-(-size // ALIGNMENT), 1) * ALIGNMENT


def _lowest_gap(size: int, others: list[tuple[int, int, int, int]]) -> int:
    begin = 0
    for *_, other_begin, other_end in sorted(others, key=lambda p: p[2]):
        if begin + size <= other_begin:
            break
        begin = max(begin, other_end)
    return begin
