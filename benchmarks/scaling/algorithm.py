"""The program of a rank in a training step of minicnn.distributed, for any number of ranks.

The batch is cut into shards, which the ranks share. A rank runs forward and backward pass of its
shards one after the other. Two kinds of parameters differ in what travels:

- The gradients of most parameters are collected in buckets. When the backward pass of the last
  shard has filled a bucket, every rank sends a slice of it to every other, and adds the slices that
  it receives. Then the sums are sent to all, in the same way.
- A large dense kernel (in x out) belongs to the ranks by rows. Its gradient is never sent: every
  rank sends its output gradients to all, and to each rank those columns of the layer's input that
  belong to its rows. The owner computes the gradient of its rows and updates them. Then all send
  their rows to all.
"""

from __future__ import annotations

from typing import NamedTuple

from scaling.timeline import Compute, Exchange, Operation, WaitForAll

BUCKET = 1 << 20  # bytes of gradients that are sent together
LARGE = 1 << 16  # elements of a dense kernel whose gradient is not sent
FLOAT = 4  # bytes


class Dense(NamedTuple):
    """A dense kernel, and the time to compute its gradient and update it at once."""

    inputs: int
    outputs: int
    update: float  # seconds for a batch of no sample
    update_sample: float  # seconds more for each sample

    def is_large(self, batch: int) -> bool:
        """Whether its inputs and output gradients travel in place of its gradient."""
        weights = self.inputs * self.outputs
        return weights >= LARGE and batch * (self.inputs + self.outputs) <= weights


class Kernel(NamedTuple):
    """A kernel call of the forward or backward pass of one shard."""

    seconds: float
    gradients: int = 0  # bytes of the gradients of parameters that it computes
    dense: int | None = None  # the dense layer, if they are the gradient of its kernel


class Network(NamedTuple):
    """The kernel calls for one shard, and what happens once in a step."""

    samples: int  # of a shard
    kernels: list[Kernel]
    dense: list[Dense]
    update: float  # seconds to update all parameters but the dense kernels
    results: int  # bytes of a shard's losses, predictions and statistics
    add: float  # seconds per byte to add gradients


def program(network: Network, ranks: int, shards: int, *, overlap: bool = True) -> list[Operation]:
    """What each of the ranks does in a step; without `overlap` messages wait for the last kernel."""
    maker = _Maker(network, ranks, shards)
    own = shards // ranks
    first = sum(maker.seconds(kernel) for kernel in network.kernels)
    gradients = sum(maker.bucketed(kernel) for kernel in network.kernels)
    shard = first + gradients * network.add
    operations: list[Operation] = [Compute(shard)] * (own - 1)
    last = maker.last_shard()
    if not overlap:  # a stable sort: all computations first
        last.sort(key=lambda operation: not isinstance(operation, Compute))
    operations += last
    return [*operations, Exchange(own * network.results), WaitForAll(), Compute(network.update)]


class _Maker:
    """Makes the part of the program that exchanges messages."""

    def __init__(self, network: Network, ranks: int, shards: int) -> None:
        self.network, self.ranks, self.own = network, ranks, shards // ranks
        self.batch = shards * network.samples

    def is_large(self, kernel: Kernel) -> bool:
        """Whether the kernel computes a gradient that no rank computes for its shards."""
        return kernel.dense is not None and self.network.dense[kernel.dense].is_large(self.batch)

    def seconds(self, kernel: Kernel) -> float:
        """The time of a kernel call; owners compute the gradients of large kernels later."""
        return 0.0 if self.is_large(kernel) else kernel.seconds

    def bucketed(self, kernel: Kernel) -> int:
        """The bytes that a kernel call adds to a bucket."""
        return 0 if self.is_large(kernel) else kernel.gradients

    def last_shard(self) -> list[Operation]:
        """The passes of the last shard with the exchanges that they begin."""
        operations: list[Operation] = []
        filled = 0
        for kernel in self.network.kernels:
            operations.append(Compute(self.seconds(kernel)))
            if self.is_large(kernel):
                operations += self._owned(self.network.dense[kernel.dense])
            filled += self.bucketed(kernel)
            if filled >= BUCKET:
                operations.append(self._bucket(filled))
                filled = 0
        return [*operations, self._bucket(filled)]

    def _bucket(self, size: int) -> Exchange:
        """Send slices to all and add those of all, then send the sum to all."""
        slice_size = size / self.ranks
        added = Compute((self.ranks - 1) * slice_size * self.network.add)
        return Exchange(slice_size, (added, Exchange(slice_size)))

    def _owned(self, dense: Dense) -> list[Operation]:
        """Send inputs to the owners and output gradients to all; then update and send the rows."""
        rows, samples = dense.inputs / self.ranks, self.own * self.network.samples
        update = (dense.update + self.batch * dense.update_sample) / self.ranks
        updated = (Compute(update), Exchange(rows * dense.outputs * FLOAT))
        return [
            Exchange(samples * rows * FLOAT),
            Exchange(samples * dense.outputs * FLOAT, updated),
        ]
