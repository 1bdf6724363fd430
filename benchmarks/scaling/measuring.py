"""Measure all that the model of scaling needs, and the trainings that it is compared with."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from peers.networks import NETWORKS, Network, weights_of

from scaling.mpirun import measure
from scaling.namespaces import Link, slow_network

LINK = Link(delay=1e-3, rate=1e9)
SHARDS = 8
SECONDS = 4.0  # of a training, about
STEPS = (12, 200)  # the fewest and the most
GROUP = 4  # steps
RANKS = (1, 2, 4)  # in shared memory and on the loopback device
NAMESPACES = 4
LARGE_DENSE = 1 << 16  # weights of a dense layer whose gradient may stay where it is


class Shard(NamedTuple):
    """A shard's samples, and those of the whole batch."""

    samples: int
    batch: int

    def __str__(self) -> str:
        return f"{self.samples} of {self.batch}"


SUMMED = 1 << 20  # a batch so large that all gradients are summed, that of dense layers too


def processors() -> int:
    """The processors that the ranks share."""
    return len(os.sched_getaffinity(0))


def messages(*, with_namespaces: bool) -> dict[str, Any]:
    """Time the messages in shared memory, over loopback, and between namespaces."""
    found: dict[str, Any] = {}
    for network in ("memory", "loopback"):
        found[network] = measure("ping_pong.py", 2, network)
    if with_namespaces:
        with slow_network(NAMESPACES, LINK) as delayed_by:
            found["namespaces"] = measure("ping_pong.py", 2, "namespaces")
            found["namespaces"] |= measure("ping_pong.py", NAMESPACES, "namespaces")
        found["namespaces"] |= {"link": LINK._asdict(), "delayed_by": delayed_by}
    return found


def shards(network: Network) -> Iterator[Shard]:
    """The shards of strong scaling, down to one sample, and of weak scaling."""
    samples = network.batch
    while samples >= 1:
        yield Shard(samples, network.batch)
        samples //= 2
    batch = 2 * network.batch
    while has_large_dense(network, batch):
        yield Shard(network.batch, batch)
        batch *= 2
    yield Shard(network.batch, SUMMED)


def has_large_dense(network: Network, batch: int) -> bool:
    """Whether some dense layer's gradient is larger than its x and dy; see `minicnn.models`."""
    shapes = [weight.shape for weight in weights_of(network) if len(weight.shape) == 2]
    large = [(i, o) for i, o in shapes if i * o >= LARGE_DENSE]
    return any(batch * (i + o) <= i * o for i, o in large)


def steps(name: str) -> dict[str, Any]:
    """Time the parts of a step for all shards, with as many ranks as processors."""
    return {
        str(shard): measure("step_times.py", processors(), "memory", name, *shard)
        for shard in shards(NETWORKS[name])
    }


def trainings(name: str, seconds: float) -> list[dict[str, Any]]:
    """Train on several ranks in shared memory and on loopback; a step takes about `seconds`."""
    places = [(ranks, network) for network in ("memory", "loopback") for ranks in RANKS]
    return [training(name, ranks, network, seconds) for ranks, network in places]


def training(name: str, ranks: int, network: str, seconds: float) -> dict[str, Any]:
    """The times of the steps of a training."""
    batch = NETWORKS[name].batch
    count = int(np.clip(SECONDS / seconds, *STEPS))
    times = measure("training.py", ranks, network, name, SHARDS, batch, count)
    return {
        "network": name,
        "place": network,
        "ranks": ranks,
        "seconds": typical(times),
        "times": [round(seconds, 6) for seconds in times],
    }


def typical(times: list[float]) -> float:
    """The lower quartile of the means of a few steps that follow each other.

    Ranks that share a processor compute in turn, so that a long step follows a short one. Other
    programs only add time.

    >>> typical([1.0, 3.0, 1.0, 3.0, 1.0, 3.0, 1.0, 3.0, 9.0])
    2.0
    """
    groups = len(times) // GROUP
    means = np.reshape(times[: groups * GROUP], (groups, GROUP)).mean(1)
    return float(np.percentile(means, 25))


def trainings_in_namespaces(names: dict[str, float]) -> list[dict[str, Any]]:
    """Train in namespaces; `names` are the networks with the approximate time of a step."""
    with slow_network(NAMESPACES, LINK):
        return [training(name, NAMESPACES, "namespaces", names[name]) for name in names]
