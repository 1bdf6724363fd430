"""Pooling over whole images: one number a channel."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.checks import check_floats
from minicnn.ops.operation import Operation, Saved, apply, gradients


def _resolve(x: Any) -> dict[str, Any]:
    check_floats(x, "x", "NHWC")
    return {"image": (x.shape[1], x.shape[2])}


GLOBAL_MAX_POOL2D = Operation("global_max_pool2d", _resolve, ("global_max_pool2d_backward",))
GLOBAL_AVERAGE_POOL2D = Operation(
    "global_average_pool2d", _resolve, ("global_average_pool2d_backward",)
)


def global_max_pool2d(x: np.ndarray) -> tuple[np.ndarray, Saved]:
    """Largest value of each channel of each image.

    y[n, c] = max over h, w of x[n, h, w, c]

    Parameters
    ----------
    x : float32 array, (N, H, W, C)

    Returns
    -------
    y : (N, C) float32 (float64 stays float64 on the numpy backend)
    saved : Saved, for `global_max_pool2d_backward`

    Raises
    ------
    DTypeError : x is not an array of floats
    ShapeError : x does not have 4 axes, or one of H, W, C is 0

    Notes
    -----
    Among equal values the first in row-major order wins and takes the whole gradient. A NaN in
    a channel makes its output NaN.

    Examples
    --------
    >>> global_max_pool2d(np.arange(8, dtype=np.float32).reshape(1, 2, 2, 2))[0].tolist()
    [[6.0, 7.0]]
    """
    return apply(GLOBAL_MAX_POOL2D, x)


def global_max_pool2d_backward(dy: np.ndarray, saved: Saved) -> np.ndarray:
    """dx, (N, H, W, C): each dy goes to its channel's argmax, all others get 0."""
    return gradients(dy, saved)["dx"]


def global_average_pool2d(x: np.ndarray) -> tuple[np.ndarray, Saved]:
    """Mean of each channel of each image.

    y[n, c] = 1/(H*W) * sum over h, w of x[n, h, w, c]

    Parameters
    ----------
    x : float32 array, (N, H, W, C)

    Returns
    -------
    y : (N, C) float32 (float64 stays float64 on the numpy backend)
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
    return apply(GLOBAL_AVERAGE_POOL2D, x)


def global_average_pool2d_backward(dy: np.ndarray, saved: Saved) -> np.ndarray:
    """dx, (N, H, W, C): dy / (H*W) at every pixel."""
    return gradients(dy, saved)["dx"]
