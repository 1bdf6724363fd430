"""Sizes, kinds and brightness of the pictures of each class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minicnn.data.folders import ImageList
from minicnn.data.image_files import reason_of, with_opened_image
from minicnn.data.images import decode
from minicnn.data.parallel import map_in_threads


class Looked(NamedTuple):
    """What one file says of itself, and its pixels if they were asked for."""

    height: int
    width: int
    kind: str  # "JPEG RGB": file format and Pillow's mode
    size_bytes: int
    sums: np.ndarray  # (2, 3): sum and sum of squares of red, green, blue, in 0...1


class ClassStats(NamedTuple):
    """One class; heights and widths (n,) in pixels."""

    name: str
    heights: np.ndarray
    widths: np.ndarray
    kinds: Counter[str]
    size_bytes: int
    mean: np.ndarray | None = None  # (3,): red, green, blue in 0...1
    std: np.ndarray | None = None

    @property
    def images(self) -> int:
        """Pictures that could be read."""
        return len(self.heights)


class FolderStats(NamedTuple):
    """All classes, all of them together, and what could not be read."""

    classes: list[ClassStats]
    total: ClassStats
    failures: list[tuple[Path, str]]

    @property
    def rows(self) -> list[ClassStats]:
        """The classes, and below them all together."""
        return [*self.classes, self.total]


def folder_stats(
    images: ImageList,
    *,
    pixels: bool = False,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> FolderStats:
    """Look at every picture.

    Parameters
    ----------
    images : as `list_folder` found them
    pixels : also decode them, for mean and standard deviation of each color; else only the first
        bytes of each file are read
    threads : that read; default: one for each processor
    progress : called with (pictures done, pictures in all) after each

    Notes
    -----
    Sizes are the file's own: a camera's note on how it was held (EXIF) turns nothing here.
    """

    def look(path: Path) -> Looked | str:
        try:
            return _look(path, pixels)
        except OSError as error:
            return reason_of(error)

    seen = map_in_threads(look, images.paths, threads, progress)
    classes = [
        _summary(name, [seen[i] for i in np.flatnonzero(images.labels == k)], pixels)
        for k, name in enumerate(images.class_names)
    ]
    failures = [(path, s) for path, s in zip(images.paths, seen, strict=True) if isinstance(s, str)]
    return FolderStats(classes, _summary("all", seen, pixels), failures)


def paper_text(stats: ClassStats) -> str:
    """What the function of paper 2 prints for a class.

    >>> sizes = np.array([150, 149]), np.array([150, 150])
    >>> print(paper_text(ClassStats("sea", *sizes, Counter(), 0)))
    Average Height: 149.5
    Max Height: 150
    Min Height: 149
    <BLANKLINE>
    Average Width: 150.0
    Max Width: 150
    Min Width: 150
    """
    if not stats.images:
        return f"{stats.name} has no images."
    lines = []
    for name, values in (("Height", stats.heights), ("Width", stats.widths)):
        lines += [
            f"Average {name}: {float(values.mean())}",
            f"Max {name}: {values.max()}",
            f"Min {name}: {values.min()}",
            "",
        ]
    return "\n".join(lines[:-1])


def _look(path: Path, pixels: bool) -> Looked:
    kind, (width, height) = with_opened_image(
        path, lambda image: (f"{image.format} {image.mode}", image.size)
    )
    sums = np.zeros((2, 3))
    if pixels:
        colors = decode(path, upright=False).reshape(-1, 3) / np.float64(255)
        sums = np.stack([colors.sum(axis=0), (colors**2).sum(axis=0)])
    return Looked(height, width, kind, path.stat().st_size, sums)


def _summary(name: str, seen: list[Looked | str], pixels: bool) -> ClassStats:
    looked = [one for one in seen if isinstance(one, Looked)]
    stats = ClassStats(
        name,
        np.array([one.height for one in looked], np.int64),
        np.array([one.width for one in looked], np.int64),
        Counter(one.kind for one in looked),
        sum(one.size_bytes for one in looked),
    )
    if not (pixels and looked):
        return stats
    first, second = sum(one.sums for one in looked) / (stats.heights @ stats.widths)
    return stats._replace(mean=first, std=np.sqrt(np.maximum(second - first**2, 0)))
