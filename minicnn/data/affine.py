"""Rotations, shifts, shears and zooms of images, as matrices that say where each pixel comes from.

A pixel (i, j) of the new image is looked up at (u, v) of the old one,

    (u, v, 1) = C M C^-1 (i, j, 1)        C: moves the origin into the middle of the image

where M is the product of the matrices below. Rows come first, i and u down, j and v to the right.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minicnn.backends import kernel
from minicnn.checks import check_choice
from minicnn.errors import DTypeError, ShapeError
from minicnn.ops.augment import FILL_MODES, INTERPOLATIONS

IDENTITY = np.eye(3)


def rotation(degrees: float) -> np.ndarray:
    """(3, 3): the picture turns clockwise if `degrees` is negative, as in Keras.

    >>> rotation(90).round().tolist()
    [[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    angle = math.radians(degrees)
    matrix = np.eye(3)
    matrix[0, :2] = math.cos(angle), -math.sin(angle)
    matrix[1, :2] = math.sin(angle), math.cos(angle)
    return matrix


def shift(down: float, right: float) -> np.ndarray:
    """(3, 3): what is looked up lies so many pixels further, so the picture moves up and left."""
    matrix = np.eye(3)
    matrix[:2, 2] = down, right
    return matrix


def shear(degrees: float) -> np.ndarray:
    """(3, 3): columns lean over by so many degrees."""
    angle = math.radians(degrees)
    matrix = np.eye(3)
    matrix[:2, 1] = -math.sin(angle), math.cos(angle)
    return matrix


def zoom(rows: float, columns: float) -> np.ndarray:
    """(3, 3): a field of so many times the height and width is seen; above 1 things get smaller."""
    return np.diag([rows, columns, 1.0])


def centered(matrix: np.ndarray, height: int, width: int) -> np.ndarray:
    """C M C^-1: the same around the middle of an image.

    >>> centered(zoom(2, 2), 5, 5) @ [2, 2, 1]
    array([2., 2., 1.])
    """
    middle = shift(height / 2 - 0.5, width / 2 - 0.5)
    back = shift(0.5 - height / 2, 0.5 - width / 2)
    return middle @ matrix @ back


def flipped(
    matrix: np.ndarray, height: int, width: int, *, rows: bool = False, columns: bool = False
) -> np.ndarray:
    """What `matrix` gives, mirrored afterwards: top and bottom (`rows`), left and right.

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
    """Images looked at through matrices, and rescaled, in one pass.

    y[n, i, j, c] = scale * x[n, u, v, c]   with (u, v, 1) = matrix[n] (i, j, 1)

    Parameters
    ----------
    x : uint8 or float32 array (N, H, W, C)
    matrix : (N, 3, 3), or (3, 3) for all; the last row is (0, 0, 1)
    fill_mode : what is seen outside of an image a b c d: "nearest" aaaa|abcd|dddd, "reflect"
        dcba|abcd|dcba, "wrap" abcd|abcd|abcd, or "constant"
    cval : with "constant", the value outside, before it is scaled
    interpolation : "bilinear", a weighted mean of four pixels, or "nearest", one of them
    scale : what all values are multiplied by

    Returns
    -------
    float32 (N, H, W, C)

    Raises
    ------
    DTypeError, ShapeError, ArgumentError

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
    rows = np.broadcast_to(matrix, (len(x), 3, 3))[:, :2].reshape(len(x), 6).astype(np.float32)
    attributes: dict[str, Any] = {
        "fill_mode": check_choice(fill_mode, "fill_mode", FILL_MODES),
        "interpolation": check_choice(interpolation, "interpolation", INTERPOLATIONS),
        "cval": float(cval),
        "scale": float(scale),
    }
    return kernel("augment_forward")(x, rows, **attributes)[0]
