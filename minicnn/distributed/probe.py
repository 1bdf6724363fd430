"""What a job of several processes is like: its machines, their versions, the speed of messages."""

from __future__ import annotations

import os
import time
from typing import Any, NamedTuple

import numpy as np

from minicnn.backends import current_backend, instruction_set
from minicnn.distributed.communicator import Communicator
from minicnn.version import __version__

SMALL_BYTES, SMALL_TIMES = 8, 200
LARGE_BYTES, LARGE_TIMES = 8 << 20, 10


class Member(NamedTuple):
    """What a process says of itself; the later fields must be equal on all."""

    rank: int
    host: str
    processors: int
    minicnn: str
    numpy: str
    engine: str
    instruction_set: str


class Speed(NamedTuple):
    """Of messages between two processes, both ways at the same time."""

    first: int
    second: int
    latency_us: float  # time of an exchange of a few bytes
    gigabytes_per_second: float  # in each direction


def members(communicator: Communicator) -> list[Member]:
    """Return what all processes say of themselves, by rank."""
    processors = os.cpu_count() or 1
    engine = current_backend()
    mine = (processors, __version__, np.__version__, engine, instruction_set())
    return communicator.gather(Member(communicator.rank, communicator.host, *mine))


def differences(found: list[Member]) -> list[str]:
    """Return the names of what differs between processes and must not.

    >>> one = Member(0, "node1", 8, "0.1.0", "2.1.0", "native", "avx512")
    >>> differences([one, one._replace(rank=1, host="node2", instruction_set="avx2")])
    ['instruction set']
    """
    names = ("minicnn", "numpy", "engine", "instruction_set")
    return [n.replace("_", " ") for n in names if len({getattr(one, n) for one in found}) > 1]


def speed(communicator: Communicator, first: int, second: int) -> Speed:
    """Measure messages between two processes; all processes must call it."""
    small = _seconds(communicator, (first, second), SMALL_BYTES, SMALL_TIMES)
    large = _seconds(communicator, (first, second), LARGE_BYTES, LARGE_TIMES)
    return Speed(first, second, 1e6 * small, LARGE_BYTES / large / 1e9)


def _seconds(communicator: Communicator, pair: tuple[int, int], size: int, times: int) -> float:
    """Return the shortest time of an exchange of `size` bytes between two processes."""
    taken = []
    for _ in range(times):
        outgoing, incoming = (_messages(communicator, pair, size) for _ in range(2))
        communicator.barrier()
        start = time.perf_counter()
        communicator.exchange(outgoing, incoming, 0).wait()
        taken.append(time.perf_counter() - start)
    return communicator.gather(min(taken))[pair[0]]


def _messages(communicator: Communicator, pair: tuple[int, int], size: int) -> list[Any]:
    """Return an array for each rank: of `size` bytes for the other one of the pair."""
    others = {pair[0]: pair[1], pair[1]: pair[0]}
    other = others.get(communicator.rank)
    return [np.zeros(size if r == other else 0, np.uint8) for r in range(communicator.size)]
