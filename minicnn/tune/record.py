"""What may stand in a search's journal, which anybody could have written: checked when it is read.

Optuna believes its own files. What it reads here is checked before it is used: no name of a process
leads to another folder, no missing or foreign value ends in an error of Python's own.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from minicnn.errors import FormatError, MiniCNNError
from minicnn.shapes import MAX_INT32, is_int
from minicnn.support.files import open_handle

MAX_BYTES = 256 << 20  # 100,000 trials of 10 epochs have half of that
BEGIN = b'{"op_code":'  # of each line
WORKER = re.compile(r"[0-9]{1,10}-[0-9a-f]{8}")  # see `study.at_work`


@contextmanager
def reading(journal: Path) -> Iterator[None]:
    """Let whatever Optuna says to a wrong file inside the block be a FormatError."""
    try:
        yield
    except (MiniCNNError, OSError, MemoryError):
        raise
    except Exception as error:  # KeyError, AssertionError, TypeError, Optuna's own and others
        said = f"{type(error).__name__}: {error}"
        raise FormatError(
            journal, f"is no record of a search that can be gone on with ({said})"
        ) from error


def drop_torn_line(journal: Path) -> None:
    """A power cut may leave half a line at the end; joined to the next one it would spoil both.

    Raises
    ------
    FormatError : the file is no journal; it is left as it is
    SizeLimitError : it has more than 256 MiB
    """
    handle = open_handle(journal, os.O_RDWR | os.O_CREAT, MAX_BYTES)
    with os.fdopen(handle, "r+b") as file:
        content = file.read()
        begins = [line[: len(BEGIN)] for line in content.split(b"\n")]
        if not all(BEGIN.startswith(begin) for begin in begins):
            raise FormatError(
                journal, "is no journal of a search; choose another folder, or take that file away"
            )
        file.truncate(content.rfind(b"\n") + 1)


def check_settings(settings: Any, journal: Path) -> dict[str, Any]:
    """What a search was begun with: a table of plain values."""
    if not isinstance(settings, dict) or not all(map(_is_scalar, settings.values())):
        raise FormatError(journal, "does not say with which settings the search was begun")
    return settings


def check_trials(trials: list[Any], journal: Path) -> list[Any]:
    """The same trials, if all that is read of them is as `search` writes it."""
    for trial in trials:
        known = trial.user_attrs
        wrong = [name for name, fits in _KNOWN.items() if name in known and not fits(known[name])]
        if "number" not in known:
            wrong.append("number")
        if not all(map(_is_scalar, trial.params.values())):
            wrong.append("params")
        if wrong:
            raise FormatError(journal, f"trial {trial.number} has a wrong {', '.join(wrong)}")
    return trials


def _is_scalar(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, (str, bool)) or _is_number(value)


def _is_number(value: Any) -> bool:
    return is_int(value) and -(2**63) <= value < 2**64


def _is_count(value: Any) -> bool:
    return is_int(value) and 0 <= value <= MAX_INT32


_KNOWN = {
    "number": _is_count,
    "worker": lambda value: isinstance(value, str) and WORKER.fullmatch(value) is not None,
    "values": lambda value: isinstance(value, dict) and all(map(_is_scalar, value.values())),
    "best_step": _is_count,
    "seconds": lambda value: isinstance(value, (int, float)) and 0 <= value < math.inf,
    "reason": lambda value: isinstance(value, str),
}
