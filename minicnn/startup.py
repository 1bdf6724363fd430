"""Ctrl-C while the command is still being imported: one line and the exit code, as later.

The command `minicnn`, and `python -m minicnn`, import this package first, which takes a moment.
Nothing has begun by then that could be lost, and nobody is there yet to catch an exception.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

INTERRUPTED = 130  # 128 + SIGINT, as shells count
COMMAND = "minicnn"


def watch() -> None:
    """End at Ctrl-C, if this process is the command; other programs decide for themselves."""
    if is_command(sys.argv, sys.orig_argv) and _is_usual():
        signal.signal(signal.SIGINT, _end)


def watched() -> None:
    """From now on Ctrl-C raises KeyboardInterrupt again: the command is there to catch it."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def is_command(argv: Sequence[str], original: Sequence[str]) -> bool:
    """Was Python started as `minicnn ...` or `python -m minicnn ...`?

    >>> is_command(["-m", "train"], ["python", "-m", "minicnn", "train"])
    True
    >>> is_command(["/usr/bin/minicnn"], ["python", "/usr/bin/minicnn"])
    True
    >>> is_command(["-m"], ["python", "-m", "pytest", "minicnn"])
    False
    """
    name = os.path.basename(argv[0]) if argv else ""
    if name == "-m":
        return "-m" in original and original[original.index("-m") + 1 :][:1] == [COMMAND]
    return os.path.splitext(name)[0] == COMMAND


def _is_usual() -> bool:
    """Is Ctrl-C Python's business? nohup and shells' `&` have it ignored."""
    return signal.getsignal(signal.SIGINT) is signal.default_int_handler


def _end(_signal: int, _frame: FrameType | None) -> None:
    os.write(2, b"Interrupted.\n")
    os._exit(INTERRUPTED)


watch()
