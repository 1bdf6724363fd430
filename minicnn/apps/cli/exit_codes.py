"""The exit codes of the command, which depend on the error that a subcommand raises."""

from __future__ import annotations

from minicnn.errors import MiniCNNError, UnreadableImagesError
from minicnn.support.text import printable, shortened

# 2, wrong usage, is click's own.
OK = 0
FAILED = 1
BAD_DATA = 3
GOAL_NOT_REACHED = 4
MAX_LETTERS = 600  # of a message: one or two paths and a sentence


class BadDataFound(MiniCNNError):
    """The command completed and found faults in the data."""


class GoalNotReached(MiniCNNError):
    """The command completed, and the accuracy is below that of `--fail-under`."""


def code_of(error: BaseException) -> int:
    """Return the exit code for an error.

    >>> code_of(BadDataFound("3 of 10 files cannot be read")), code_of(OSError("disk full"))
    (3, 1)
    """
    if isinstance(error, (BadDataFound, UnreadableImagesError)):
        return BAD_DATA
    return GOAL_NOT_REACHED if isinstance(error, GoalNotReached) else FAILED


def message_of(error: BaseException) -> str:
    """Return an error as one line: its class and its message, without a traceback.

    >>> message_of(FileNotFoundError(2, "No such file or directory", "cats"))
    'FileNotFoundError: cats: No such file or directory'
    """
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        where = [str(name) for name in (error.filename, error.filename2) if name is not None]
        text = ": ".join([" -> ".join(where), error.strerror] if where else [error.strerror])
    words = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return shortened(printable(words), MAX_LETTERS)
