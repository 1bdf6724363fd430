"""Labeled image files that were found but not read, and text files that list them."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minicnn.data.image_files import PathLike
from minicnn.errors import FormatError
from minicnn.support.files import read_text
from minicnn.support.text import quoted

MAX_NAMES = 5  # in a message
MAX_DIGITS = 12  # of a class index


class ImageList(NamedTuple):
    """Paths and labels of image files."""

    paths: list[Path]
    labels: np.ndarray  # (n,) int64, class indices
    class_names: list[str]
    root: Path

    @property
    def class_indices(self) -> dict[str, int]:
        """The index of each class name."""
        return {name: i for i, name in enumerate(self.class_names)}

    @property
    def filenames(self) -> list[str]:
        """The paths relative to `root`."""
        return [os.path.relpath(path, self.root) for path in self.paths]

    def pick(self, rows: Sequence[int] | np.ndarray) -> ImageList:
        """Return the images with these indices, with the same classes."""
        return self._replace(paths=[self.paths[i] for i in rows], labels=self.labels[rows])


def found_text(images: ImageList) -> str:
    """Return what Keras prints about the images that it found.

    >>> found_text(ImageList([Path("a/1.jpg")], np.zeros(1, int), ["a", "b"], Path(".")))
    'Found 1 images belonging to 2 classes.'
    """
    return f"Found {len(images.paths)} images belonging to {len(images.class_names)} classes."


def few_of(names: Sequence[object]) -> str:
    """Return the first names, separated by commas, for a message.

    >>> few_of(["cat", "dog"]), few_of(range(9))
    ('cat, dog', '0, 1, 2, 3, 4, ...')
    """
    return ", ".join(map(str, names[:MAX_NAMES])) + (", ..." if len(names) > MAX_NAMES else "")


def read_list(file: PathLike, root: PathLike | None = None) -> ImageList:
    """Read a text file with one `path label` line per image, the format that Caffe writes.

    Parameters
    ----------
    file : str or path
        UTF-8. The label is the last word of a line, so paths may have spaces. Empty lines and
        lines that start with # are skipped.
    root : folder that the paths are relative to; default: the file's own

    Returns
    -------
    ImageList
        If all labels are integers, they are the class indices, and the class names too. Otherwise
        the labels are class names, numbered in sorted order.

    Raises
    ------
    FormatError : a line has no label, there are no lines, or the file is not UTF-8
    """
    file = Path(file)
    root = file.parent if root is None else Path(root)
    rows = list(_rows(file))
    if not rows:
        raise FormatError(file, "names no images; lines look like cats/0001.jpg 0")
    labels, names = _classes_of([label for _, label in rows], file)
    return ImageList([root / path for path, _ in rows], labels, names, root)


def _classes_of(words: list[str], file: Path) -> tuple[np.ndarray, list[str]]:
    """Return the class index of each label, and the names of all classes."""
    if not all(word.isascii() and word.isdigit() for word in words):
        names = sorted(set(words))
        index = {name: i for i, name in enumerate(names)}
        return np.array([index[word] for word in words], np.int64), names
    largest = max(words, key=lambda word: (len(word.lstrip("0")), word.lstrip("0")))
    if len(largest.lstrip("0")) > MAX_DIGITS or int(largest) >= max(1000, 10 * len(words)):
        raise FormatError(
            file,
            f"has the class index {largest[:40]} in {len(words):,} lines; classes are numbered "
            "from 0",
        )
    labels = np.array([int(word) for word in words], np.int64)
    return labels, [str(i) for i in range(int(largest) + 1)]


def _rows(file: Path) -> Iterator[tuple[str, str]]:
    """Yield (path, label) of each line."""
    for number, line in enumerate(io.StringIO(read_text(file), newline=None), 1):
        words = line.strip().rsplit(maxsplit=1)
        if not words or line.lstrip().startswith("#"):
            continue
        if len(words) < 2:
            raise FormatError(
                file, f"line {number} must be a path and a label; got {quoted(line.strip())}"
            )
        yield words[0], words[1]
