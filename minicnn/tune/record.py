"""Check a search's journal when it is read, because the file may be damaged or malicious.

Optuna trusts its own files. The values that it reads are checked before they are used, so that a
worker's name cannot lead to another folder, and missing or unexpected values raise a FormatError.
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

MAX_BYTES = 256 << 20  # twice the size of a journal of 100,000 trials of 10 epochs
BEGIN = b'{"op_code":'  # the beginning of each line
WORKER = re.compile(r"[0-9]{1,10}-[0-9a-f]{8}")  # a name made by `working` of a storage


@contextmanager
def reading(journal: Path) -> Iterator[None]:
    """Convert any error that Optuna raises for a damaged journal to a FormatError."""
    try:
        yield
    except (MiniCNNError, OSError, MemoryError):
        raise
    except Exception as error:  # KeyError, AssertionError, TypeError, Optuna's own and others
        reason = f"{type(error).__name__}: {error}"
        raise FormatError(
            journal, f"is not the journal of a search that can be resumed ({reason})"
        ) from error


def drop_torn_line(journal: Path) -> None:
    """Remove an incomplete last line, which a power failure may leave.

    Otherwise the next line would be appended to it, and both would be unreadable.

    Raises
    ------
    FormatError : the file is not a journal; it is not changed
    SizeLimitError : the file has more than 256 MiB
    """
    handle = open_handle(journal, os.O_RDWR | os.O_CREAT, MAX_BYTES)
    with os.fdopen(handle, "r+b") as file:
        content = file.read()
        begins = [line[: len(BEGIN)] for line in content.split(b"\n")]
        if not all(BEGIN.startswith(begin) for begin in begins):
            raise FormatError(
                journal, "is not the journal of a search; choose another folder, or move the file"
            )
        file.truncate(content.rfind(b"\n") + 1)


def check_settings(settings: Any, journal: object) -> dict[str, Any]:
    """Return the settings with which a search was started, if they are a dict of scalars."""
    if not isinstance(settings, dict) or not all(map(_is_scalar, settings.values())):
        raise FormatError(
            journal, "does not contain the settings with which the search was started"
        )
    return settings


def check_trials(trials: list[Any], journal: object) -> list[Any]:
    """Return the trials unchanged, if all values that are read from them are valid."""
    for trial in trials:
        known = trial.user_attrs
        wrong = [name for name, fits in _KNOWN.items() if name in known and not fits(known[name])]
        wrong += [name for name in ("number", "worker") if name not in known and _is_used(trial)]
        if not all(map(_is_scalar, trial.params.values())):
            wrong.append("params")
        if wrong:
            raise FormatError(journal, f"trial {trial.number} has a wrong {', '.join(wrong)}")
    return trials


def _is_used(trial: Any) -> bool:
    """Return whether the trial's values or its result are read; else its process was killed."""
    return trial.state.name in ("COMPLETE", "PRUNED") or not {"values", "reason"}.isdisjoint(
        trial.user_attrs
    )


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
