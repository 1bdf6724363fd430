"""What environment variables say. An empty one says nothing; a wrong one is told and left aside."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence


def choice(name: str, default: str, choices: Sequence[str]) -> str:
    """The variable's word if it is one of `choices`, else `default`."""
    text = text_of(name)
    if text is None or text in choices:
        return text or default
    _warn(name, text, f"one of {list(choices)}", default)
    return default


def check_count(name: str) -> None:
    """Warn where the variable is no whole number from 1 on."""
    text = text_of(name)
    if text is not None and not (text.isascii() and text.isdecimal() and int(text) >= 1):
        _warn(name, text, "a whole number from 1 on", "as many as there are processors")


def text_of(name: str) -> str | None:
    """The variable's text; None if it is not set, or empty."""
    return os.environ.get(name) or None


def _warn(name: str, text: str, needed: str, default: str) -> None:
    warnings.warn(
        f"the environment variable {name} must be {needed}; it is {text[:40]!r}, which counts as "
        f"not set: {default}",
        RuntimeWarning,
        stacklevel=3,
    )
