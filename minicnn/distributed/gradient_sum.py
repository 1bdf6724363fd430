"""The sum of gradients over all shards of all processes, begun while they are still computed.

The gradients are cut into buckets, in the order in which the backward pass computes them. Each
bucket is cut into as many slices as there are processes. As soon as a process has a bucket of its
last shard, it sends every slice to the process that sums it (a reduce-scatter). That process adds
what all have sent in the order of the tree, and sends the sum to all (an all-gather).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from minicnn.distributed.communicator import Communicator, Pending
from minicnn.distributed.shards import PartialSums, Subtree, share, subtrees, tree_sum

# Floats of a bucket at least. Smaller ones cost more messages, larger ones are begun later.
BUCKET = 1 << 18
LANES = 16  # floats; slices begin at cache lines


class Bucket(NamedTuple):
    """Elements begin...end - 1 of the gradients."""

    begin: int
    end: int


def buckets(ends: Sequence[int], size: int = BUCKET) -> list[Bucket]:
    """Return the buckets of at least `size` elements for gradients with these ends.

    >>> buckets([10, 30, 35, 90], 20)
    [Bucket(begin=0, end=30), Bucket(begin=30, end=90)]
    """
    found, begin = [], 0
    for end in ends:
        if end - begin >= size or end == ends[-1]:
            found.append(Bucket(begin, end))
            begin = end
    return found


class GradientSum:
    """Sums the gradients of one step after the other.

    Parameters
    ----------
    communicator : the processes
    shards : the number of all shards
    total : (length,) float32, to which the sums are written
    ends : of the gradients in it, in the order in which they are computed
    bucket : the number of elements of a bucket at least
    """

    def __init__(
        self,
        communicator: Communicator,
        shards: int,
        total: np.ndarray,
        ends: Sequence[int],
        bucket: int = BUCKET,
    ) -> None:
        self.communicator, self.total = communicator, total
        self.buckets = buckets(ends, bucket)
        self.partial = PartialSums(len(total))
        ranges = [share(shards, r, communicator.size) for r in range(communicator.size)]
        self._subtrees = [subtrees(own.start, own.stop) for own in ranges]
        self._reductions = [self._reduction(number) for number in range(len(self.buckets))]

    def _reduction(self, number: int) -> _Reduction:
        return _Reduction(
            self.communicator, number, self.total, self.buckets[number], self._subtrees
        )

    def clear(self) -> None:
        """Begin a step."""
        self.partial.clear()

    def add(self, shard: int, gradients: np.ndarray) -> None:
        """Add the gradients of a shard of this process that is not its last one."""
        self.partial.add(shard, gradients, slice(None))
        self.partial.close(shard)

    def add_bucket(self, shard: int, gradients: np.ndarray, number: int) -> None:
        """Add a bucket of the last shard of this process, and send the sum of it."""
        bucket = slice(*self.buckets[number])
        self.partial.add(shard, gradients, bucket)
        self._reductions[number].begin(self.partial.pieces(shard, bucket))
        self.poll()

    def poll(self) -> None:
        """Continue with the buckets that have arrived."""
        for reduction in self._reductions:
            reduction.poll()

    def finish(self) -> None:
        """Wait until `total` has the sum of all shards."""
        for reduction in self._reductions:
            reduction.reduce()
        for reduction in self._reductions:
            reduction.finish()


class _Reduction:
    """The sum of one bucket."""

    def __init__(
        self,
        communicator: Communicator,
        number: int,
        total: np.ndarray,
        bucket: Bucket,
        subtrees_of_ranks: list[list[Subtree]],
    ) -> None:
        self.communicator, self.number = communicator, number
        whole = total[bucket.begin : bucket.end]
        ranks = range(communicator.size)
        self._cuts = [share(len(whole), r, communicator.size, LANES) for r in ranks]
        self._sums = [whole[cut] for cut in self._cuts]  # of each rank's slice
        own = self._cuts[communicator.rank]
        length = own.stop - own.start
        self._subtrees = subtrees_of_ranks
        self._parts = [np.empty((len(found), length), np.float32) for found in subtrees_of_ranks]
        self._outgoing: list[np.ndarray] = []
        self._arriving: Pending | None = None  # the parts of the own slice
        self._gathering: Pending | None = None  # the sums of all slices

    def begin(self, pieces: list[np.ndarray]) -> None:
        """Send the slices of the sums of this process's subtrees."""
        if self.communicator.size == 1:  # the sum is complete
            self._sums[0][...] = pieces[0]
            return
        self._outgoing = [_packed([piece[cut] for piece in pieces]) for cut in self._cuts]
        tag = 2 * self.number
        self._arriving = self.communicator.exchange(self._outgoing, self._parts, tag)

    def poll(self) -> None:
        """Sum up if all parts have arrived, and move on what is on its way."""
        if self._arriving is not None and self._arriving.is_done():
            self.reduce()
        elif self._gathering is not None:
            self._gathering.is_done()

    def reduce(self) -> None:
        """Wait for the parts of the own slice, add them, and send the sum to all."""
        if self._arriving is None:
            return
        self._arriving.wait()
        self._arriving = None
        found = zip(self._subtrees, self._parts, strict=True)
        parts = [pair for trees, arrays in found for pair in zip(trees, arrays, strict=True)]
        own = self._sums[self.communicator.rank]
        own[...] = tree_sum(parts)
        outgoing = [own] * self.communicator.size
        self._gathering = self.communicator.exchange(outgoing, self._sums, 2 * self.number + 1)

    def finish(self) -> None:
        """Wait for the sums of all slices."""
        if self._gathering is not None:
            self._gathering.wait()
            self._gathering = None


def _packed(pieces: list[np.ndarray]) -> np.ndarray:
    """Return several arrays as the rows of one; a single one without a copy."""
    return pieces[0].reshape(1, -1) if len(pieces) == 1 else np.stack(pieces)
