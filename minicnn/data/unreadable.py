"""Image files that cannot be read: a few are left out and reported, many are an error.

A network is trained and evaluated on the images that could be read. If a third of them is missing,
neither its weights nor its accuracy are what they seem to be.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from minicnn.checks import check_number
from minicnn.errors import ArgumentError, UnreadableImagesError
from minicnn.support.text import printable, shortened

BadFiles = Sequence[tuple[Path, str]]  # (file, why it cannot be read)

ALLOWED_SHARE = 0.01  # of all images may be left out by default
MAX_NAMES = 2  # in an error
MAX_CHARACTERS = 60  # of a name


def check_share(share: object, name: str = "allow_unreadable") -> float:
    """Return the share of the images that may be left out, if it is in 0...1."""
    if check_number(share, name, 0.0) > 1.0:
        raise ArgumentError(f"{name} must be a share, 0...1; got {share!r}")
    return float(share)  # type: ignore[arg-type]


def check_unreadable(
    bad_files: BadFiles, total: int, share: float, root: Path | None = None
) -> None:
    """Raise UnreadableImagesError if more than `share` of `total` images cannot be read, or all.

    The names in the message are relative to `root`.
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


def first_names(bad_files: BadFiles, root: Path | None = None, most: int = MAX_NAMES) -> str:
    """Return the names of the first files, relative to `root`, with the reason of the first one.

    >>> first_names([(Path("a/b/1.jpg"), "the file is empty"), (Path("a/2.jpg"), "")], Path("a"))
    'b/1.jpg (the file is empty), 2.jpg'
    """
    paths = [path if root is None else os.path.relpath(path, root) for path, _ in bad_files[:most]]
    first, *others = (shortened(printable(path), MAX_CHARACTERS) for path in paths)
    more = ["..."] if len(bad_files) > most else []
    return ", ".join([f"{first} ({bad_files[0][1]})", *others, *more])
