"""Which one of several processes this is, as the program that started them says.

`mpirun` and its relatives set environment variables in every process that they start. To know them,
MPI itself is not needed.
"""

from __future__ import annotations

from typing import NamedTuple

from minicnn.errors import ArgumentError
from minicnn.support.environment import value_of

# The variables that hold the rank and the number of processes.
LAUNCHERS = (
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),  # Open MPI
    ("PMI_RANK", "PMI_SIZE"),  # MPICH, Intel MPI and Slurm
)


class Place(NamedTuple):
    """The number of a process, 0...size - 1, among the `size` processes of one command."""

    rank: int
    size: int


def place() -> Place:
    """Return the place of this process; (0, 1) if no launcher has started it.

    Raises
    ------
    ArgumentError
        The variables of a launcher do not hold a rank and a number of processes.
    """
    for rank, size in LAUNCHERS:
        if value_of(rank) is not None and value_of(size) is not None:
            return _read(rank, size)
    return Place(0, 1)


def job_name() -> str:
    """Return a name that all processes of one `mpirun` have and no other job has; "" if unknown."""
    return value_of("PMIX_NAMESPACE") or ""


def _read(rank: str, size: str) -> Place:
    texts = value_of(rank) or "", value_of(size) or ""
    if all(text.isascii() and text.isdecimal() for text in texts):
        found = Place(*map(int, texts))
        if found.rank < found.size:
            return found
    raise ArgumentError(
        f"the environment variables {rank}={texts[0][:20]!r} and {size}={texts[1][:20]!r} must be "
        "the rank of this process and the number of processes. Only mpirun sets them: unset both, "
        "or start minicnn with mpirun"
    )
