"""Free names in the folders of the classes, before anything is put there."""

from __future__ import annotations

import os
import stat
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from minicnn.apps.sorter.companions import Group, name_key
from minicnn.apps.sorter.names import names_of, numbered_together
from minicnn.apps.sorter.transfer import digest_of
from minicnn.errors import FormatError

NOT_A_FILE = -1  # instead of a size


class TargetNames:
    """Gives each group names that no file of its folder has, and no group before it.

    Names that differ only in case, or in how accents are composed, count as equal on every disk.
    """

    def __init__(self) -> None:
        self._folders: dict[Path, _Folder] = {}

    def take(self, folder: Path, group: Group) -> tuple[tuple[Path, ...], bool]:
        """Return the targets of a group's files, and whether they exist with the same content."""
        if folder not in self._folders:
            self._folders[folder] = _Folder(folder)
        names = self._folders[folder]
        there = names.with_content_of(group)
        return (there, True) if there else (names.free(group), False)

    def release(self, targets: Iterable[Path]) -> None:
        """Make the names free again that a group no longer needs."""
        for target in targets:
            self._folders[target.parent].release(target.name)


class _Folder:
    """The names in one folder: of files that exist, and of those that are planned."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            names = os.listdir(path)
        except (FileNotFoundError, NotADirectoryError):
            names = []
        self._existing = {name_key(name): name for name in names}
        self._planned: set[str] = set()
        self._next: dict[str, int] = defaultdict(int)  # number to try for an image's name
        # The numbers with which an image's name exists, by size, and of one size by digest.
        self._sizes: dict[str, dict[int, list[int]]] = {}
        self._same: dict[tuple[str, int], dict[str, list[int]]] = {}
        self._digests: dict[Path, str] = {}

    def free(self, group: Group) -> tuple[Path, ...]:
        """Take names for a group that are free, all with the same number."""
        key = name_key(group.image.name)
        number = self._next[key]
        while self._is_any_taken(names := names_of(group, number)):
            number += 1
        self._next[key] = number + 1
        self._planned |= {name_key(name) for name in names}
        return tuple(self.path / name for name in names)

    def release(self, name: str) -> None:
        """Make a planned name free again."""
        self._planned.discard(name_key(name))
        self._next.clear()

    def with_content_of(self, group: Group) -> tuple[Path, ...]:
        """Return the files that exist with a group's content and its names, or ()."""
        if group.image.parent == self.path:
            return group.files
        for number in self._numbers_with(group.image):
            keys = [name_key(name) for name in names_of(group, number)]
            if all(key in self._existing for key in keys):
                paths = tuple(self.path / self._existing[key] for key in keys)
                if self._are_equal(group.files, paths):
                    return paths
        return ()

    def _is_any_taken(self, names: Sequence[str]) -> bool:
        keys = {name_key(name) for name in names}
        return not keys.isdisjoint(self._planned) or not keys.isdisjoint(self._existing)

    def _numbers_with(self, image: Path) -> Sequence[int]:
        """Return the numbers with which an image's name exists for the same content."""
        key = name_key(image.name)
        if key not in self._sizes:
            self._sizes[key] = self._numbers_by_size(image.name)
        size = _size(image)
        numbers = self._sizes[key].get(size, [])
        if not numbers:
            return ()
        if (key, size) not in self._same:
            found = self._same[key, size] = defaultdict(list)
            for number in numbers:
                found[self._digest(self._path_of(image.name, number))].append(number)
        return self._same[key, size].get(self._digest(image), ())

    def _numbers_by_size(self, name: str) -> dict[int, list[int]]:
        """Return the numbers with which an image's name exists, by the sizes of the files."""
        found: dict[int, list[int]] = defaultdict(list)
        number = 0
        while self._key_of(name, number) in self._existing:
            found[_size(self._path_of(name, number))].append(number)
            number += 1
        found.pop(NOT_A_FILE, None)
        return found

    def _key_of(self, name: str, number: int) -> str:
        return name_key(numbered_together([name], number)[0])

    def _path_of(self, name: str, number: int) -> Path:
        """Return the file that exists under a name with a number."""
        return self.path / self._existing[self._key_of(name, number)]

    def _are_equal(self, some: Sequence[Path], others: Sequence[Path]) -> bool:
        return all(
            _size(a) == _size(b) != NOT_A_FILE and self._digest(a) == self._digest(b)
            for a, b in zip(some, others, strict=True)
        )

    def _digest(self, path: Path) -> str:
        """Return the digest of a file, which is read only once."""
        if path not in self._digests:
            try:
                self._digests[path] = digest_of(path)
            except (OSError, FormatError):
                self._digests[path] = f"unread: {path}"  # equal to no other
        return self._digests[path]


def _size(path: Path) -> int:
    """Return the size of a regular file, or NOT_A_FILE."""
    try:
        status = os.stat(path, follow_symlinks=False)
    except OSError:
        return NOT_A_FILE
    return status.st_size if stat.S_ISREG(status.st_mode) else NOT_A_FILE
