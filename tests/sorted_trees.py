"""Folders of pictures for tests of the sorter, what is in them, and plans without a network."""

from __future__ import annotations

import functools
import hashlib
import os
import stat
import tempfile
from pathlib import Path

from minicnn.apps import sorter
from minicnn.apps.sorter import Answer, Choices

JPEG = b"\xff\xd8\xff\xe0"  # enough to be taken for an image
OURS = (".minicnn-sort",)  # the folder of journals, which stays


def picture(path: Path, content: object = None) -> Path:
    """Write a file that begins as a JPEG; without `content` its bytes depend on its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(JPEG + os.fsencode(str(path.name if content is None else content)))
    return path


def gallery(root: Path, count: int = 12) -> Path:
    """Make pictures with different times and permissions; some have companions."""
    for i in range(count):
        files = [picture(root / f"IMG_{i}.jpg")]
        if i % 3 == 1:
            files += [root / f"IMG_{i}.xmp", root / f"IMG_{i}.MOV"]
            for path in files[1:]:
                path.write_bytes(os.fsencode(path.name))
        for k, path in enumerate(files):
            os.chmod(path, 0o600 + 0o44 * (i % 2))
            os.utime(path, ns=(10**18, 10**18 + 10**9 * (100 * i + k) + 123456789))
    return root


def rate(path: Path, value: bytes, *disks: Path) -> None:
    """Give a file an extended attribute, if its file system and those of all `disks` store any."""
    if all(stores_attributes(folder) for folder in (path.parent, *disks)):
        os.setxattr(path, "user.rating", value)


@functools.cache
def stores_attributes(folder: Path) -> bool:
    """Whether files in a folder may have extended attributes; those in memory may only lately."""
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        try:
            os.setxattr(file.fileno(), "user.test", b"1")
        except (AttributeError, OSError):
            return False
    return True


def contents(*roots: Path) -> dict[str, tuple]:
    """Return what all files have: bytes, time, permissions and attributes, by their paths."""
    return {
        str(path): facts(path)
        for root in roots
        for path in sorted(root.rglob("*"))
        if path.is_file() and not {*path.parts} & {*OURS}
    }


def facts(path: Path) -> tuple:
    status = path.stat()
    names = os.listxattr(path) if hasattr(os, "listxattr") else []
    attributes = {name: os.getxattr(path, name) for name in names}
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return digest, status.st_mtime_ns, stat.S_IMODE(status.st_mode), attributes


def digests(*roots: Path) -> list[str]:
    """Return the digests of all files, sorted: what must never change."""
    return sorted(one[0] for one in contents(*roots).values())


def answer(label: str, probability: float = 0.9) -> Answer:
    return Answer(((label, probability), ("other", 1 - probability)))


def planned(folder: Path, label="cats", recursive=False, **choices) -> sorter.Plan:
    """Plan as if a model had given all images one label, or `label(path)`."""
    found = sorter.find(folder, recursive=recursive)
    labels = [label(one.image) if callable(label) else label for one in found.groups]
    answers = [one if isinstance(one, Answer) else answer(one) for one in labels]
    return sorter.make_plan(found, answers, Choices(**choices))


def by_number(path: Path) -> Answer:
    """Give the pictures of a gallery the classes cats and dogs in turn; some are unsure."""
    number = int("".join(c for c in path.stem if c.isdigit()) or 0)
    return answer(("cats", "dogs")[number % 2], 0.4 if number % 5 == 4 else 0.9)
