"""Time messages between ranks; `loggops.py` fits its parameters to these times.

    mpirun -n 2 python benchmarks/scaling/ping_pong.py FILE

Rank 0 writes FILE, a JSON document. With more than two ranks it holds the exchanges alone:

    half_round_trip  [bytes, seconds] of messages to the other rank and back, divided by two
    stream           seconds per message of one byte, many in a row from one rank to the other
    send             seconds of the processor to begin to send one, or to receive one
    ranks            how many took part in the exchanges
    exchange         [bytes, seconds] of exchanges: every rank sends that many bytes to every other
    work             [bytes, seconds] that an exchange takes from a rank that computes meanwhile
    add              seconds per byte to add an array to another
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI

from minicnn.distributed.communicator import Pending
from minicnn.distributed.mpi import MPICommunicator
from scaling.mpirun import pin

SIZES = (1, 256, 4096, 16384, 49152, 131072, 262144, 524288, 1048576, 4194304, 16777216)  # bytes
ROUNDS, MANY, SEVERAL = 9, 1000, 5
ADDED = 1 << 18  # floats

WORLD = MPI.COMM_WORLD
GROUP = MPICommunicator()
OTHER = 1 - WORLD.rank  # of two


def median(work: Callable[[], Any]) -> list[float]:
    """The median time of several rounds, which all ranks begin together, of each rank."""
    seconds = []
    for _ in range(ROUNDS):
        WORLD.Barrier()
        seconds.append(seconds_of(work))
    return WORLD.allgather(float(np.median(seconds)))


def seconds_of(work: Callable[[], Any]) -> float:
    """The time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def half_round_trip(size: int) -> float:
    """Time a message to the other rank and back."""
    message = np.zeros(size, np.uint8)
    calls = [WORLD.Send, WORLD.Recv] if WORLD.rank == 0 else [WORLD.Recv, WORLD.Send]

    def there_and_back() -> None:
        for call in calls:
            call(message, OTHER)

    there_and_back()
    return median(there_and_back)[0] / 2


def stream() -> float:
    """Send many messages of one byte, and return the time of each."""
    messages = np.zeros((MANY, 1), np.uint8)

    def many() -> None:
        call = WORLD.Isend if WORLD.rank == 0 else WORLD.Irecv
        MPI.Request.Waitall([call(one, OTHER) for one in messages])

    return median(many)[1] / MANY


def send() -> float:
    """The time of the processor to begin to send, or to receive, a message of one byte."""
    begin, spent = begin_exchange(1), []
    for _ in range(MANY // 10):
        WORLD.Barrier()
        start = time.perf_counter()
        pending = begin()
        spent.append((time.perf_counter() - start) / 2)
        pending.wait()
    return float(np.mean(WORLD.allgather(np.median(spent))))


def begin_exchange(size: int) -> Callable[[], Pending]:
    """A function that begins to send an array to every other rank and to receive as many."""
    outgoing, incoming = np.zeros((2, WORLD.size, size), np.uint8)
    return lambda: GROUP.exchange(list(outgoing), list(incoming), tag=1)


def exchange(size: int) -> float:
    """Time an exchange, one of several that follow each other."""
    begin = begin_exchange(size)

    def several() -> None:
        for _ in range(SEVERAL):
            begin().wait()

    several()
    return max(median(several)) / SEVERAL


def work(size: int) -> float:
    """The time that an exchange takes from a rank that computes meanwhile.

    The rank computes pieces of known duration, and tests after each whether all has arrived. What
    is left of the time until then was spent on the exchange.
    """
    begin, piece = begin_exchange(size), Piece()
    spent = []
    for _ in range(ROUNDS):
        WORLD.Barrier()
        start, pieces = time.perf_counter(), 0
        pending = begin()
        while not pending.is_done():
            piece.compute()
            pieces += 1
        spent.append(time.perf_counter() - start - pieces * piece.seconds)
    return float(np.mean(WORLD.allgather(np.median(spent))))


class Piece:
    """A computation of some 20 microseconds within the first cache."""

    def __init__(self) -> None:
        self.values = np.ones(4096, np.float32)
        self.seconds = min(seconds_of(self.compute) for _ in range(1000))

    def compute(self) -> None:
        """Compute once."""
        for _ in range(16):
            np.multiply(self.values, 1.0, out=self.values)


def add() -> float:
    """The time per byte to add an array to another."""
    one, other = np.ones(ADDED, np.float32), np.ones(ADDED, np.float32)
    return max(median(lambda: np.add(one, other, out=one))) / one.nbytes


def pair() -> dict[str, Any]:
    """What two ranks measure in addition to exchanges."""
    return {
        "half_round_trip": [[size, half_round_trip(size)] for size in SIZES],
        "stream": stream(),
        "send": send(),
        "work": [[size, work(size)] for size in SIZES],
        "add": add(),
    }


def main() -> None:
    """Measure, and let rank 0 write it."""
    pin(WORLD.rank)
    found: dict[str, Any] = {
        "ranks": WORLD.size,
        "exchange": [[size, exchange(size)] for size in SIZES],
    }
    if WORLD.size == 2:
        found |= pair()
    if WORLD.rank == 0:
        Path(sys.argv[1]).write_text(json.dumps(found))


if __name__ == "__main__":
    main()
