"""The processes that `mpirun` has started, by MPI through mpi4py."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minicnn.distributed.communicator import Pending, copy_own
from minicnn.distributed.endings import Endings
from minicnn.installed import missing_extra

# A process that waits longer looks whether the others still run, and sleeps between two looks.
LONG_WAIT_SECONDS = 0.05
SLEEP_SECONDS = 0.0002
# Lets another process have the core, if one waits for it: it may be the one that must send.
_yield: Callable[[], None] = getattr(os, "sched_yield", lambda: None)


class MPICommunicator:
    """All processes of an MPI job; see `Communicator` for the methods.

    `local_size` is the number of those that run on this machine.
    """

    def __init__(self) -> None:
        self._mpi = _import_mpi()
        # A communicator of our own: no message can be mistaken for one of the user's program.
        self._world = self._mpi.COMM_WORLD.Dup()
        self.endings = Endings(self._mpi, self._mpi.COMM_WORLD.Dup())
        self.begun = 0  # operations, as `Ending` counts them
        self.rank: int = self._world.rank
        self.size: int = self._world.size
        self.host = platform.node()
        here = self._world.Split_type(self._mpi.COMM_TYPE_SHARED)
        self.local_size: int = here.size
        here.Free()

    def exchange(
        self, outgoing: Sequence[np.ndarray], incoming: Sequence[np.ndarray], tag: int
    ) -> Pending:
        """Begin to send `outgoing[r]` to each rank r and to receive `incoming[r]` from it."""
        copy_own(outgoing[self.rank], incoming[self.rank])
        # The next rank first, so that not all ranks send to rank 0 at once.
        others = [(self.rank + step) % self.size for step in range(1, self.size)]
        # Sending begins first: before a long message the sender asks whether the receiver expects
        # it. The answer to such a question starts the other's message, behind which ours would
        # have to wait, so that over TCP only one of two ranks would send at a time.
        requests = [self._world.Isend(_bytes(outgoing[r]), r, tag) for r in others]
        requests += [self._world.Irecv(_bytes(incoming[r]), r, tag) for r in others]
        return self._begin(requests)

    def gather(self, value: Any) -> list[Any]:
        """Return the values of all ranks, by rank, on every rank."""
        mine = np.frombuffer(self._mpi.pickle.dumps(value), np.uint8)
        sizes = np.empty(self.size, np.int64)
        self._begin([self._world.Iallgather(np.array([mine.size]), sizes)]).wait()
        whole = np.empty(sizes.sum(), np.uint8)
        self._begin([self._world.Iallgatherv(mine, [whole, sizes])]).wait()
        return [self._mpi.pickle.loads(one) for one in np.split(whole, np.cumsum(sizes)[:-1])]

    def broadcast(self, value: Any = None) -> Any:
        """Return rank 0's value on every rank."""
        is_root = self.rank == 0
        data = np.array(bytearray(self._mpi.pickle.dumps(value) if is_root else b""))
        size = np.array([data.size])
        self._begin([self._world.Ibcast(size)]).wait()
        data = data if is_root else np.empty(size[0], np.uint8)
        self._begin([self._world.Ibcast(data)]).wait()
        return value if is_root else self._mpi.pickle.loads(data)

    def barrier(self) -> None:
        """Wait until every rank is here."""
        self._begin([self._world.Ibarrier()]).wait()

    def abort(self, code: int = 1) -> None:
        """End all processes of the job at once, with this exit code."""
        sys.stderr.flush()
        self._world.Abort(code)

    def _begin(self, requests: list[Any]) -> _Requests:
        """Return the messages of an operation that has just begun, and count it."""
        self.begun += 1
        return _Requests(self._mpi, requests, self.endings, self.begun)


class _Requests:
    """The messages of one operation, the `number`-th of this process."""

    def __init__(self, mpi: Any, requests: list[Any], endings: Endings, number: int) -> None:
        self._mpi, self._requests = mpi, requests
        self._endings, self._number = endings, number

    def is_done(self) -> bool:
        """Return whether all messages have arrived."""
        return bool(self._mpi.Request.Testall(self._requests))

    def wait(self) -> None:
        """Wait for all messages; raise DistributedError if a process that sends one has ended."""
        patient = time.monotonic() + LONG_WAIT_SECONDS
        while not self.is_done():
            if time.monotonic() > patient:
                self._endings.check(self._number)
                time.sleep(SLEEP_SECONDS)
            else:
                _yield()


def _bytes(array: np.ndarray) -> np.ndarray:
    """Return the array's memory as bytes, which MPI sends as they are."""
    return array.reshape(-1).view(np.uint8)


def _import_mpi() -> Any:
    """Import and start MPI; the error for missing packages says how to install them."""
    try:
        import mpi4py

        mpi4py.rc.thread_level = "serialized"  # no two threads call it at the same time
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:  # a RuntimeError: mpi4py finds no MPI library
        raise missing_extra("several processes need MPI", "mpi") from error
    return MPI
