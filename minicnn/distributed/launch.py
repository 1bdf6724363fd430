"""How this process was started: alone, or as one of several by `mpirun` or a cluster's launcher."""

from __future__ import annotations

import os
from typing import NamedTuple

# The environment variables of a process's number and of the number of processes.
VARIABLES = (
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),  # Open MPI
    ("PMI_RANK", "PMI_SIZE"),  # MPICH, Intel MPI
)


class Place(NamedTuple):
    """The number of a process, from 0, and how many there are."""

    rank: int = 0
    size: int = 1


def place() -> Place:
    """Return the place of this process among those that were started together.

    It is read from the environment, without MPI.
    """
    for rank, size in VARIABLES:
        if os.environ.get(rank, "").isdigit() and os.environ.get(size, "").isdigit():
            return Place(int(os.environ[rank]), int(os.environ[size]))
    return Place()
