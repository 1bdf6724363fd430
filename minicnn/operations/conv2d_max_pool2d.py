"""Convolution, activation and max pooling, fused: the image before pooling is not stored."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from minicnn.checks import check_choice
from minicnn.errors import ArgumentError
from minicnn.operations.conv2d import CONV2D
from minicnn.operations.operation import Operation, Saved, gradients, run
from minicnn.shapes import Padding, Pair, pool_window

# A window's argmax is stored in one byte; its value 255 means that ReLU made all cells 0.
MAX_CELLS = 255


def _resolve(
    x: Any,
    w: Any,
    b: Any | None,
    *,
    pool_size: int | Pair = 2,
    pool_strides: int | Pair | None = None,
    pool_padding: Padding = "valid",
    activation: str = "relu",
    **convolution: Any,
) -> dict[str, Any]:
    attributes = CONV2D.resolve(x, w, b, **convolution)
    image = attributes["window"].out_hw(attributes["image"])
    pool = pool_window(pool_size, pool_strides, pool_padding, image)
    if pool.size[0] * pool.size[1] > MAX_CELLS:
        raise ArgumentError(
            f"pool_size must have at most {MAX_CELLS} cells; got {pool.size[0]}x{pool.size[1]}: "
            "use conv2d, then max_pool2d"
        )
    check_choice(activation, "activation", ("relu", "linear"))
    return {**attributes, "pool": pool, "activation": activation}


CONV2D_MAX_POOL2D = Operation(
    "conv2d_max_pool2d",
    _resolve,
    ("conv2d_max_pool2d_backward_weights", "conv2d_max_pool2d_backward_input"),
)
# It also computes the mean and the variance of each channel of y, for a batch norm that follows.
CONV2D_MAX_POOL2D_MOMENTS = replace(CONV2D_MAX_POOL2D, name="conv2d_max_pool2d_moments")


def conv2d_max_pool2d(
    x: np.ndarray,
    w: np.ndarray,
    b: np.ndarray | None = None,
    *,
    strides: int | Pair = 1,
    padding: Padding = "valid",
    dilation: int | Pair = 1,
    groups: int = 1,
    pool_size: int | Pair = 2,
    pool_strides: int | Pair | None = None,
    pool_padding: Padding = "valid",
    activation: str = "relu",
    algorithm: str = "auto",
) -> tuple[np.ndarray, Saved]:
    """Return the largest activation of a convolution in each pooling window.

    y = max_pool2d(activation(conv2d(x, w, b)))

    The planner of models uses it in place of these three operations. It saves the memory of the two
    images between them, and the backward pass computes only the gradients at the maxima.

    Parameters
    ----------
    x : float32 array, (N, H, W, CI)
    w : float32 array, (KH, KW, CI / groups, CO)
    b : float32 array, (CO,), or None for no bias
    strides, padding, dilation, groups, algorithm : as in `conv2d`
    pool_size, pool_strides, pool_padding : as in `max_pool2d`; a window has at most 255 cells
    activation : "relu" or "linear"

    Returns
    -------
    y : (N, OH, OW, CO) float32
    saved : Saved, for `conv2d_max_pool2d_backward`

    Raises
    ------
    DTypeError, ShapeError, ArgumentError : as `conv2d` and `max_pool2d`

    Notes
    -----
    Where all cells of a window are negative, ReLU makes them 0, and the gradient is 0.

    Examples
    --------
    >>> x = np.arange(-8, 8, dtype=np.float32).reshape(1, 4, 4, 1)
    >>> w = np.full((1, 1, 1, 1), 2, np.float32)
    >>> conv2d_max_pool2d(x, w)[0][0, :, :, 0].tolist()
    [[0.0, 0.0], [10.0, 14.0]]
    """
    return run(
        CONV2D_MAX_POOL2D,
        x,
        w,
        b,
        strides=strides,
        padding=padding,
        dilation=dilation,
        groups=groups,
        pool_size=pool_size,
        pool_strides=pool_strides,
        pool_padding=pool_padding,
        activation=activation,
        algorithm=algorithm,
    )


def conv2d_max_pool2d_backward(
    dy: np.ndarray, saved: Saved
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (dx, dw, db) from dy, (N, OH, OW, CO); each has the shape of x, w or b."""
    found = gradients(dy, saved)
    return found["dx"], found["dw"], found["db"]
