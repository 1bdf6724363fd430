"""The processes that `mpirun` has started, by MPI through mpi4py."""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn.distributed.communicator import Pending, copy_own
from minicnn.installed import missing_extra


class MPICommunicator:
    """All processes of an MPI job; see `Communicator` for the methods."""

    def __init__(self) -> None:
        self._mpi = _import_mpi()
        # A communicator of our own: no message can be mistaken for one of the user's program.
        self._world = self._mpi.COMM_WORLD.Dup()
        self.rank: int = self._world.rank
        self.size: int = self._world.size
        self.host = platform.node()

    def exchange(
        self, outgoing: Sequence[np.ndarray], incoming: Sequence[np.ndarray], tag: int
    ) -> Pending:
        """Begin to send `outgoing[r]` to each rank r and to receive `incoming[r]` from it."""
        copy_own(outgoing[self.rank], incoming[self.rank])
        # The next rank first, so that not all ranks send to rank 0 at once.
        others = [(self.rank + step) % self.size for step in range(1, self.size)]
        requests = [self._world.Irecv(_bytes(incoming[r]), r, tag) for r in others]
        requests += [self._world.Isend(_bytes(outgoing[r]), r, tag) for r in others]
        return _Requests(self._mpi, requests)

    def gather(self, value: Any) -> list[Any]:
        """Return the values of all ranks, by rank, on every rank."""
        return list(self._world.allgather(value))

    def broadcast(self, value: Any = None) -> Any:
        """Return rank 0's value on every rank."""
        return self._world.bcast(value)

    def barrier(self) -> None:
        """Wait until every rank is here."""
        self._world.Barrier()

    def abort(self) -> None:
        """End all processes of the job at once."""
        sys.stderr.flush()
        self._world.Abort(1)


class _Requests:
    """The messages of one exchange."""

    def __init__(self, mpi: Any, requests: list[Any]) -> None:
        self._mpi, self._requests = mpi, requests

    def is_done(self) -> bool:
        """Return whether all messages have arrived."""
        return bool(self._mpi.Request.Testall(self._requests))

    def wait(self) -> None:
        """Wait for all messages."""
        self._mpi.Request.Waitall(self._requests)


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
