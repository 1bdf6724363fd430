"""Warnings about the files that a command of `minicnn data` could not read or copy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from minicnn.apps.cli import output

FEW = 3  # files named in a warning


def warn_of_failures(failures: Sequence[tuple[Path, str]], what: str) -> None:
    """Warn of the first files, and say how many more there are; `what` is "read" or "copied"."""
    for path, reason in failures[:FEW]:
        output.warn(f"{path} could not be {what} ({reason})")
    if len(failures) > FEW:
        output.warn(
            f"{len(failures) - FEW} more could not be {what}. To list them: minicnn data check"
        )
