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
from typing import Any, NoReturn

from minicnn.apps.sorter.journal import temporary_name
from minicnn.apps.sorter.metadata import copy_facts, facts_of, restore
from minicnn.support.atomic_files import copy_durably, make_names_durable
from minicnn.support.files import open_regular, path_in_errors
from minicnn.support.no_replace import place_without_replacing, rename_without_replacing

# What the system answers where folders cannot be forced to the disk.
NO_SYNCING = (errno.EINVAL, errno.ENOTSUP, errno.EBADF)


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
        self.there = False  # the target is another sorter's copy of the source

    def begin(self) -> None:
        """Look at the source, and decide whether it is renamed or copied.

        A file that is renamed gets its digest here, one that is copied while it is copied.
        """
        if os.path.islink(self.source):
            raise OSError(errno.ELOOP, "is a link now", str(self.source))
        with open_regular(self.source):  # raises if it is gone, locked or a device
            renamed = not self.keep and _on_one_disk(self.source, self.target.parent)
        self._stamp = _stamp(self.source)
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
            digest = copy_durably(self.source, self.temporary)
            if self.facts.setdefault("sha256", digest) != digest:
                self._refuse_changed()
            copy_facts(self.source, self.temporary)
            if self._goes_back:
                restore(self.temporary, self.facts)
            self._check_unchanged()
        except BaseException:  # Ctrl-C too
            self.drop()
            raise

    def place(self) -> None:
        """Give the file its new name; raise FileExistsError if that is taken."""
        self._check_unchanged()
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
        self._check_unchanged()
        os.unlink(self.source)
        self.left = True

    def _check_unchanged(self) -> None:
        """Raise OSError if the source is no longer what it was at `begin`."""
        if _stamp(self.source) != self._stamp:
            self._refuse_changed()

    def _refuse_changed(self) -> NoReturn:
        raise OSError(errno.EBUSY, "changed meanwhile", str(self.source))

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


def make_durable(folder: Path) -> None:
    """Force the names in a folder to the disk, where the file system can do that."""
    try:
        make_names_durable(folder)
    except OSError as error:
        if error.errno not in NO_SYNCING:
            raise


def _stamp(path: Path) -> tuple[int, int, int, int]:
    """Return what changes when a file is replaced or written to."""
    status = os.stat(path, follow_symlinks=False)
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _on_one_disk(source: Path, folder: Path) -> bool:
    return os.stat(source, follow_symlinks=False).st_dev == os.stat(folder).st_dev
