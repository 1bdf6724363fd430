"""Pooling over whole images: one value per channel."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.checks import check_floats
from minicnn.operations.operation import Operation, Saved, gradients, run


def _resolve(x: Any) -> dict[str, Any]:
    check_floats(x, "x", "NHWC")
    return {"image": (x.shape[1], x.shape[2])}


GLOBAL_MAX_POOL2D = Operation("global_max_pool2d", _resolve, ("global_max_pool2d_backward",))
GLOBAL_AVERAGE_POOL2D = Operation(
    "global_average_pool2d", _resolve, ("global_average_pool2d_backward",)
)


def global_max_pool2d(x: np.ndarray) -> tuple[np.ndarray, Saved]:
    """Return the largest value of each channel of each image.

    y[n, c] = max over h, w of x[n, h, w, c]

    Parameters
    ----------
    x : float32 array, (N, H, W, C)

    Returns
    -------
    y : (N, C) float32
    saved : Saved, for `global_max_pool2d_backward`

    Raises
    ------
    DTypeError : x is not an array of floats
    ShapeError : x does not have 4 axes, or one of H, W, C is 0

    Notes
    -----
    Among equal values the first one in row-major order receives the whole gradient. A NaN in a
    channel makes its output NaN.

    Examples
    --------
    >>> global_max_pool2d(np.arange(8, dtype=np.float32).reshape(1, 2, 2, 2))[0].tolist()
    [[6.0, 7.0]]
    """
    return run(GLOBAL_MAX_POOL2D, x)


def global_max_pool2d_backward(dy: np.ndarray, saved: Saved) -> np.ndarray:
    """Return dx, (N, H, W, C): dy at the position of each channel's maximum, else 0."""
    return gradients(dy, saved)["dx"]


def global_average_pool2d(x: np.ndarray) -> tuple[np.ndarray, Saved]:
    """Return the mean of each channel of each image.

    y[n, c] = 1/(H*W) * sum over h, w of x[n, h, w, c]

    Parameters
    ----------
    x : float32 array, (N, H, W, C)

    Returns
    -------
    y : (N, C) float32
    saved : Saved, for `global_average_pool2d_backward`

    Raises
    ------
    DTypeError : x is not an array of floats
    ShapeError : x does not have 4 axes, or one of H, W, C is 0

    References
    ----------
    Lin, Chen, Yan. Network in network. ICLR 2014.

    Examples
    --------
    >>> global_average_pool2d(np.arange(8, dtype=np.float32).reshape(1, 2, 2, 2))[0].tolist()
    [[3.0, 4.0]]
    """
    return run(GLOBAL_AVERAGE_POOL2D, x)


def global_average_pool2d_backward(dy: np.ndarray, saved: Saved) -> np.ndarray:
    """Return dx, (N, H, W, C): dy / (H * W) at every pixel."""
    return gradients(dy, saved)["dx"]
