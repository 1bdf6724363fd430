"""One file on its way: renamed on one disk; copied, compared and placed on another, or for a copy.

No step replaces a file, and until the last one the content has its old name. Each step can be taken
back: `place` by `take_back`, and a copy by `drop`.
"""

from __future__ import annotations

import errno
import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from minicnn.apps.sorter.journal import temporary_name
from minicnn.apps.sorter.metadata import copy_facts, facts_of, restore
from minicnn.support.atomic_files import make_names_durable
from minicnn.support.files import BINARY, open_regular, path_in_errors
from minicnn.support.no_replace import place_without_replacing, rename_without_replacing

CHUNK_BYTES = 1 << 20


class Transfer:
    """The way of one file from `source` to `target`.

    Parameters
    ----------
    number : of the file in the journal
    source, target : whole paths; the folder of the target exists
    keep : copy the file, so that the source stays
    facts : what the journal has about a file that goes back; it must have this content, and gets
        these permissions and times again where it is copied back from another disk
    """

    def __init__(
        self,
        number: int,
        source: Path,
        target: Path,
        *,
        keep: bool = False,
        facts: dict[str, Any] | None = None,
    ) -> None:
        self.number, self.source, self.target, self.keep = number, source, target, keep
        self.temporary: Path | None = None
        self.facts, self._goes_back = dict(facts or {}), facts is not None
        self.placed = self.left = False

    def begin(self) -> None:
        """Look at the source, and decide whether it is renamed or copied.

        A file that is renamed gets its digest here, one that is copied while it is copied.
        """
        if os.path.islink(self.source):
            raise OSError(errno.ELOOP, "is a link now", str(self.source))
        with open_regular(self.source):  # raises if it is gone, locked or a device
            renamed = not self.keep and _on_one_disk(self.source, self.target.parent)
        if self._goes_back:
            if not is_unchanged(self.source, self.facts):
                raise OSError(errno.EBUSY, "changed since it was sorted", str(self.source))
        else:
            self.facts = facts_of(self.source)
            if renamed:
                self.facts["sha256"] = digest_of(self.source)
        if not renamed:
            self.copy_first()

    def copy_first(self) -> None:
        """Decide that the file is copied to a temporary name first."""
        self.temporary = self.target.parent / temporary_name()

    def copy(self) -> None:
        """Copy the source to the temporary name, force it to the disk, and compare both."""
        if self.temporary is None:
            raise RuntimeError("copy_first was not called")
        try:
            before = _stamp(self.source)
            digest = _copy_content(self.source, self.temporary)
            self.facts.setdefault("sha256", digest)
            if digest_of(self.temporary) != self.facts["sha256"]:
                text = "the copy reads back differently than it was written"
                raise OSError(errno.EIO, text, str(self.target))
            copy_facts(self.source, self.temporary)
            if self._goes_back:
                restore(self.temporary, self.facts)
            if _stamp(self.source) != before:
                raise OSError(errno.EBUSY, "changed while it was copied", str(self.source))
        except BaseException:  # Ctrl-C too
            self.drop()
            raise
        self._copied = before

    def place(self) -> None:
        """Give the file its new name; raise FileExistsError if that is taken."""
        if self.temporary is None:
            rename_without_replacing(self.source, self.target)
        else:
            place_without_replacing(self.temporary, self.target)
        self.placed = True

    def take_back(self) -> None:
        """Undo `place`."""
        if self.placed:
            place_without_replacing(self.target, self.temporary or self.source)
            self.placed = False

    def leave(self) -> None:
        """Remove the source, if it was copied to another disk and has not changed since."""
        if self.keep or self.temporary is None:
            return
        if _stamp(self.source) != self._copied:
            raise OSError(errno.EBUSY, "changed while it was moved", str(self.source))
        os.unlink(self.source)
        self.left = True

    def drop(self) -> None:
        """Remove the temporary copy."""
        if self.temporary is not None:
            with suppress(OSError):
                os.unlink(self.temporary)


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a regular file, in hexadecimal digits."""
    with open_regular(path) as file, path_in_errors(path):
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_unchanged(path: Path, facts: dict[str, Any]) -> bool:
    """Return whether a file exists with the size and digest that the journal has."""
    if "sha256" not in facts or os.path.islink(path) or not os.path.isfile(path):
        return False
    return os.path.getsize(path) == facts["size"] and digest_of(path) == facts["sha256"]


def make_durable(folders: set[Path]) -> None:
    """Force the names in these folders to the disk, where the file system can do that."""
    for folder in folders:
        with suppress(OSError):
            make_names_durable(folder)


def _copy_content(source: Path, target: Path) -> str:
    """Copy the bytes to a new file and force them to the disk; return their SHA-256."""
    digest = hashlib.sha256()
    with open_regular(source) as file, path_in_errors(target):
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | BINARY, 0o600)
        with os.fdopen(handle, "wb", buffering=0) as copy:
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
                _write_all(copy.fileno(), chunk)
            os.fsync(copy.fileno())
    return digest.hexdigest()


def _write_all(handle: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:  # a write may be short
        rest = rest[os.write(handle, rest) :]


def _stamp(path: Path) -> tuple[int, int, int, int]:
    """Return what changes when a file is replaced or written to."""
    status = os.stat(path, follow_symlinks=False)
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _on_one_disk(source: Path, folder: Path) -> bool:
    return os.stat(source, follow_symlinks=False).st_dev == os.stat(folder).st_dev
