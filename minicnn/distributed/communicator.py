"""What the processes of a job can say to each other: arrays for the training, values for the rest.

Every rank calls the same methods in the same order. `OneProcess` is the job of one process, which
needs no MPI; `minicnn.distributed.mpi` has the one of several.
"""

from __future__ import annotations

import platform
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np


class Pending(Protocol):
    """An exchange that has begun."""

    def is_done(self) -> bool:
        """Return whether all arrays have been sent and received; this also moves them on."""

    def wait(self) -> None:
        """Wait until all arrays have been sent and received."""


class Communicator(Protocol):
    """The processes of a job, numbered 0...size - 1.

    Attributes
    ----------
    rank : the number of this process
    size : the number of processes
    host : the name of this process's machine
    """

    rank: int
    size: int
    host: str

    def exchange(
        self, outgoing: Sequence[np.ndarray], incoming: Sequence[np.ndarray], tag: int
    ) -> Pending:
        """Begin to send `outgoing[r]` to each rank r and to receive `incoming[r]` from it.

        The arrays must be contiguous and stay untouched until the exchange is done. What goes to
        the own rank is copied at once. Exchanges of the same tag, below 2**15, must be begun in the
        same order on all ranks.
        """

    def gather(self, value: Any) -> list[Any]:
        """Return the values of all ranks, by rank, on every rank."""

    def broadcast(self, value: Any = None) -> Any:
        """Return rank 0's value on every rank."""

    def barrier(self) -> None:
        """Wait until every rank is here."""

    def abort(self, code: int = 1) -> None:
        """End all processes of the job at once, with this exit code."""


class Done:
    """An exchange of a process with itself."""

    def is_done(self) -> bool:
        """Return True."""
        return True

    def wait(self) -> None:
        """Return at once."""


class OneProcess:
    """A job of one process.

    >>> alone = OneProcess()
    >>> alone.rank, alone.size, alone.gather("value")
    (0, 1, ['value'])
    """

    rank, size = 0, 1
    host = platform.node()

    def exchange(
        self, outgoing: Sequence[np.ndarray], incoming: Sequence[np.ndarray], tag: int
    ) -> Pending:
        """Copy what goes to the own rank."""
        copy_own(outgoing[0], incoming[0])
        return Done()

    def gather(self, value: Any) -> list[Any]:
        """Return the value in a list."""
        return [value]

    def broadcast(self, value: Any = None) -> Any:
        """Return the value."""
        return value

    def barrier(self) -> None:
        """Return at once."""

    def abort(self, code: int = 1) -> None:
        """Do nothing: there is no other process to end."""


def copy_own(outgoing: np.ndarray, incoming: np.ndarray) -> None:
    """Copy an array to its place, unless it is there already."""
    if outgoing.ctypes.data != incoming.ctypes.data:
        np.copyto(incoming, outgoing)
