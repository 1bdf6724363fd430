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
from minicnn.support.text import printable, shortened

BadFiles = Sequence[tuple[Path, str]]  # a file, and why it cannot be read

ALLOWED_SHARE = 0.01  # of all pictures: so many may be left out unless somebody allows more
NAMED = 2  # in an error
MAX_NAME = 60  # letters


def check_share(share: object, name: str = "allow_unreadable") -> float:
    """The share of the pictures that may be left out, 0...1."""
    if check_number(share, name, 0.0) > 1.0:
        raise ArgumentError(f"{name} must be a share, 0...1; got {share!r}")
    return float(share)  # type: ignore[arg-type]


def check_unreadable(
    bad_files: BadFiles, total: int, share: float, root: Path | None = None
) -> None:
    """Raise UnreadableImagesError if more than `share` of `total` pictures cannot be read.

    Also if none can. Names are written from `root` on.
    """
    if not bad_files or (len(bad_files) <= share * total and len(bad_files) < total):
        return
    path, reason = bad_files[0]
    text = f"{len(bad_files)} of {total} images cannot be read: {first_names(bad_files, root)}"
    if len(bad_files) < total:
        text += (
            f". At most {share:.0%} may be left out; allow more with allow_unreadable=1 or "
            "--allow-unreadable"
        )
    raise UnreadableImagesError(path, reason, f"{text}. For all names: minicnn data check")


def first_names(bad_files: BadFiles, root: Path | None = None, most: int = NAMED) -> str:
    """The first of them, from `root` on, and why the very first cannot be read.

    >>> first_names([(Path("a/b/1.jpg"), "the file is empty"), (Path("a/2.jpg"), "")], Path("a"))
    'b/1.jpg (the file is empty), 2.jpg'
    """
    paths = [path if root is None else os.path.relpath(path, root) for path, _ in bad_files[:most]]
    first, *others = (shortened(printable(path), MAX_NAME) for path in paths)
    more = ["..."] if len(bad_files) > most else []
    return ", ".join([f"{first} ({bad_files[0][1]})", *others, *more])
