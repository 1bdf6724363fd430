"""Where labeled pictures are: a folder a class, or a list of `path label` lines."""

from __future__ import annotations

import errno
import io
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minicnn.data.image_files import IMAGE_EXTENSIONS, PathLike
from minicnn.errors import ArgumentError, FormatError
from minicnn.support.files import read_text
from minicnn.support.text import quoted

# What systems and programs leave in folders; also everything whose name starts with a dot.
IGNORED_NAMES = ("Thumbs.db", "desktop.ini", "__MACOSX", "@eaDir")
MAX_NAMES = 5  # names in a message
_KINDS = " ".join(ending[1:] for ending in IMAGE_EXTENSIONS)
MAX_DIGITS = 12  # of a class's number


class ImageList(NamedTuple):
    """Labeled pictures that were found, but not read."""

    paths: list[Path]
    labels: np.ndarray  # (n,) int64, numbers of classes
    class_names: list[str]
    root: Path

    @property
    def class_indices(self) -> dict[str, int]:
        """The number of each class."""
        return {name: i for i, name in enumerate(self.class_names)}

    @property
    def filenames(self) -> list[str]:
        """The paths below `root`."""
        return [os.path.relpath(path, self.root) for path in self.paths]

    def pick(self, rows: Sequence[int] | np.ndarray) -> ImageList:
        """Some of the pictures, with the same classes."""
        return self._replace(paths=[self.paths[i] for i in rows], labels=self.labels[rows])


def list_folder(
    directory: PathLike,
    classes: Sequence[str] | None = None,
    *,
    follow_links: bool = False,
    skip_locked: bool = False,
) -> ImageList:
    """The pictures in a folder that has a folder for each class.

    Parameters
    ----------
    directory : str or path
    classes : names of the folders to take, numbered in this order; default: all of them, sorted
        by name
    follow_links : also into folders that are symbolic links
    skip_locked : take a folder that cannot be looked into for an empty one

    Returns
    -------
    ImageList
        Class by class, sorted by path. Pictures may lie deeper in a class's folder. Hidden files,
        and names that systems leave (`Thumbs.db`, `__MACOSX`, ...), are passed over.

    Raises
    ------
    FileNotFoundError
        There is no such folder, no folder for a class, or no picture in any.
    PermissionError
        A folder cannot be looked into: its pictures would be missing without a word.

    Notes
    -----
    Names are compared as plain text ("10" comes before "9"), so a class has the same number on
    every machine. A class without pictures keeps its number, with a warning.
    """
    root = Path(directory)
    names = class_folders(root) if classes is None else _asked_for(root, classes)
    locked = _pass_over if skip_locked else _stop_at
    files = [sorted(walk(root / name, follow_links=follow_links, locked=locked)) for name in names]
    found = [[path for path in paths if is_image(path)] for paths in files]
    _check_found(root, names, files, found)
    labels = np.repeat(np.arange(len(names)), [len(paths) for paths in found])
    return ImageList([path for paths in found for path in paths], labels, names, root)


def list_files(
    directory: PathLike, labels: Sequence[int] | None = None, *, follow_links: bool = False
) -> ImageList:
    """All pictures in a folder and below it, sorted by folder and name; folders are no classes.

    Parameters
    ----------
    directory : str or path
    labels : the class number of each; default: 0, and no classes' names
    follow_links : also into folders that are symbolic links

    Raises
    ------
    FileNotFoundError : there is no such folder, or no picture in it
    ArgumentError : there is not one label, a whole number, for each picture
    """
    root = Path(directory)
    class_folders(root)  # is it a folder?
    paths = [path for path in walk(root, follow_links=follow_links) if is_image(path)]
    paths.sort(key=lambda path: (str(path.parent), path.name))  # as Keras: the folder's own first
    if not paths:
        raise FileNotFoundError(
            errno.ENOENT, f"no images here. Known image types: {_KINDS}", str(root)
        )
    if labels is None:
        return ImageList(paths, np.zeros(len(paths), np.int64), [], root)
    numbers = np.asarray(labels)
    if numbers.shape != (len(paths),) or numbers.dtype.kind not in "iu" or numbers.min() < 0:
        raise ArgumentError(
            f"labels must be a whole number for each of the {len(paths)} images, sorted by folder "
            f"and name; got {labels!r:.80}"
        )
    names = [str(number) for number in range(int(numbers.max()) + 1)]
    return ImageList(paths, numbers.astype(np.int64), names, root)


def read_list(file: PathLike, root: PathLike | None = None) -> ImageList:
    """The pictures that a text file names, a `path label` line each, as Caffe writes them.

    Parameters
    ----------
    file : str or path
        UTF-8; a label is the last word of its line, so that paths may have spaces. Empty lines and
        those that start with # are passed over.
    root : folder that the paths start from; default: the file's own

    Returns
    -------
    ImageList
        Labels that are all whole numbers are the classes' numbers, and their names. Other labels
        are names, numbered in sorted order.

    Raises
    ------
    FormatError : a line has no label, there is no line, or it is no text in UTF-8
    """
    file = Path(file)
    root = file.parent if root is None else Path(root)
    rows = list(_rows(file))
    if not rows:
        raise FormatError(file, "names no picture; lines look like cats/0001.jpg 0")
    words = [label for _, label in rows]
    if all(word.isascii() and word.isdigit() for word in words):
        largest = max(words, key=lambda word: (len(word.lstrip("0")), word.lstrip("0")))
        if len(largest.lstrip("0")) > MAX_DIGITS or int(largest) >= max(1000, 10 * len(rows)):
            raise FormatError(
                file,
                f"has the class number {largest[:40]} in {len(rows):,} lines; classes are "
                "numbered from 0",
            )
        labels = np.array([int(word) for word in words], np.int64)
        names = [str(i) for i in range(int(largest) + 1)]
    else:
        names = sorted(set(words))
        numbers = {name: number for number, name in enumerate(names)}
        labels = np.array([numbers[word] for word in words], np.int64)
    return ImageList([root / path for path, _ in rows], labels, names, root)


def found_text(images: ImageList) -> str:
    """What Keras prints.

    >>> found_text(ImageList([Path("a/1.jpg")], np.zeros(1, int), ["a", "b"], Path(".")))
    'Found 1 images belonging to 2 classes.'
    """
    return f"Found {len(images.paths)} images belonging to {len(images.class_names)} classes."


def class_folders(root: PathLike) -> list[str]:
    """Names of the folders in `root`, sorted as plain text.

    Hidden ones are no classes, nor is a link to `root` itself or to what it lies in.
    """
    root = Path(root)
    if not root.is_dir():
        seen = "is a file" if root.exists() else "no such folder"
        raise FileNotFoundError(
            errno.ENOENT, f"{seen}; needed is a folder with a folder of pictures a class", str(root)
        )
    return sorted(
        entry.name
        for entry in os.scandir(root)
        if _is_folder(entry) and not is_ignored(entry.name) and not _leads_back(entry.path)
    )


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _stop_at(error: OSError) -> None:
    raise error


def _pass_over(error: OSError) -> None:
    """A folder that cannot be looked into has no files."""


def walk(
    folder: PathLike,
    *,
    follow_links: bool = False,
    locked: Callable[[OSError], object] = _stop_at,
) -> Iterator[Path]:
    """Every file below `folder`, those with ignored names left out; each folder is entered once.

    `locked` is called with the error of each folder that cannot be looked into, which names it;
    default: raise it.
    """
    entered = {_identity(folder)} if follow_links else set()
    for parent, folders, files in os.walk(folder, onerror=locked, followlinks=follow_links):
        folders[:] = sorted(name for name in folders if not is_ignored(name))
        if follow_links:  # one of them may lead back
            folders[:] = [name for name in folders if _is_new(os.path.join(parent, name), entered)]
        yield from (Path(parent, name) for name in sorted(files) if not is_ignored(name))


def links_out(images: ImageList) -> set[Path]:
    """The pictures that a link leads to outside of the root: their own, or that of a folder."""
    root = os.path.realpath(images.root)

    def is_outside(path: Path) -> bool:
        return not Path(os.path.realpath(path)).is_relative_to(root)

    outside = {folder for folder in {path.parent for path in images.paths} if is_outside(folder)}
    return {
        path
        for path in images.paths
        if path.parent in outside or (os.path.islink(path) and is_outside(path))
    }


def _is_new(folder: str, entered: set[tuple[int, int]]) -> bool:
    """Is the folder none of those, and no link to what it lies in? Now it is one of them."""
    identity = _identity(folder)
    if identity in entered or _leads_back(folder):
        return False
    entered.add(identity)
    return True


def _identity(folder: PathLike) -> tuple[int, int]:
    """The same for all paths that lead to a folder."""
    status = os.stat(folder)
    return status.st_dev, status.st_ino


def _leads_back(folder: str) -> bool:
    """Is it a link to a folder that it lies in itself?"""
    path = Path(folder)
    return path.is_symlink() and path.parent.resolve().is_relative_to(path.resolve())


def is_ignored(name: str) -> bool:
    """Is it a name that no class and no picture has?"""
    return name.startswith(".") or name in IGNORED_NAMES


def is_image(path: PathLike) -> bool:
    """Does the name end as a picture's? What the file is, only reading it tells."""
    return os.fspath(path).lower().endswith(IMAGE_EXTENSIONS)


def _asked_for(root: Path, classes: Sequence[str]) -> list[str]:
    names = list(classes)
    if not names or isinstance(classes, str) or len(set(names)) < len(names):
        raise ArgumentError(f"classes must be different names of folders; got {quoted(classes)}")
    there = class_folders(root)
    absent = [repr(name) for name in names if name not in there]
    if absent:
        raise FileNotFoundError(
            errno.ENOENT,
            f"no folder for the class {few_of(absent)}; there are: {few_of(there) or 'none'}",
            str(root),
        )
    return names


def _check_found(
    root: Path, names: list[str], files: list[list[Path]], found: list[list[Path]]
) -> None:
    if not names:
        raise FileNotFoundError(
            errno.ENOENT,
            "no class folders here; put the pictures of each class into a folder of its own, like "
            "cats/ and dogs/",
            str(root),
        )
    if not any(found):
        count = sum(map(len, files))
        raise FileNotFoundError(
            errno.ENOENT,
            f"no images in {len(names)} folders. Found 0 of {count} files with a known image type "
            f"({_KINDS})",
            str(root),
        )
    empty = [name for name, paths in zip(names, found, strict=True) if not paths]
    if empty:
        warnings.warn(
            f"{len(empty)} classes have no images: {few_of(empty)} (in {root})", stacklevel=3
        )


def few_of(names: Sequence[object]) -> str:
    """Some of the names, in a message.

    >>> few_of(["cat", "dog"]), few_of(range(9))
    ('cat, dog', '0, 1, 2, 3, 4, ...')
    """
    return ", ".join(map(str, names[:MAX_NAMES])) + (", ..." if len(names) > MAX_NAMES else "")


def _rows(file: Path) -> Iterator[tuple[str, str]]:
    """(path, label) of each line."""
    for number, line in enumerate(io.StringIO(read_text(file), newline=None), 1):
        words = line.strip().rsplit(maxsplit=1)
        if not words or line.lstrip().startswith("#"):
            continue
        if len(words) < 2:
            raise FormatError(
                file, f"line {number} is {quoted(line.strip())}; needed is a path and a label"
            )
        yield words[0], words[1]
