"""How work is cut: a batch into shards, the shards to processes, arrays to the same processes.

Shards are added in a fixed binary tree: shard 0 + 1, 2 + 3, ..., then the sums of pairs, and so on.
A process that has some of the shards adds those that are siblings in the tree. What it has then are
the subtrees that cover its shards.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np


class Subtree(NamedTuple):
    """A part of the tree: `length` shards from `first` on, a power of two that divides `first`."""

    first: int
    length: int


def share(count: int, part: int, parts: int, multiple: int = 1) -> slice:
    """Return the slice of `count` things that is part number `part` of nearly equal parts.

    The slices begin at multiples of `multiple`.

    >>> [share(10, part, 3) for part in range(3)]
    [slice(0, 3, None), slice(3, 6, None), slice(6, 10, None)]
    """
    units = -(-count // multiple)
    begin, end = (min(i * units // parts * multiple, count) for i in (part, part + 1))
    return slice(begin, end)


def subtrees(first: int, stop: int) -> list[Subtree]:
    """Return the fewest subtrees that have the shards from `first` up to, not including, `stop`.

    >>> subtrees(2, 7)
    [Subtree(first=2, length=2), Subtree(first=4, length=2), Subtree(first=6, length=1)]
    """
    found = []
    while first < stop:
        length = first & -first or 1 << (stop - first).bit_length()
        while length > stop - first:
            length //= 2
        found.append(Subtree(first, length))
        first += length
    return found


def are_siblings(left: Subtree, right: Subtree) -> bool:
    """Return whether the two are the halves of one subtree.

    >>> are_siblings(Subtree(0, 2), Subtree(2, 2)), are_siblings(Subtree(2, 2), Subtree(4, 2))
    (True, False)
    """
    length = left.length
    adjacent = right == Subtree(left.first + length, length)
    return adjacent and left.first % (2 * length) == 0


def tree_sum(parts: Iterable[tuple[Subtree, np.ndarray]]) -> np.ndarray:
    """Return the sum of the arrays of all subtrees, in the order of the tree.

    The arrays come in the order of their shards and cover the whole tree. They are overwritten.

    >>> parts = [(Subtree(i, 1), np.array([float(i)])) for i in range(4)]
    >>> tree_sum(parts)
    array([6.])
    """
    sums: list[tuple[Subtree, np.ndarray]] = []
    for subtree, array in parts:
        sums.append((subtree, array))
        while len(sums) > 1 and are_siblings(sums[-2][0], sums[-1][0]):
            (left, total), (_, right) = sums[-2:]
            np.add(total, right, out=total)
            sums[-2:] = [(Subtree(left.first, 2 * left.length), total)]
    ((_, total),) = sums
    return total


class PartialSums:
    """The sums of gradients over a process's shards, by subtrees.

    The gradients of a shard are added piece by piece, so that a sum is known as soon as the
    backward pass of the last shard has computed a piece.

    Parameters
    ----------
    length : of the gradients, one array of float32
    """

    def __init__(self, length: int) -> None:
        self.length = length
        self._memory: list[np.ndarray] = []
        self.clear()

    def clear(self) -> None:
        """Begin anew, without any shard."""
        self.subtrees: list[Subtree] = []
        self.arrays: list[np.ndarray] = []

    def add(self, shard: int, gradients: np.ndarray, piece: slice) -> None:
        """Add a piece of the gradients of the next shard; `close` ends the shard."""
        merged = self._merged(shard)
        if merged == 0:
            self._place(len(self.arrays))[piece] = gradients[piece]
            return
        right = gradients
        for left in self.arrays[: -merged - 1 : -1]:
            np.add(left[piece], right[piece], out=left[piece])
            right = left

    def close(self, shard: int) -> None:
        """End a shard, of whose gradients all pieces have been added."""
        merged = self._merged(shard)
        if merged == 0:
            self.arrays.append(self._place(len(self.arrays)))
            self.subtrees.append(Subtree(shard, 1))
            return
        kept = len(self.arrays) - merged + 1
        del self.arrays[kept:]
        self.subtrees[kept - 1 :] = [Subtree(self.subtrees[kept - 1].first, 1 << merged)]

    def pieces(self, shard: int, piece: slice) -> list[np.ndarray]:
        """Return a piece of each subtree's sum, after it was added for the last shard."""
        merged = self._merged(shard)
        if merged == 0:
            return [array[piece] for array in (*self.arrays, self._place(len(self.arrays)))]
        return [array[piece] for array in self.arrays[: len(self.arrays) - merged + 1]]

    def _merged(self, shard: int) -> int:
        """Return with how many of the last subtrees a shard forms a larger one."""
        right, merged = Subtree(shard, 1), 0
        for left in reversed(self.subtrees):
            if not are_siblings(left, right):
                break
            right, merged = Subtree(left.first, 2 * left.length), merged + 1
        return merged

    def _place(self, number: int) -> np.ndarray:
        """Return the memory of the sum with this number."""
        while len(self._memory) <= number:
            self._memory.append(np.zeros(self.length, np.float32))
        return self._memory[number]
