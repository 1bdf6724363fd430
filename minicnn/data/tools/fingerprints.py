"""Finding equal images: by the content of their files, and by what they look like.

The look of an image is a perceptual hash of 64 bits: for each of the lowest frequencies of a
thumbnail (its two-dimensional cosine transform), whether it is above their median. Saving an image
again, scaling and brightening hardly change these bits. Two gray skies may have the same bits too,
so the thumbnails of pairs with similar bits are compared as well.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from minicnn.support.files import open_regular

SIDE = 32  # pixels of the thumbnail
FREQUENCIES = 8  # of 32 in each direction
ROWS = 256  # of the table of all pairs that are compared at a time
# Calibrated 2026-11 on 3,600 scenes, 1,200 X-rays and 2,000 cats and dogs. 98.3 % (scenes at half
# the size) to 100 % of copies that were saved with quality 60, at half the size or 10 % brighter
# are within these limits. The most similar of different images, X-rays, have a correlation of
# 0.967.
MAX_BITS = 8
MIN_CORRELATION = 0.97


class Fingerprint(NamedTuple):
    """The data of an image that comparisons need."""

    digest: bytes  # SHA-256 of the file
    bits: np.uint64  # the perceptual hash
    thumbnail: np.ndarray  # float32 (SIDE * SIDE,), mean 0 and norm 1; zeros for a uniform image
    spread: float  # standard deviation of the thumbnail's grays, 0...255


def fingerprint(image: Image.Image, path: Path) -> Fingerprint:
    """Compute the fingerprint of an opened image and its file."""
    gray = image.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    pixels = np.asarray(gray, np.float32)
    centered = (pixels - pixels.mean()).ravel()
    length = np.linalg.norm(centered)
    thumbnail = centered / length if length > 0 else centered
    return Fingerprint(file_digest(path), look_bits(pixels), thumbnail, float(pixels.std()))


def file_digest(path: Path) -> bytes:
    """Return the SHA-256 of a file's content."""
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").digest()


def look_bits(gray: np.ndarray) -> np.uint64:
    """Return the perceptual hash of a (32, 32) thumbnail."""
    low = (_COSINES @ gray @ _COSINES.T).ravel()
    bits = low > np.median(low[1:])  # the first value is the mean brightness
    return np.packbits(bits).view(np.uint64)[0]


def near_pairs(
    prints: list[Fingerprint],
    *,
    max_bits: int = MAX_BITS,
    min_correlation: float = MIN_CORRELATION,
) -> list[tuple[int, int]]:
    """Return pairs (i, j), i < j, of images that look the same although their files differ.

    All pairs are compared: 10,000 images take a second, 50,000 about twenty.
    """
    if not prints:
        return []
    bits = np.array([one.bits for one in prints], np.uint64)
    pairs = []
    for start in range(0, len(bits), ROWS):
        rows = bits[start : start + ROWS, None]
        near = np.bitwise_count(rows ^ bits[start:]) <= max_bits
        i, j = np.nonzero(np.triu(near, 1))
        pairs += [(int(a) + start, int(b) + start) for a, b in zip(i, j, strict=True)]
    return [
        (i, j)
        for i, j in pairs
        if prints[i].digest != prints[j].digest
        and float(prints[i].thumbnail @ prints[j].thumbnail) >= min_correlation
    ]


def _cosine_rows() -> np.ndarray:
    """Return the first rows of the cosine transform, (FREQUENCIES, SIDE)."""
    k, x = np.arange(FREQUENCIES)[:, None], np.arange(SIDE)
    return np.cos(np.pi * k * (2 * x + 1) / (2 * SIDE)).astype(np.float32)


_COSINES = _cosine_rows()
