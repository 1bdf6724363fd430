"""How the processes of a job learn that one of them has ended, with its work done or by an error.

A process that ends tells all others. One that waits for a message looks now and then whether the
process that must send it has ended: otherwise both would wait for ever, one for the message and one
for the end of the job.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from minicnn.errors import DistributedError

SECONDS_BETWEEN_LOOKS = 0.02


class Ending(NamedTuple):
    """How a process has ended."""

    rank: int
    host: str
    begun: int  # operations of the communicator that it has begun, the same number on all ranks
    error: str = ""  # the reason; "" if it has ended without an error

    @property
    def name(self) -> str:
        """The process as a message names it.

        >>> Ending(2, "node7", 0).name
        'rank 2 on node7'
        """
        return f"rank {self.rank} on {self.host}"


class Endings:
    """The messages of the processes about their ends.

    Parameters
    ----------
    mpi : the module mpi4py.MPI
    world : a communicator of mpi4py that is used for nothing else
    """

    def __init__(self, mpi: Any, world: Any) -> None:
        self._mpi, self._world = mpi, world
        self._known: dict[int, Ending] = {}
        self._sent: list[Any] = []  # MPI reads the messages until the requests are complete

    def tell(self, ending: Ending) -> None:
        """Tell all others how this process has ended; once."""
        self._known[ending.rank] = ending
        others = (rank for rank in range(self._world.size) if rank != ending.rank)
        self._sent = [self._world.isend(ending, rank) for rank in others]

    def known(self) -> Mapping[int, Ending]:
        """Return the endings that are known by now, by rank."""
        while self._world.iprobe():
            ending = self._world.recv()
            self._known[ending.rank] = ending
        return self._known

    def wait(self, seconds: float | None = None) -> Mapping[int, Ending]:
        """Wait until all processes have ended, at most for some seconds; leave the core to others.

        Returns
        -------
        The endings that are known then, by rank
        """
        end = None if seconds is None else time.monotonic() + seconds
        while len(self.known()) < self._world.size and (end is None or time.monotonic() < end):
            time.sleep(SECONDS_BETWEEN_LOOKS)
        return self._known

    def check(self, number: int) -> None:
        """Raise DistributedError if a process has ended that must take part in an operation.

        A process that has failed is not reported: it ends the job itself.

        Parameters
        ----------
        number : how many operations this process has begun when it begins this one
        """
        for one in self.known().values():
            if one.begun < number and not one.error:
                raise DistributedError(
                    f"{one.name} has ended in the middle of the work, without an error. All "
                    "processes must call the same functions of minicnn; look for sys.exit, or for "
                    "calls that only some of them make"
                )


def text_for(rank: int, endings: Mapping[int, Ending], size: int) -> str:
    """Return what a process that has failed prints; "" if another one prints the same.

    >>> both = {r: Ending(r, "node7", 0, "no such folder") for r in (0, 1)}
    >>> text_for(0, both, 2), text_for(1, both, 2)
    ('no such folder', '')
    >>> text_for(1, {1: both[1]}, 2)
    'rank 1 on node7: no such folder'
    """
    mine = endings[rank]
    alike = [one.rank for one in endings.values() if one.error == mine.error]
    if rank != min(alike):
        return ""
    return mine.error if len(alike) == size else f"{mine.name}: {mine.error}"
