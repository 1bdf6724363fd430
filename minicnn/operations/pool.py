"""Pooling over windows: the largest value or the mean of each."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.checks import check_floats
from minicnn.operations.operation import Operation, Saved, gradients, run
from minicnn.shapes import Padding, Pair, pool_window


def _resolve(
    x: Any,
    *,
    pool_size: int | Pair = 2,
    strides: int | Pair | None = None,
    padding: Padding = "valid",
    ceil_mode: bool = False,
) -> dict[str, Any]:
    check_floats(x, "x", "NHWC")
    image = (x.shape[1], x.shape[2])
    window = pool_window(pool_size, strides, padding, image, ceil_mode=ceil_mode)
    return {"window": window, "image": image}


MAX_POOL2D = Operation("max_pool2d", _resolve, ("max_pool2d_backward",))
AVERAGE_POOL2D = Operation("average_pool2d", _resolve, ("average_pool2d_backward",))


def max_pool2d(
    x: np.ndarray,
    pool_size: int | Pair = 2,
    strides: int | Pair | None = None,
    padding: Padding = "valid",
    *,
    ceil_mode: bool = False,
) -> tuple[np.ndarray, Saved]:
    """Return the largest value in each window of each channel.

    y[n, oy, ox, c] = max over ky, kx of x[n, oy*SY + ky - top, ox*SX + kx - left, c]

    Parameters
    ----------
    x : float32 array, (N, H, W, C)
    pool_size : int or (KH, KW), in pixels; default 2
    strides : int or (SY, SX), in pixels; default `pool_size`, so that windows tile the image
    padding : "valid" uses complete windows only; "same" pads so that OH = ceil(H / SY); or the
        number of rows and columns, each less than the window. Padding is never the maximum
    ceil_mode : also use a last, incomplete window, as Caffe does; default False

    Returns
    -------
    y : (N, OH, OW, C) float32
    saved : Saved, for `max_pool2d_backward`

    Raises
    ------
    DTypeError : x is not an array of floats
    ShapeError : x does not have 4 axes, or no window fits
    ArgumentError : a size is not an integer in its range, or a window could contain only padding

    Notes
    -----
    Among equal values the first one in row-major order receives the whole gradient. A NaN in a
    window makes its output NaN.

    References
    ----------
    Ranzato, Huang, Boureau, LeCun. Unsupervised learning of invariant feature hierarchies with
    applications to object recognition. CVPR 2007.

    Examples
    --------
    >>> x = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)
    >>> max_pool2d(x)[0][0, :, :, 0].tolist()
    [[5.0, 7.0], [13.0, 15.0]]
    """
    arguments = {"pool_size": pool_size, "strides": strides, "padding": padding}
    return run(MAX_POOL2D, x, **arguments, ceil_mode=ceil_mode)


def max_pool2d_backward(dy: np.ndarray, saved: Saved) -> np.ndarray:
    """Return dx, (N, H, W, C): each dy is added at the position of its window's maximum."""
    return gradients(dy, saved)["dx"]


def average_pool2d(
    x: np.ndarray,
    pool_size: int | Pair = 2,
    strides: int | Pair | None = None,
    padding: Padding = "valid",
    *,
    ceil_mode: bool = False,
) -> tuple[np.ndarray, Saved]:
    """Return the mean of each window of each channel.

    y[n, oy, ox, c] = 1/count * sum over ky, kx of x[n, oy*SY + ky - top, ox*SX + kx - left, c]

    where only cells inside the image are summed and counted, as in Keras.

    Parameters
    ----------
    x : float32 array, (N, H, W, C)
    pool_size, strides, padding, ceil_mode : as in `max_pool2d`

    Returns
    -------
    y : (N, OH, OW, C) float32
    saved : Saved, for `average_pool2d_backward`

    Raises
    ------
    DTypeError, ShapeError, ArgumentError : as `max_pool2d`

    References
    ----------
    LeCun, Bottou, Bengio, Haffner. Gradient-based learning applied to document recognition. 1998.

    Examples
    --------
    >>> x = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)
    >>> average_pool2d(x)[0][0, :, :, 0].tolist()
    [[2.5, 4.5], [10.5, 12.5]]
    """
    arguments = {"pool_size": pool_size, "strides": strides, "padding": padding}
    return run(AVERAGE_POOL2D, x, **arguments, ceil_mode=ceil_mode)


def average_pool2d_backward(dy: np.ndarray, saved: Saved) -> np.ndarray:
    """Return dx, (N, H, W, C): each dy is divided equally among its window's cells."""
    return gradients(dy, saved)["dx"]
