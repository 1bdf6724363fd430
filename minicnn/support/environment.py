"""Reading environment variables; an invalid value is ignored with a warning."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence


def choice(name: str, default: str, choices: Sequence[str]) -> str:
    """Return the value of the variable if it is one of `choices`, else `default`."""
    text = value_of(name)
    if text is None or text in choices:
        return text or default
    _warn(name, text, f"one of {list(choices)}", f"{default} is used")
    return default


def check_count(name: str) -> None:
    """Warn if the variable is set but is not a positive integer."""
    text = value_of(name)
    if text is not None and not (text.isascii() and text.isdecimal() and int(text) >= 1):
        _warn(name, text, "a positive integer", "the number of processors is used")


def value_of(name: str) -> str | None:
    """Return the value of the variable; None if it is not set or empty."""
    return os.environ.get(name) or None


def _warn(name: str, text: str, needed: str, consequence: str) -> None:
    warnings.warn(
        f"the environment variable {name} must be {needed}; got {text[:40]!r}, which is ignored: "
        f"{consequence}",
        RuntimeWarning,
        stacklevel=3,
    )
