"""Hand-made features: an image as a vector of a few hundred values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.checks import nearest, shape_text
from minicnn.errors import ArgumentError, DTypeError, ShapeError
from minicnn.installed import missing_extra

HOG_CELLS = 8  # along each side; at 64 x 64 pixels, cells of 8 x 8 pixels
ORIENTATIONS = 9
# A local binary pattern compares a pixel with 8 neighbors at distance 1; 10 kinds are counted.
NEIGHBORS, RADIUS = 8, 1
PATTERNS = NEIGHBORS + 2
LBP_GRID = 4  # histograms along each side of the image
SHADES = 4  # levels per channel in a color histogram
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601: perceived brightness of red, green and blue


def features(names: str, images: np.ndarray) -> np.ndarray:
    """Return the features of each image as a row; several kinds are concatenated.

    Parameters
    ----------
    names : one of `FEATURES`, or several, such as "hog+lbp"
    images : uint8 (N, H, W, C), where C is 1 or 3

    Returns
    -------
    float32 (N, D)

    Raises
    ------
    ArgumentError : there are no such features
    ShapeError, DTypeError : `images` have another shape or dtype, or are too small
    MissingExtraError : scikit-image is not installed

    Examples
    --------
    >>> features("color", np.zeros((5, 32, 32, 3), np.uint8)).shape
    (5, 64)
    """
    if images.dtype != np.uint8:
        raise DTypeError(f"images must be uint8, 0...255; got {images.dtype}")
    if images.ndim != 4 or images.shape[3] not in (1, 3):
        raise ShapeError(
            f"images must be (N, H, W, C), where C is 1 or 3; got {shape_text(images.shape)}"
        )
    kinds = check_features(names)
    if len(images) == 0:  # the width needs one image
        return features(names, np.zeros((1, *images.shape[1:]), np.uint8))[:0]
    return np.concatenate([FEATURES[name](images) for name in kinds], 1)


def check_features(names: str) -> list[str]:
    """Split a text such as "hog+lbp" into names, and check that `FEATURES` has each."""
    kinds = names.split("+")
    for name in kinds:
        if name not in FEATURES:
            raise ArgumentError(f"no features {name!r}{nearest(name, FEATURES)}")
    return kinds


def hog(images: np.ndarray) -> np.ndarray:
    """Return histograms of oriented gradients: how strong the edges of each direction are.

    The image is divided into 8 x 8 cells. Each cell has a histogram of 9 directions, which is
    normalized in blocks of 2 x 2 cells.

    References
    ----------
    Dalal, Triggs: Histograms of oriented gradients for human detection, CVPR 2005.
    """
    feature = _skimage().hog
    h, w = images.shape[1:3]
    if min(h, w) < 2 * HOG_CELLS:
        raise ShapeError(f"hog needs images of at least {2 * HOG_CELLS} pixels; got {h} x {w}")
    cells = (h // HOG_CELLS, w // HOG_CELLS)
    rows = [
        feature(
            image,
            orientations=ORIENTATIONS,
            pixels_per_cell=cells,
            cells_per_block=(2, 2),
            channel_axis=-1,
        )
        for image in images
    ]
    return np.array(rows, np.float32).reshape(len(images), -1)


def lbp(images: np.ndarray) -> np.ndarray:
    """Return histograms of local binary patterns: which neighbors of a pixel are brighter.

    The image is divided into 4 x 4 fields, each with a histogram of the 10 patterns that a
    rotation does not change. Light and contrast have little influence.

    References
    ----------
    Ojala, Pietikäinen, Mäenpää: Multiresolution gray-scale and rotation invariant texture
    classification with local binary patterns, IEEE PAMI 24 (7), 2002.
    """
    patterns = _skimage().local_binary_pattern
    gray = _gray(images)
    if min(gray.shape[1:]) < LBP_GRID:
        raise ShapeError(f"lbp needs images of at least {LBP_GRID} pixels; got {gray.shape[1:]}")
    rows = []
    for image in gray:
        codes = patterns(image, NEIGHBORS, RADIUS, "uniform").astype(np.int64)
        fields = [f for row in np.array_split(codes, LBP_GRID) for f in _fields(row)]
        rows.append(np.concatenate([_shares(field, PATTERNS) for field in fields]))
    return np.array(rows, np.float32).reshape(len(images), -1)


def color(images: np.ndarray) -> np.ndarray:
    """Return a color histogram: the share of the pixels with each of 4 x 4 x 4 colors.

    References
    ----------
    Swain, Ballard: Color indexing, International Journal of Computer Vision 7 (1), 1991.
    """
    levels = images.astype(np.int64) * SHADES // 256
    weights = SHADES ** np.arange(images.shape[3])
    kinds = SHADES ** images.shape[3]
    rows = [_shares(image, kinds) for image in levels @ weights]
    return np.array(rows, np.float32).reshape(len(images), kinds)


FEATURES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "hog": hog,
    "lbp": lbp,
    "color": color,
}


def _gray(images: np.ndarray) -> np.ndarray:
    """Convert images to gray values, uint8 (N, H, W)."""
    if images.shape[3] == 1:
        return images[..., 0]
    return np.stack([(image @ np.array(LUMA)).round().astype(np.uint8) for image in images])


def _fields(row: np.ndarray) -> list[np.ndarray]:
    return np.array_split(row, LBP_GRID, axis=1)


def _shares(codes: np.ndarray, kinds: int) -> np.ndarray:
    """Return the share of the codes that equal each of 0...kinds - 1."""
    return np.bincount(codes.ravel(), minlength=kinds) / codes.size


def _skimage() -> Any:
    try:
        from skimage import feature
    except ModuleNotFoundError as err:
        raise missing_extra("these features need scikit-image", "classic") from err
    return feature
