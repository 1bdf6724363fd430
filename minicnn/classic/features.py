"""What an image is like, in a few hundred numbers that somebody thought of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.checks import nearest, shape_text
from minicnn.errors import ArgumentError, DTypeError, ShapeError
from minicnn.installed import missing_extra

# Cells that a gradient histogram is made of: at 64 x 64 pixels, 8 x 8 cells of 8 x 8 pixels.
HOG_CELLS = 8
ORIENTATIONS = 9
# A local binary pattern looks at 8 neighbors at a distance of 1; 10 kinds of them are told apart.
NEIGHBORS, RADIUS = 8, 1
PATTERNS = NEIGHBORS + 2
LBP_GRID = 4  # histograms along each side of the image
SHADES = 4  # of each color in a color histogram
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601: how bright red, green and blue look


def features(names: str, images: np.ndarray) -> np.ndarray:
    """One row of features an image; several kinds are put side by side.

    Parameters
    ----------
    names : one of `FEATURES`, or several, as "hog+lbp"
    images : uint8 (N, H, W, C), C being 1 or 3

    Returns
    -------
    float32 (N, D)

    Raises
    ------
    ArgumentError, ShapeError, DTypeError : no such features; no images
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
            f"images must be (N, H, W, C), C being 1 or 3; got {shape_text(images.shape)}"
        )
    kinds = check_features(names)
    if len(images) == 0:  # no row, but as wide as any
        return features(names, np.zeros((1, *images.shape[1:]), np.uint8))[:0]
    return np.concatenate([FEATURES[name](images) for name in kinds], 1)


def check_features(names: str) -> list[str]:
    """The kinds in "hog+lbp", each of which is one of `FEATURES`."""
    kinds = names.split("+")
    for name in kinds:
        if name not in FEATURES:
            raise ArgumentError(f"no features {name!r}{nearest(name, FEATURES)}")
    return kinds


def hog(images: np.ndarray) -> np.ndarray:
    """Histograms of oriented gradients: in which directions edges run, cell by cell.

    Each cell's histogram of 9 directions is normalized with its neighbors', in blocks of 2 x 2.

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
    """Histograms of local binary patterns: which of a pixel's neighbors are brighter than it.

    A histogram for each of 4 x 4 fields of the image, of the 10 patterns that do not change when
    the image is turned. Made of gray values, so that light and contrast hardly matter.

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
    """How much of the image has each of 4 x 4 x 4 colors: what search by content began with.

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
    """uint8 (N, H, W)."""
    if images.shape[3] == 1:
        return images[..., 0]
    return np.stack([(image @ np.array(LUMA)).round().astype(np.uint8) for image in images])


def _fields(row: np.ndarray) -> list[np.ndarray]:
    return np.array_split(row, LBP_GRID, axis=1)


def _shares(codes: np.ndarray, kinds: int) -> np.ndarray:
    """Which part of the numbers 0...kinds - 1 each is."""
    return np.bincount(codes.ravel(), minlength=kinds) / codes.size


def _skimage() -> Any:
    try:
        from skimage import feature
    except ModuleNotFoundError as err:
        raise missing_extra("these features need scikit-image", "classic") from err
    return feature
