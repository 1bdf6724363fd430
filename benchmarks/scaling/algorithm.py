"""The program of a rank in a training step of `minicnn.distributed`.

The batch is cut into shards, which the ranks share. A rank runs forward and backward pass of its
shards one after the other. Then two kinds of parameters differ in what travels:

- The gradients of most parameters are collected in buckets. When the backward pass of the last
  shard has filled a bucket, every rank sends a slice of it to every other, and adds the slices that
  it receives. Then it sends the sum to all.
- The kernel of a large dense layer (in x out) belongs to the ranks by rows. Its gradient is never
  sent. Every rank sends its output gradients to all, and to each rank the columns of the layer's
  input that belong to its rows. Each computes the gradient of its rows, updates them, and sends
  them to all.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from scaling.timeline import Compute, Exchange, Operation, Poll, Wait

BUCKET = 1 << 20  # bytes of gradients that are sent together, at least
FLOAT = 4  # bytes
ROW_MULTIPLE = 16  # parts of the rows begin at multiples of it


class Gradient(NamedTuple):
    """The gradient of a parameter: complete after so many kernel calls, and its bytes."""

    complete: int
    size: int


class Dense(NamedTuple):
    """A large dense layer, whose x and dy are complete after so many kernel calls."""

    complete: int
    inputs: int
    outputs: int
    update: float  # seconds for the gradient of a batch and the update of all rows


class Network(NamedTuple):
    """What a step of a network takes, in seconds; see `step_times.py`."""

    samples: int  # of a shard
    kernels: list[float]
    gradients: list[Gradient]
    dense: list[Dense]
    update: float
    shard: float
    step: float
    join: float
    results: int  # bytes


def network(samples: int, measured: dict[str, Any]) -> Network:
    """What `step_times.py` has measured for shards of so many samples."""
    gradients = [Gradient(*one) for one in measured["gradients"]]
    dense = [Dense(*one) for one in measured["dense"]]
    rest = {
        name: measured[name] for name in ("kernels", "update", "shard", "step", "join", "results")
    }
    return Network(samples=samples, gradients=gradients, dense=dense, **rest)


def buckets(gradients: Iterable[Gradient]) -> list[Gradient]:
    """Join gradients to buckets.

    >>> buckets([Gradient(3, 600_000), Gradient(4, 600_000), Gradient(7, 100)])
    [Gradient(complete=4, size=1200000), Gradient(complete=7, size=100)]
    """
    found, size, complete = [], 0, 0
    for complete, more in gradients:
        size += more
        if size >= BUCKET:
            found.append(Gradient(complete, size))
            size = 0
    return [*found, Gradient(complete, size)] if size else found


def program(
    network: Network, ranks: int, shards: int, add: float, *, overlap: bool = True
) -> list[Operation]:
    """What each of the ranks does in a step.

    To add a byte to another takes `add` seconds. Without `overlap` all messages are begun after the
    last kernel.
    """
    own = shards // ranks
    gradients = sum(one.size for one in network.gradients)
    shard = sum(network.kernels) + network.shard + gradients * add
    passes = [Compute(shard)] * (own - 1) + _last_shard(network, ranks, own, add)
    if not overlap:  # the sort keeps the order of computations, and that of messages
        passes.sort(key=lambda operation: not isinstance(operation, Compute))
    join = (shards - own) * network.join
    return [*passes, *_end(network, ranks, own, join)]


def _last_shard(network: Network, ranks: int, own: int, add: float) -> list[Operation]:
    """The passes of the last shard; what is complete is sent."""
    events = [
        (one.complete, 0, _send_bucket(number, one.size, ranks, add))
        for number, one in enumerate(buckets(network.gradients))
    ]
    events += [
        (one.complete, 1, _send_samples(number, one, ranks, own, network.samples))
        for number, one in enumerate(network.dense)
    ]
    operations: list[Operation] = [Compute(network.shard)]
    done = 0
    for complete, _, sent in sorted(events, key=lambda event: event[:2]):
        operations += [Compute(sum(network.kernels[done:complete])), *sent]
        done = max(done, complete)
    return [*operations, Compute(sum(network.kernels[done:]))]


def _send_bucket(number: int, size: int, ranks: int, add: float) -> list[Operation]:
    """Send slices to all, add those of all, and send the sum to all."""
    part = size / ranks
    added = Compute(ranks * part * add)
    gather = Exchange(f"sum {number}", part)
    return [Exchange(f"bucket {number}", part, (added, gather)), Poll()]


def _send_samples(number: int, dense: Dense, ranks: int, own: int, samples: int) -> list[Operation]:
    """Send dy to all, and columns of x to the owners of the rows, which have a part per shard."""
    rows = _rows(dense, ranks * own)
    return [
        Exchange(f"dy {number}", own * samples * dense.outputs * FLOAT),
        *(Exchange(f"x {number}.{part}", own * samples * rows * FLOAT) for part in range(own)),
    ]


def _rows(dense: Dense, shards: int) -> int:
    """The rows of the largest part."""
    return ROW_MULTIPLE * math.ceil(dense.inputs / ROW_MULTIPLE / shards)


def _end(network: Network, ranks: int, own: int, join: float) -> Iterator[Operation]:
    """What follows the passes: the sums of all, the update, the rows of all."""
    yield Exchange("results", own * network.results)
    yield Wait("results")
    yield Compute(network.step + join)
    count = len(buckets(network.gradients))
    yield from (Wait(f"bucket {number}") for number in range(count))
    yield from (Wait(f"sum {number}") for number in range(count))
    layers = range(len(network.dense))
    for number in layers:
        yield Wait(f"dy {number}")
        yield from (Wait(f"x {number}.{part}") for part in range(own))
    rows = [own * _rows(dense, ranks * own) for dense in network.dense]
    shares = zip(network.dense, rows, strict=True)
    yield Compute(network.update + sum(one.update * n / one.inputs for one, n in shares))
    for number, dense in enumerate(network.dense):
        yield Exchange(f"rows {number}", rows[number] * dense.outputs * FLOAT)
    yield from (Wait(f"rows {number}") for number in layers)
