"""Finding the images in a folder, by their content, with the files that belong to them."""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from minicnn.apps.sorter.companions import Group, grouped
from minicnn.apps.sorter.earlier import Earlier
from minicnn.apps.sorter.journal import FOLDER as JOURNALS
from minicnn.data.file_kinds import HEIC, IMAGE, RAW, kind_of_file
from minicnn.data.folders import is_ignored
from minicnn.data.image_files import reads_heic
from minicnn.errors import FormatError

# Why files are left alone.
HIDDEN = "hidden"  # and those that operating systems make, such as Thumbs.db
SORTED = "sorted earlier"
LINK = "a link"
NO_IMAGE = "no image"
NO_FILE = "a pipe or a device"
CLOSED = "cannot be opened"
NEEDS_HEIC = "HEIC, which needs pillow-heif"
RAW_ALONE = "RAW without a JPEG"


class Found(NamedTuple):
    """The images of a folder, sorted by path, and how many files are left alone for which reason.

    Hidden folders and links to folders count as one file each, because they are not entered.
    """

    folder: Path
    groups: list[Group]
    left_alone: dict[str, int]


def find(folder: str | os.PathLike[str], *, recursive: bool = False) -> Found:
    """Find the images in a folder, and the files that belong to each of them.

    Whether a file is an image depends on its first bytes, not on its name. Links are not followed.

    Parameters
    ----------
    folder : the folder; the paths in the result are absolute
    recursive : also look in all folders below it

    Raises
    ------
    FileNotFoundError : there is no such folder
    PermissionError : it cannot be opened; folders below it are counted as left alone
    """
    root = Path(os.path.abspath(folder))
    if not root.is_dir():
        seen = "is a file" if root.exists() else "no such folder"
        raise FileNotFoundError(errno.ENOENT, f"{seen}; give a folder of images", str(root))
    counts: Counter[str] = Counter()
    groups = [
        group for one in _folders(root, recursive, counts) for group in _in_folder(one, counts)
    ]
    groups.sort(key=lambda group: os.fsencode(group.image))
    return Found(root, groups, dict(counts))


class _Folder(NamedTuple):
    """A folder: its files that may be images, and the folders in it."""

    path: Path
    files: list[str]
    folders: list[str]


def _folders(root: Path, recursive: bool, counts: Counter[str]) -> Iterator[_Folder]:
    """Yield the folder and, if `recursive`, all below it; count what is left alone."""
    waiting, earlier = [root], Earlier()
    while waiting:
        path = waiting.pop()
        earlier.read(path)
        try:
            listed = _listed(path, earlier, counts)
        except OSError:
            if path == root:
                raise
            counts[CLOSED] += 1
            continue
        if recursive:
            waiting += [path / name for name in listed.folders]
        yield listed


def _listed(path: Path, earlier: Earlier, counts: Counter[str]) -> _Folder:
    """List a folder; count the files and folders in it that are left alone."""
    found = _Folder(path, [], [])
    with os.scandir(path) as entries:
        for entry in entries:  # list(entries) would keep other threads waiting
            if entry.name == JOURNALS:
                continue
            reason = _why_left(entry, earlier)
            if reason:
                counts[reason] += _files_in(entry) if reason == SORTED else 1
            elif entry.is_dir(follow_symlinks=False):
                found.folders.append(entry.name)
            else:
                found.files.append(entry.name)
    return found


def _why_left(entry: os.DirEntry[str], earlier: Earlier) -> str:
    """Return why a file or folder is left alone whatever its content is, or ""."""
    if is_ignored(entry.name):
        return HIDDEN
    if entry.is_symlink():
        return LINK
    if earlier.has(entry.path):
        return SORTED
    regular = entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False)
    return "" if regular else NO_FILE


def _files_in(entry: os.DirEntry[str]) -> int:
    """Return how many files a folder has, also below it; 1 for a file."""
    if not entry.is_dir(follow_symlinks=False):
        return 1
    return sum(len(files) for _, _, files in os.walk(entry.path))


def _in_folder(folder: _Folder, counts: Counter[str]) -> list[Group]:
    """Return the groups of one folder; count the files that belong to none."""
    images, others, why = [], [], {}
    for name in folder.files:
        path = folder.path / name
        reason = _why_no_image(str(path))
        if reason:
            why[path] = reason
            others.append(path)
        else:
            images.append(path)
    groups, rest = grouped(images, others)
    counts.update(why[path] for path in rest)
    return groups


def _why_no_image(path: str) -> str:
    """Return why a file is no image that can be read, or ""."""
    try:
        kind = kind_of_file(path)
    except (OSError, FormatError):
        return CLOSED
    if kind == IMAGE or (kind == HEIC and reads_heic()):
        return ""
    return {HEIC: NEEDS_HEIC, RAW: RAW_ALONE}.get(kind, NO_IMAGE)
