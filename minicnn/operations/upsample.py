"""Upsampling of images, and cropping."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.checks import check_choice, check_floats, quoted
from minicnn.errors import ArgumentError, ShapeError
from minicnn.operations.operation import Operation, Saved, gradients, run
from minicnn.shapes import Padding, Pair, as_padding, as_pair

INTERPOLATIONS = ("nearest", "bilinear")


def _resolve_upsample(
    x: Any, *, size: int | Pair = 2, interpolation: str = "nearest"
) -> dict[str, Any]:
    check_floats(x, "x", "NHWC")
    check_choice(interpolation, "interpolation", INTERPOLATIONS)
    return {"size": as_pair(size, "size"), "interpolation": interpolation}


def _resolve_crop(x: Any, *, cropping: Padding) -> dict[str, Any]:
    check_floats(x, "x", "NHWC")
    crop = as_padding(cropping)
    if isinstance(crop, str):
        raise ArgumentError(
            f"cropping must be the number of rows and columns; got {quoted(cropping)}"
        )
    for length, (before, after), name in zip(x.shape[1:3], crop, ("rows", "columns"), strict=True):
        if before + after >= length:
            raise ShapeError(
                f"cropping leaves nothing of an image with {length} {name}: it takes away "
                f"{before} and {after}; use a smaller cropping or a larger image"
            )
    return {"pad_h": crop[0], "pad_w": crop[1]}


UPSAMPLE2D = Operation("upsample2d", _resolve_upsample, ("upsample2d_backward",))
CROP2D = Operation("crop2d", _resolve_crop, ("crop2d_backward",))


def upsample2d(
    x: np.ndarray, size: int | Pair = 2, interpolation: str = "nearest"
) -> tuple[np.ndarray, Saved]:
    """Make images larger: every pixel becomes `size` rows and columns.

    y[n, oy, ox, c] = x[n, oy // SY, ox // SX, c]    for "nearest"

    Parameters
    ----------
    x : float32 array, (N, H, W, C)
    size : int or (SY, SX); default 2
    interpolation : "nearest" repeats pixels, "bilinear" interpolates between the centers of
        pixels; default "nearest"

    Returns
    -------
    y : (N, H * SY, W * SX, C) float32
    saved : Saved, for `upsample2d_backward`

    Raises
    ------
    DTypeError : x is not an array of floats
    ShapeError : x does not have 4 axes
    ArgumentError : size or interpolation is not as described

    Examples
    --------
    >>> x = np.array([0, 4], np.float32).reshape(1, 1, 2, 1)
    >>> upsample2d(x, (1, 2))[0].ravel().tolist()
    [0.0, 0.0, 4.0, 4.0]
    >>> upsample2d(x, (1, 2), "bilinear")[0].ravel().tolist()
    [0.0, 1.0, 3.0, 4.0]
    """
    return run(UPSAMPLE2D, x, size=size, interpolation=interpolation)


def upsample2d_backward(dy: np.ndarray, saved: Saved) -> np.ndarray:
    """Return dx, (N, H, W, C): the sum of dy over the outputs that depend on each pixel."""
    return gradients(dy, saved)["dx"]


def crop2d(x: np.ndarray, cropping: Padding) -> tuple[np.ndarray, Saved]:
    """Take rows and columns away from the borders of images.

    Parameters
    ----------
    x : float32 array, (N, H, W, C)
    cropping : pixels: p, (rows, columns) or ((top, bottom), (left, right))

    Returns
    -------
    y : (N, H - top - bottom, W - left - right, C) float32
    saved : Saved, for `crop2d_backward`

    Raises
    ------
    DTypeError : x is not an array of floats
    ShapeError : x does not have 4 axes, or nothing would be left
    ArgumentError : cropping is not made of integers >= 0

    Examples
    --------
    >>> crop2d(np.arange(9, dtype=np.float32).reshape(1, 3, 3, 1), ((1, 0), (0, 2)))[0].ravel()
    array([3., 6.], dtype=float32)
    """
    return run(CROP2D, x, cropping=cropping)


def crop2d_backward(dy: np.ndarray, saved: Saved) -> np.ndarray:
    """Return dx, (N, H, W, C): dy with zeros where x was cropped."""
    return gradients(dy, saved)["dx"]
