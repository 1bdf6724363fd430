"""The exit codes of the command, which depend on the error that a subcommand raises."""

from __future__ import annotations

from minicnn.errors import MiniCNNError, UnreadableImagesError, error_text
from minicnn.support.text import shortened

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


FOUND_AT_THE_END = (BadDataFound, GoalNotReached)  # when the command has done its work


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
    kind, text = type(error).__name__, error_text(error)
    return shortened(f"{kind}: {text}" if text else kind, MAX_LETTERS)
