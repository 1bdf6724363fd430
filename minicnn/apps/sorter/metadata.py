"""What belongs to a file besides its bytes: permissions, times, owner and extended attributes."""

from __future__ import annotations

import base64
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any


def facts_of(path: Path) -> dict[str, Any]:
    """Return the facts of a file for the journal, from which `restore` can set them again."""
    status = os.stat(path, follow_symlinks=False)
    facts: dict[str, Any] = {
        "size": status.st_size,
        "mode": status.st_mode & 0o7777,
        "mtime_ns": status.st_mtime_ns,
    }
    if attributes := _attributes(path):
        facts["attributes"] = attributes
    return facts


def copy_facts(source: Path, target: Path) -> None:
    """Give a copy the owner, permissions, times and attributes of the file it was copied from.

    What the file system of the copy cannot store is left out.
    """
    status = os.stat(source, follow_symlinks=False)
    if hasattr(os, "chown"):
        with suppress(OSError):  # only root may give files away
            os.chown(target, status.st_uid, status.st_gid)
    with suppress(PermissionError):  # FAT has no permissions
        shutil.copystat(source, target, follow_symlinks=False)
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))


def restore(path: Path, facts: dict[str, Any]) -> None:
    """Set what a file lost while it was on a file system that could not store it."""
    status = os.stat(path)
    if status.st_mode & 0o7777 != facts["mode"]:
        with suppress(PermissionError):
            os.chmod(path, facts["mode"])
    if hasattr(os, "setxattr"):
        for name, value in facts.get("attributes", {}).items():
            with suppress(OSError):
                os.setxattr(path, name, base64.b64decode(value))
    if status.st_mtime_ns != facts["mtime_ns"]:
        os.utime(path, ns=(status.st_atime_ns, facts["mtime_ns"]))


def _attributes(path: Path) -> dict[str, str]:
    """Return the extended attributes of a file that its owner can set, by name."""
    if not hasattr(os, "listxattr"):
        return {}
    try:
        names = [n for n in os.listxattr(path, follow_symlinks=False) if n.startswith("user.")]
        return {n: base64.b64encode(os.getxattr(path, n)).decode() for n in names}
    except OSError:
        return {}
