"""Statistics of the images of each class: sizes, file formats and colors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minicnn.data.image_files import reason_of, with_opened_image
from minicnn.data.image_list import ImageList
from minicnn.data.images import decode
from minicnn.data.parallel import map_in_threads


class ImageStats(NamedTuple):
    """The statistics of one image file."""

    height: int
    width: int
    kind: str  # "JPEG RGB": file format and Pillow's mode
    size_bytes: int
    sums: np.ndarray  # (2, 3): sum and sum of squares of red, green, blue in 0...1; 0 if not read


class ClassStats(NamedTuple):
    """The statistics of one class; heights and widths are (n,) in pixels."""

    name: str
    heights: np.ndarray
    widths: np.ndarray
    kinds: Counter[str]
    size_bytes: int
    mean: np.ndarray | None = None  # (3,): red, green, blue in 0...1
    std: np.ndarray | None = None

    @property
    def images(self) -> int:
        """The number of images that could be read."""
        return len(self.heights)


class FolderStats(NamedTuple):
    """The statistics of all classes and of all images, and the files that could not be read."""

    classes: list[ClassStats]
    total: ClassStats
    failures: list[tuple[Path, str]]

    @property
    def rows(self) -> list[ClassStats]:
        """The statistics of the classes, followed by those of all images."""
        return [*self.classes, self.total]


def folder_stats(
    images: ImageList,
    *,
    pixels: bool = False,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> FolderStats:
    """Compute the statistics of every image.

    Parameters
    ----------
    images : as `list_folder` returned them
    pixels : decode the images, for mean and standard deviation of each color; if False, only the
        first bytes of each file are read
    threads : default: one per processor
    progress : called with (images done, number of images) after each

    Notes
    -----
    Sizes are those of the stored image, before its EXIF orientation is applied.
    """

    def examine(path: Path) -> ImageStats | str:
        try:
            return _examine(path, pixels)
        except OSError as error:
            return reason_of(error)

    found = map_in_threads(examine, images.paths, threads, progress)
    classes = [
        _summary(name, [found[i] for i in np.flatnonzero(images.labels == k)], pixels)
        for k, name in enumerate(images.class_names)
    ]
    failures = [
        (path, one) for path, one in zip(images.paths, found, strict=True) if isinstance(one, str)
    ]
    return FolderStats(classes, _summary("all", found, pixels), failures)


def sizes_text(stats: ClassStats) -> str:
    """Return the mean, the largest and the smallest height and width, as paper 2 prints them.

    >>> sizes = np.array([150, 149]), np.array([150, 150])
    >>> print(sizes_text(ClassStats("sea", *sizes, Counter(), 0)))
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


def _examine(path: Path, pixels: bool) -> ImageStats:
    kind, (width, height) = with_opened_image(
        path, lambda image: (f"{image.format} {image.mode}", image.size)
    )
    sums = np.zeros((2, 3))
    if pixels:
        colors = decode(path, upright=False).reshape(-1, 3) / np.float64(255)
        sums = np.stack([colors.sum(axis=0), (colors**2).sum(axis=0)])
    return ImageStats(height, width, kind, path.stat().st_size, sums)


def _summary(name: str, found: list[ImageStats | str], pixels: bool) -> ClassStats:
    readable = [one for one in found if isinstance(one, ImageStats)]
    stats = ClassStats(
        name,
        np.array([one.height for one in readable], np.int64),
        np.array([one.width for one in readable], np.int64),
        Counter(one.kind for one in readable),
        sum(one.size_bytes for one in readable),
    )
    if not (pixels and readable):
        return stats
    first, second = sum(one.sums for one in readable) / (stats.heights @ stats.widths)
    return stats._replace(mean=first, std=np.sqrt(np.maximum(second - first**2, 0)))
