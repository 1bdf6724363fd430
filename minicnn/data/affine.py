"""Affine changes of images: rotation, shift, shear, zoom and flips, as 3 x 3 matrices.

A matrix maps a pixel (i, j) of the new image to its source (u / w, v / w) in the old one:

    (u, v, w) = C M C^-1 (i, j, 1)

C moves the origin to the center of the image, and M is a product of the matrices below. Rows come
first: i and u count downwards, j and v to the right. The last row of an affine matrix is (0, 0, 1),
so w is 1; the matrices of `perspective.py` have another one.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from minicnn.backends import kernel
from minicnn.checks import check_choice
from minicnn.errors import DTypeError, ShapeError
from minicnn.operations.augment import FILL_MODES, INTERPOLATIONS

IDENTITY = np.eye(3)


def rotation(degrees: float) -> np.ndarray:
    """Return the matrix of a rotation, clockwise if `degrees` is negative, as in Keras.

    >>> rotation(90).round().tolist()
    [[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    angle = math.radians(degrees)
    matrix = np.eye(3)
    matrix[0, :2] = math.cos(angle), -math.sin(angle)
    matrix[1, :2] = math.sin(angle), math.cos(angle)
    return matrix


def shift(down: float, right: float) -> np.ndarray:
    """Return the matrix that moves sources down and right, so the image moves up and left."""
    matrix = np.eye(3)
    matrix[:2, 2] = down, right
    return matrix


def shear(degrees: float) -> np.ndarray:
    """Return the matrix of a shear that tilts columns by an angle."""
    angle = math.radians(degrees)
    matrix = np.eye(3)
    matrix[:2, 1] = -math.sin(angle), math.cos(angle)
    return matrix


def zoom(rows: float, columns: float) -> np.ndarray:
    """Return the matrix that shows these factors of the height and width; above 1 zooms out."""
    return np.diag([rows, columns, 1.0])


def centered(matrix: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return C M C^-1: the same change around the center of an image.

    >>> centered(zoom(2, 2), 5, 5) @ [2, 2, 1]
    array([2., 2., 1.])
    """
    to_center, back = _center(height, width)
    return back @ matrix @ to_center


@lru_cache(maxsize=64)
def _center(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return C^-1, which moves the center of an image to the origin, and C, which moves it back."""
    down, right = height / 2 - 0.5, width / 2 - 0.5
    return shift(-down, -right), shift(down, right)


def flipped(
    matrix: np.ndarray, height: int, width: int, *, rows: bool = False, columns: bool = False
) -> np.ndarray:
    """Return the change followed by flips: `rows` swaps top and bottom, `columns` left and right.

    >>> flipped(IDENTITY, 3, 5, columns=True) @ [1, 0, 1]
    array([1., 4., 1.])
    """
    mirror = np.eye(3)
    if rows:
        mirror[0] = -1, 0, height - 1
    if columns:
        mirror[1] = 0, -1, width - 1
    return matrix @ mirror


def affine_images(
    x: np.ndarray,
    matrix: np.ndarray,
    *,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation: str = "bilinear",
    scale: float = 1.0,
) -> np.ndarray:
    """Apply affine changes or homographies to images, times `scale`, in one pass.

        y[n, i, j, c] = scale * x[n, u / w, v / w, c]   with (u, v, w) = matrix[n] (i, j, 1)

    Parameters
    ----------
    x : uint8 or float32 array (N, H, W, C)
    matrix : (N, 3, 3), or (3, 3) for all. The last row of an affine change is (0, 0, 1). Where
        another last row gives a w that is not positive, a pixel has no source: it is filled as far
        outside the image
    fill_mode : what surrounds an image a b c d: "nearest" aaaa|abcd|dddd, "reflect"
        dcba|abcd|dcba, "wrap" abcd|abcd|abcd, or "constant"
    cval : the value around the image with "constant", before `scale` is applied
    interpolation : "bilinear", a weighted mean of four pixels, or "nearest", the nearest pixel
    scale : factor of all values

    Returns
    -------
    float32 (N, H, W, C)

    Raises
    ------
    DTypeError : `x` is neither uint8 nor float32
    ShapeError : `x` or `matrix` has a wrong shape
    ArgumentError : `fill_mode` or `interpolation` is unknown

    Examples
    --------
    >>> x = np.array([10, 20, 30, 40], np.uint8).reshape(1, 1, 4, 1)
    >>> affine_images(x, shift(0, 0.5)).ravel().tolist()
    [15.0, 25.0, 35.0, 40.0]
    """
    x, matrix = np.asarray(x), np.asarray(matrix, np.float64)
    if x.dtype not in (np.uint8, np.float32):
        raise DTypeError(f"x must be uint8 or float32; got {x.dtype}")
    if x.ndim != 4 or 0 in x.shape[1:]:
        raise ShapeError(f"x must be images (N, H, W, C); got shape {x.shape}")
    if matrix.shape not in ((3, 3), (len(x), 3, 3)):
        raise ShapeError(f"matrix must be (3, 3) or ({len(x)}, 3, 3); got {matrix.shape}")
    rows = np.empty((len(x), 9), np.float32)
    rows[:] = matrix.reshape(-1, 9)
    if (rows[:, 6:] == IDENTITY[2]).all():
        rows = rows[:, :6].copy()  # affine
    attributes: dict[str, Any] = {
        "fill_mode": check_choice(fill_mode, "fill_mode", FILL_MODES),
        "interpolation": check_choice(interpolation, "interpolation", INTERPOLATIONS),
        "cval": float(cval),
        "scale": float(scale),
    }
    return kernel("augment_forward")(x, rows, **attributes)[0]
