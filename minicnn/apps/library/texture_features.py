"""The texture of a picture: which neighbors of its pixels are brighter, at two sizes of detail.

Each pixel has a pattern of eight bits, one for each neighbor that is at least as bright. The 58
patterns with at most two changes around the circle are edges, corners, spots and flat areas, and
have a bin each; all others share one. Brightness and contrast do not change a pattern. As with
colors, the square roots of the shares make the dot product the Bhattacharyya coefficient.

Ojala, Pietikäinen, Mäenpää: Multiresolution gray-scale and rotation invariant texture
classification with local binary patterns, IEEE PAMI 24 (7), 2002.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from minicnn.apps.library.feature_extractor import Described, Reading

SIDE = 128  # pixels; the second size is half of it
SIZES = 2
# The neighbors around a pixel, clockwise: (row, column).
CIRCLE = ((0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0))
METHOD = f"local binary patterns 1, {SIDE} pixels, {SIZES} sizes"


def _bins() -> np.ndarray:
    """Return the bin of each of the 256 patterns."""
    bits = (np.arange(256)[:, None] >> np.arange(8)) & 1
    changes = (bits != np.roll(bits, 1, axis=1)).sum(1)
    uniform = changes <= 2
    return np.where(uniform, np.cumsum(uniform) - 1, uniform.sum())


BINS = _bins()
COUNT = int(BINS.max()) + 1


class TextureFeatures:
    """The feature extractor "texture"."""

    name, source = "texture", ""
    sha256 = hashlib.sha256(METHOD.encode()).hexdigest()
    dimensions = SIZES * COUNT
    class_names: list[str] = []  # noqa: RUF012
    reading = Reading((SIDE, SIDE), "grayscale", "box")

    def describe(self, images: Sequence[np.ndarray]) -> list[Described]:
        """Return the histograms of images, uint8 (SIDE, SIDE, 1)."""
        return [Described(_histograms(image[..., 0]).astype(np.float16)) for image in images]


def patterns(gray: np.ndarray) -> np.ndarray:
    """Return the pattern of each inner pixel of an image (H, W), uint8 (H - 2, W - 2).

    >>> patterns(np.array([[9, 1, 1], [1, 5, 1], [1, 1, 9]])).tolist()
    [[17]]
    """
    h, w = gray.shape[0] - 2, gray.shape[1] - 2
    center = gray[1:-1, 1:-1]
    found = np.zeros((h, w), np.uint8)
    for bit, (row, column) in enumerate(CIRCLE):
        brighter = gray[row : row + h, column : column + w] >= center
        found |= brighter.view(np.uint8) << np.uint8(bit)
    return found


def _histograms(gray: np.ndarray) -> np.ndarray:
    """Return the square roots of the shares of all bins, at both sizes, together of length 1."""
    shares = []
    for _ in range(SIZES):
        codes = BINS[patterns(gray)]
        shares.append(np.bincount(codes.ravel(), minlength=COUNT) / codes.size)
        gray = _half(gray)
    return np.sqrt(np.concatenate(shares) / SIZES)


def _half(gray: np.ndarray) -> np.ndarray:
    """Return the means of 2 x 2 pixels."""
    h, w = gray.shape
    quads = gray.reshape(h // 2, 2, w // 2, 2).astype(np.uint16)
    return quads.sum((1, 3), dtype=np.uint16) >> 2
