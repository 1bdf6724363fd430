"""Features that are computed from one image alone: HOG, local binary patterns, colors.

Each function takes an image, uint8 (H, W, C), where C is 1 or 3, and returns a vector of float32.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.installed import missing_extra

HOG_CELLS = 8  # along each side; at 64 x 64 pixels, cells of 8 x 8 pixels
ORIENTATIONS = 9
# A local binary pattern compares a pixel with 8 neighbors at distance 1; 10 kinds are counted.
NEIGHBORS, RADIUS = 8, 1
PATTERNS = NEIGHBORS + 2
LBP_GRID = 4  # histograms along each side of the image
SHADES = {1: 64, 3: 4}  # levels in a histogram of grays, and per channel in one of colors
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601: perceived brightness of red, green and blue


def hog(image: np.ndarray) -> np.ndarray:
    """Return histograms of oriented gradients: how strong the edges of each direction are.

    The image is divided into 8 x 8 cells. Each cell has a histogram of 9 directions, which is
    normalized in blocks of 2 x 2 cells.

    References
    ----------
    Dalal, Triggs: Histograms of oriented gradients for human detection, CVPR 2005.
    """
    h, w = image.shape[:2]
    found = skimage_feature().hog(
        image,
        orientations=ORIENTATIONS,
        pixels_per_cell=(h // HOG_CELLS, w // HOG_CELLS),
        cells_per_block=(2, 2),
        channel_axis=-1,
    )
    return np.asarray(found, np.float32)


def lbp(image: np.ndarray) -> np.ndarray:
    """Return histograms of local binary patterns: which neighbors of a pixel are brighter.

    The image is divided into 4 x 4 fields, each with a histogram of the 10 patterns that a
    rotation does not change. Light and contrast have little influence.

    References
    ----------
    Ojala, Pietikäinen, Mäenpää: Multiresolution gray-scale and rotation invariant texture
    classification with local binary patterns, IEEE PAMI 24 (7), 2002.
    """
    patterns = skimage_feature().local_binary_pattern
    codes = patterns(gray(image), NEIGHBORS, RADIUS, "uniform").astype(np.int64)
    rows = np.array_split(codes, LBP_GRID)
    fields = [field for row in rows for field in np.array_split(row, LBP_GRID, axis=1)]
    return np.concatenate([_shares(field, PATTERNS) for field in fields])


def color(image: np.ndarray) -> np.ndarray:
    """Return a color histogram: the share of the pixels with each of 4 x 4 x 4 colors.

    A gray image has a histogram of 64 grays.

    References
    ----------
    Swain, Ballard: Color indexing, International Journal of Computer Vision 7 (1), 1991.
    """
    channels = image.shape[2]
    shades = SHADES[channels]
    levels = image.astype(np.int64) * shades // 256
    return _shares(levels @ shades ** np.arange(channels), shades**channels)


def gray(image: np.ndarray) -> np.ndarray:
    """Convert an image to gray values, uint8 (H, W)."""
    if image.shape[2] == 1:
        return image[..., 0]
    return (image @ np.array(LUMA)).round().astype(np.uint8)


def skimage_feature() -> Any:
    """Import the part of scikit-image that finds features."""
    try:
        from skimage import feature
    except ModuleNotFoundError as err:
        raise missing_extra("these features need scikit-image", "classic") from err
    return feature


def _shares(codes: np.ndarray, kinds: int) -> np.ndarray:
    """Return the share of the codes that equal each of 0...kinds - 1."""
    return (np.bincount(codes.ravel(), minlength=kinds) / codes.size).astype(np.float32)
