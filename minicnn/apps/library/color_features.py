"""The colors of a picture: a histogram in CIE Lab, where distances are those that people see.

A pixel between the centers of bins is shared by the eight around it, so that a slightly different
light does not move whole areas into other bins. The square roots of the shares make the dot product
of two histograms p and q their Bhattacharyya coefficient,

    similarity(p, q) = sum_k sqrt(p[k] * q[k]),

which is 1 for equal histograms and 0 for pictures without a common color.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence

import numpy as np

from minicnn.apps.library.feature_extractor import Described, Reading

# The centers of the bins. Most pixels of photographs have little color, so bins are finer there.
LIGHTNESS = (5.0, 25.0, 45.0, 65.0, 85.0, 100.0)
GREEN_TO_RED = (-45.0, -15.0, 0.0, 15.0, 45.0)
BLUE_TO_YELLOW = (-45.0, -15.0, 0.0, 15.0, 45.0)
AXES = (LIGHTNESS, GREEN_TO_RED, BLUE_TO_YELLOW)
SHAPE = tuple(len(centers) for centers in AXES)
LEVELS = 32  # of red, green and blue; each of these 32,768 colors has its shares in a table
SIDE = 64  # pixels
METHOD = f"Lab histogram 1, {AXES}, {LEVELS} levels, {SIDE} pixels"

# IEC 61966-2-1: from linear sRGB to CIE XYZ, divided by the white of D65.
TO_XYZ = np.array([
    [0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505],
]) / np.array([[0.9505], [1.0], [1.0890]])  # fmt: skip
# CIE 15: below this, the cube root is replaced by a line.
SMALL = (6 / 29) ** 3


class ColorFeatures:
    """The feature extractor "color"."""

    name, source = "color", ""
    sha256 = hashlib.sha256(METHOD.encode()).hexdigest()
    dimensions = int(np.prod(SHAPE))
    class_names: list[str] = []  # noqa: RUF012
    reading = Reading((SIDE, SIDE), "rgb", "box")

    def describe(self, images: Sequence[np.ndarray]) -> list[Described]:
        """Return the histograms of images, uint8 (H, W, 3)."""
        return [Described(np.sqrt(_histogram(image)).astype(np.float16)) for image in images]


def lab(rgb: np.ndarray) -> np.ndarray:
    """Convert sRGB colors, 0...1 (..., 3), to L (0...100), a and b of CIE Lab.

    >>> lab(np.array([1.0, 1.0, 1.0])).round(1).tolist()
    [100.0, 0.0, 0.0]
    """
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = linear @ TO_XYZ.T
    f = np.where(xyz > SMALL, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = np.moveaxis(f, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1) + 0.0  # no -0.0


def _histogram(image: np.ndarray) -> np.ndarray:
    """Return the share of the pixels in each bin, (dimensions,)."""
    bins, shares = _table()
    levels = image.reshape(-1, 3) // (256 // LEVELS)
    colors = levels @ np.array([LEVELS * LEVELS, LEVELS, 1])
    counts = np.bincount(bins[colors].ravel(), shares[colors].ravel(), ColorFeatures.dimensions)
    return counts / len(colors)


@functools.cache
def _table() -> tuple[np.ndarray, np.ndarray]:
    """Return the eight bins of each color, (LEVELS ** 3, 8), and its share in each of them."""
    levels = (np.arange(LEVELS) + 0.5) / LEVELS
    colors = lab(np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), -1).reshape(-1, 3))
    bins, shares = np.zeros((len(colors), 1), np.int64), np.ones((len(colors), 1))
    for axis, centers in enumerate(AXES):
        place = np.interp(colors[:, axis], centers, np.arange(len(centers)))
        low = np.minimum(place.astype(np.int64), len(centers) - 2)
        above = (place - low)[:, None]
        bins = bins * len(centers) + low[:, None]
        bins = np.concatenate([bins, bins + 1], 1)
        shares = np.concatenate([shares * (1 - above), shares * above], 1)
    return bins, shares
