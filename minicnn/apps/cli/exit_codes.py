"""How the command ends. What a verb raises decides its exit code."""

from __future__ import annotations

from minicnn.errors import MiniCNNError, UnreadableImagesError
from minicnn.support.text import printable, shortened

OK = 0
FAILED = 1
USAGE = 2  # click says so
BAD_DATA = 3
GOAL_NOT_REACHED = 4
MAX_LETTERS = 600  # of a message: a path or two and a sentence


class BadDataFound(MiniCNNError):
    """The verb did its work and found data that are not in order."""


class GoalNotReached(MiniCNNError):
    """The verb did its work and the result is below what `--fail-under` asks for."""


def code_of(error: BaseException) -> int:
    """The exit code that an error stands for.

    >>> code_of(BadDataFound("3 of 10 files cannot be read")), code_of(OSError("disk full"))
    (3, 1)
    """
    if isinstance(error, (BadDataFound, UnreadableImagesError)):
        return BAD_DATA
    return GOAL_NOT_REACHED if isinstance(error, GoalNotReached) else FAILED


def message_of(error: BaseException) -> str:
    """One line for the user: the kind of error and what it says, without the stack.

    >>> message_of(FileNotFoundError(2, "No such file or directory", "cats"))
    'FileNotFoundError: cats: No such file or directory'
    """
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        where = [str(name) for name in (error.filename, error.filename2) if name is not None]
        text = ": ".join([" -> ".join(where), error.strerror] if where else [error.strerror])
    words = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return shortened(printable(words), MAX_LETTERS)
