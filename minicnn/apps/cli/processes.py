"""Commands that `mpirun` has started several times: one process prints, and all end together."""

from __future__ import annotations

import platform

from minicnn import distributed
from minicnn.apps.cli import exit_codes, output
from minicnn.distributed import faults
from minicnn.distributed.launch import place

# The commands whose work several processes share. Of the others process 0 does all.
SHARED = ("train", "reproduce", "tune", "predict", "index", "sort", "doctor")


def has_work(command: str) -> bool:
    """Return whether this process does a part of the command's work."""
    return command in SHARED or not place().rank


def begin() -> None:
    """Let process 0 print, and the others print nothing but errors."""
    if place().rank:
        output.be_silent()


def join() -> None:
    """Connect the processes, for a command in which they train together.

    From now on an error that all of them have is printed once.
    """
    distributed.connect()


def fail(error: BaseException) -> int:
    """Print an error, and end the other processes unless they have it, too; return the exit code.

    An error of the data, or an accuracy that is too low, was found at the end of the work.
    """
    code, text = exit_codes.code_of(error), exit_codes.message_of(error)
    if isinstance(error, exit_codes.FOUND_AT_THE_END):
        output.error(text)
    elif distributed.size() > 1:
        faults.fail(text, output.error, code)
    else:
        rank = place().rank
        output.error(f"rank {rank} on {platform.node()}: {text}" if rank else text)
    return code
