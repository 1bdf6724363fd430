"""Pictures of a library that look the same: equal files, and copies that were saved again.

Three questions follow each other, from the cheapest to the dearest. Are the perceptual hashes
within MAX_BITS? Are the colors alike? Are the thumbnails of the two files alike? Equal files need
not be asked.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minicnn.apps.library.models import Features, Picture
from minicnn.apps.library.opening import Library
from minicnn.apps.library.weights import COLOR
from minicnn.data.images import decode
from minicnn.data.tools.fingerprints import MAX_BITS, MIN_CORRELATION, SIDE

# Measured in 2026-11 on 6,120 scenes and photographs: copies saved with quality 60, at half the
# size, 10 % brighter or without 2 % at each edge have at least 0.92. The thumbnails are needed
# for X-rays, whose colors and even hashes are all alike.
MIN_COLORS = 0.9
REMEMBERED = 2000  # pictures whose colors and thumbnails are not read again

Progress = Callable[[int, int], object]


class Duplicate(NamedTuple):
    """A picture that looks like the first of its group."""

    picture: int  # its key
    path: Path
    equal: bool  # whether its file has the same bytes as the first's


def duplicates(
    library: Library, progress: Progress = lambda done, total: None
) -> list[list[Duplicate]]:
    """Return groups of pictures that look the same; the first of each was indexed first.

    All pairs are compared: 10,000 pictures take a second, 100,000 about a quarter of a minute, and
    what looks alike is read again from its file. Pictures whose file is gone are compared by their
    colors alone.

    Parameters
    ----------
    progress : called with (pictures done, number of pictures)
    """
    pictures = _Pictures(library)
    grouped = np.zeros(len(pictures.keys), bool)
    groups = []
    for i in range(len(grouped)):
        if not grouped[i]:
            same = [j for j in pictures.near(i, grouped) if pictures.look_the_same(i, j)]
            grouped[same] = True
            if same:
                groups.append([pictures.duplicate(j, i) for j in [i, *same]])
        progress(i + 1, len(grouped))
    return groups


class _Pictures:
    """What is compared of all pictures."""

    def __init__(self, library: Library) -> None:
        self.library = library
        rows = Picture.objects.using(library.alias).exclude(perceptual_hash=None).order_by("id")
        found = list(
            rows.values_list("id", "perceptual_hash", "sha256", "folder__path", "path").iterator()
        )
        self.keys = [row[0] for row in found]
        self.bits = np.array([row[1] for row in found], np.int64).view(np.uint64)
        self.digests = [row[2] for row in found]
        self.paths = [Path(row[3], row[4]) for row in found]
        self._colors = lru_cache(REMEMBERED)(self._read_colors)
        self._thumbnail = lru_cache(REMEMBERED)(_thumbnail)

    def near(self, i: int, grouped: np.ndarray) -> list[int]:
        """Return the later pictures whose hash is near, and which belong to no group yet."""
        bits = np.bitwise_count(self.bits[i + 1 :] ^ self.bits[i])
        return (np.flatnonzero((bits <= MAX_BITS) & ~grouped[i + 1 :]) + i + 1).tolist()

    def look_the_same(self, i: int, j: int) -> bool:
        """Compare the contents, the colors and the thumbnails of two pictures."""
        if self.digests[i] == self.digests[j]:
            return True
        if _product(self._colors(i), self._colors(j)) < MIN_COLORS:
            return False
        thumbnails = self._thumbnail(self.paths[i]), self._thumbnail(self.paths[j])
        return _product(*thumbnails) >= MIN_CORRELATION

    def duplicate(self, j: int, first: int) -> Duplicate:
        """Return picture j as one of the group of another."""
        return Duplicate(self.keys[j], self.paths[j], self.digests[j] == self.digests[first])

    def _read_colors(self, i: int) -> np.ndarray | None:
        rows = Features.objects.using(self.library.alias).filter(extractor__name=COLOR)
        found = rows.filter(picture=self.keys[i]).values_list("vector", flat=True).first()
        return None if found is None else np.asarray(found, np.float32)


def _thumbnail(path: Path) -> np.ndarray | None:
    """Return the thumbnail of a file, mean 0 and length 1; None if it cannot be read."""
    try:
        pixels = decode(path, (SIDE, SIDE), "grayscale", "box").astype(np.float32).ravel()
    except OSError:
        return None
    centered = pixels - pixels.mean()
    length = np.linalg.norm(centered)
    return np.asarray(centered / length) if length > 0 else centered


def _product(a: np.ndarray | None, b: np.ndarray | None) -> float:
    """Return the dot product; 1, which says nothing against it, if one is missing."""
    return 1.0 if a is None or b is None else float(a @ b)
