"""Pictures that cannot be read: named, left out while they are few, an error when they are many.

A network learns from the pictures that are there, and a figure is about those that were measured:
where a third is missing, neither is what it seems to be.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from minicnn.checks import check_number
from minicnn.errors import ArgumentError, UnreadableImagesError

BadFiles = Sequence[tuple[Path, str]]  # a file, and why it cannot be read

USUAL_SHARE = 0.01  # of all pictures: so many may be left out unless somebody allows more
NAMED = 2  # in an error


def check_share(share: object, name: str = "allow_unreadable") -> float:
    """The share of the pictures that may be left out, 0...1."""
    if check_number(share, name, 0.0) > 1.0:
        raise ArgumentError(f"{name} must be a share, 0...1; got {share!r}")
    return float(share)  # type: ignore[arg-type]


def check_unreadable(
    bad_files: BadFiles,
    total: int,
    share: float,
    root: Path | None = None,
    remedy: str = "pass allow_unreadable=1 to leave them out",
) -> None:
    """Raise UnreadableImagesError if more than `share` of `total` pictures cannot be read.

    Also if none can. `remedy` says how to allow more; names are written from `root` on.
    """
    none = len(bad_files) == total > 0
    if len(bad_files) > share * total or none:
        path, reason = bad_files[0]
        allowed = "" if none else f"; at most {share:.0%} may be left out"
        raise UnreadableImagesError(
            path,
            reason,
            f"{len(bad_files)} of {total} images cannot be read, {first_names(bad_files, root)}"
            f"{allowed}. Mend or remove them (minicnn data check names all)"
            + ("" if none else f", or {remedy}"),
        )


def first_names(bad_files: BadFiles, root: Path | None = None, most: int = NAMED) -> str:
    """The first of them, each with its reason.

    >>> first_names([(Path("a/b/1.jpg"), "the file is empty")], Path("a"))
    'b/1.jpg (the file is empty)'
    """
    named = [
        f"{path if root is None else os.path.relpath(path, root)} ({reason})"
        for path, reason in bad_files[:most]
    ]
    return ", ".join(named) + (", ..." if len(bad_files) > most else "")
