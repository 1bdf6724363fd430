"""Convolution and ReLU, fused."""

from __future__ import annotations

import numpy as np

from minicnn.operations.conv2d import CONV2D
from minicnn.operations.operation import Operation, Saved, gradients, run
from minicnn.shapes import Padding, Pair

CONV2D_RELU = Operation(
    "conv2d_relu",
    CONV2D.resolve,
    ("conv2d_relu_backward_weights", "conv2d_relu_backward_input"),
)


def conv2d_relu(
    x: np.ndarray,
    w: np.ndarray,
    b: np.ndarray | None = None,
    strides: int | Pair = 1,
    padding: Padding = "valid",
    dilation: int | Pair = 1,
    groups: int = 1,
    algorithm: str = "auto",
) -> tuple[np.ndarray, Saved]:
    """Convolve images with filters and replace negative results by 0.

    y = relu(conv2d(x, w, b))

    The planner of models uses it in place of these two operations. It saves one pass over the
    image, and the memory of the image between them.

    Parameters
    ----------
    x : float32 array, (N, H, W, CI)
    w : float32 array, (KH, KW, CI / groups, CO)
    b : float32 array, (CO,), or None for no bias
    strides, padding, dilation, groups, algorithm : as in `conv2d`

    Returns
    -------
    y : (N, OH, OW, CO) float32
    saved : Saved, for `conv2d_relu_backward`

    Raises
    ------
    DTypeError, ShapeError, ArgumentError : as in `conv2d`

    Examples
    --------
    >>> x = np.arange(-2, 2, dtype=np.float32).reshape(1, 2, 2, 1)
    >>> conv2d_relu(x, np.full((1, 1, 1, 1), 3, np.float32))[0][0, :, :, 0].tolist()
    [[0.0, 0.0], [0.0, 3.0]]
    """
    arguments = {"strides": strides, "padding": padding, "dilation": dilation, "groups": groups}
    return run(CONV2D_RELU, x, w, b, **arguments, algorithm=algorithm)


def conv2d_relu_backward(dy: np.ndarray, saved: Saved) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (dx, dw, db) from dy, (N, OH, OW, CO); each has the shape of x, w or b."""
    found = gradients(dy, saved)
    return found["dx"], found["dw"], found["db"]
