"""Handles Ctrl-C while the command `minicnn` is still being imported.

The import takes a moment. Until it is done, no code of the command can catch the exception, and
there is nothing to lose: one line is printed, and the exit code is that of an interrupted command.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

INTERRUPTED = 130  # 128 + SIGINT, as shells report it
COMMAND = "minicnn"


def watch() -> None:
    """End at Ctrl-C if this process is the command; other programs are left alone."""
    if is_command(sys.argv, sys.orig_argv) and _is_usual():
        signal.signal(signal.SIGINT, _end)


def watched() -> None:
    """Let Ctrl-C raise KeyboardInterrupt again, which the command now catches."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def is_command(argv: Sequence[str], original: Sequence[str]) -> bool:
    """Return whether Python was started as `minicnn ...` or `python -m minicnn ...`.

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
    """Return whether Python handles Ctrl-C; under nohup and `&` it is ignored."""
    return signal.getsignal(signal.SIGINT) is signal.default_int_handler


def _end(_signal: int, _frame: FrameType | None) -> None:
    os.write(2, b"Interrupted.\n")
    os._exit(INTERRUPTED)


watch()
