"""Transposed 2-D convolution, which makes images larger by a learned pattern."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.backends.settings import conv_algorithm
from minicnn.checks import check_floats, quoted, shape_text
from minicnn.errors import ArgumentError, ShapeError
from minicnn.operations.operation import Operation, Saved, gradients, run
from minicnn.shapes import Padding, Pair, as_pair, conv_window, span


def _resolve(
    x: Any,
    w: Any,
    *,
    strides: int | Pair = 1,
    padding: Padding = "valid",
    output_padding: int | Pair | None = None,
    dilation: int | Pair = 1,
) -> dict[str, Any]:
    """Return the attributes of the convolution from y to x, whose gradients the kernels are."""
    check_floats(x, "x", "NHWC")
    check_floats(w, "w", ("KH", "KW", "CO", "CI"))
    if x.shape[3] != w.shape[3]:
        raise ShapeError(
            f"x has {x.shape[3]} channels, the weights {shape_text(w.shape)} are for {w.shape[3]}"
        )
    if padding not in ("valid", "same"):
        raise ArgumentError(f'padding must be "valid" or "same"; got {quoted(padding)}')
    steps, gaps = as_pair(strides, "strides"), as_pair(dilation, "dilation_rate")
    more = None if output_padding is None else as_pair(output_padding, "output_padding", 0)
    small = (x.shape[1], x.shape[2])
    image = tuple(
        _length(small[i], span(w.shape[i], gaps[i]), steps[i], padding, more and more[i])
        for i in (0, 1)
    )
    window = conv_window(w.shape[:2], steps, padding, gaps, image)  # type: ignore[arg-type]
    if window.out_hw(image) != small:  # type: ignore[arg-type]
        raise ArgumentError(
            f"output_padding={quoted(output_padding)} does not fit strides {steps}: choose numbers "
            "less than the strides, or None"
        )
    wanted = conv_algorithm.get()
    choice = {} if wanted == "auto" else {"algorithm": wanted}
    return {"window": window, "groups": 1, "image": image, **choice}


def _length(n: int, extent: int, stride: int, padding: Padding, more: int | None) -> int:
    """Return the length of y along one axis, by Keras's rules."""
    if padding == "same":
        return n * stride if more is None else (n - 1) * stride + extent % 2 + more
    return (n - 1) * stride + (max(extent, stride) if more is None else extent + more)


CONV2D_TRANSPOSE = Operation(
    "conv2d_transpose",
    _resolve,
    ("conv2d_transpose_backward_weights", "conv2d_transpose_backward_input"),
)


def conv2d_transpose(
    x: np.ndarray,
    w: np.ndarray,
    strides: int | Pair = 1,
    padding: Padding = "valid",
    output_padding: int | Pair | None = None,
    dilation: int | Pair = 1,
) -> tuple[np.ndarray, Saved]:
    """Let every pixel add its copy of the filters to a larger image: a convolution's gradient.

    y[n, iy*SY + ky*DY - top, ix*SX + kx*DX - left, k] +=
        x[n, iy, ix, c] * w[ky, kx, k, c]    for all iy, ix, ky, kx, c

    Parameters
    ----------
    x : float32 array, (N, H, W, CI)
    w : float32 array, (KH, KW, CO, CI)
    strides : int or (SY, SX), in pixels of y; default 1
    padding : "valid": y has all pixels that the filters reach; "same": OH = H * SY. Default "valid"
    output_padding : rows and columns that are added to the smallest y that fits; default None:
        as described at `padding`
    dilation : int or (DY, DX): distance between a filter's cells; default 1

    Returns
    -------
    y : (N, OH, OW, CO) float32
    saved : Saved, for `conv2d_transpose_backward`

    Raises
    ------
    DTypeError : an array is not of floats
    ShapeError : wrong axes, or channels that do not match
    ArgumentError : an argument is not in its range

    References
    ----------
    Zeiler, Krishnan, Taylor, Fergus. Deconvolutional networks. CVPR 2010.

    Examples
    --------
    >>> x = np.array([1, 2], np.float32).reshape(1, 1, 2, 1)
    >>> w = np.array([1, 10, 100], np.float32).reshape(1, 3, 1, 1)
    >>> conv2d_transpose(x, w, strides=(1, 2))[0].ravel().tolist()
    [1.0, 10.0, 102.0, 20.0, 200.0]
    """
    arguments = {"strides": strides, "padding": padding, "output_padding": output_padding}
    return run(CONV2D_TRANSPOSE, x, w, **arguments, dilation=dilation)


def conv2d_transpose_backward(dy: np.ndarray, saved: Saved) -> tuple[np.ndarray, np.ndarray]:
    """Return (dx, dw) from dy, (N, OH, OW, CO); each has the shape of x or w."""
    found = gradients(dy, saved)
    return found["dx"], found["dw"]
