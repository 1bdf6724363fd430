"""Other file systems for tests: as the machine has them, or mounted where root may mount."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SHARED_MEMORY = Path("/dev/shm")


@contextmanager
def other_disk(folder: Path) -> Iterator[Path]:
    """Yield a new folder on another file system than `folder`; skip the test if there is none."""
    if not SHARED_MEMORY.is_dir() or SHARED_MEMORY.stat().st_dev == folder.stat().st_dev:
        with mounted(folder / "other disk") as disk:
            yield disk
        return
    with tempfile.TemporaryDirectory(dir=SHARED_MEMORY) as disk:
        yield Path(disk)


@contextmanager
def mounted(folder: Path, options: str = "size=64m") -> Iterator[Path]:
    """Mount a new file system in memory at `folder`; skip the test where that is not allowed."""
    folder.mkdir(exist_ok=True)
    if not _mount("-t", "tmpfs", "-o", options, "tmpfs", folder):
        pytest.skip("a file system can be mounted only by root, on Linux")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Make a mounted file system read-only inside the block."""
    _mount("-o", "remount,ro", folder)
    try:
        yield
    finally:
        _mount("-o", "remount,rw", folder)


def _mount(*words: object) -> bool:
    if os.name != "posix" or os.geteuid() != 0:
        return False
    try:
        done = subprocess.run(["mount", *map(str, words)], capture_output=True, check=False)
    except FileNotFoundError:
        return False
    return done.returncode == 0
