"""2-D convolution of images with a set of filters."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.backends.settings import conv_algorithm
from minicnn.checks import check_choice, check_floats, check_int, shape_text
from minicnn.errors import ShapeError
from minicnn.operations.operation import Operation, Saved, gradients, run
from minicnn.shapes import Padding, Pair, conv_window

ALGORITHMS = conv_algorithm.choices


def _resolve(
    x: Any,
    w: Any,
    b: Any | None,
    *,
    strides: int | Pair = 1,
    padding: Padding = "valid",
    dilation: int | Pair = 1,
    groups: int = 1,
    algorithm: str = "auto",
) -> dict[str, Any]:
    """Return the kernels' attributes; raise if an argument or a shape does not fit."""
    check_floats(x, "x", "NHWC")
    check_floats(w, "w", ("KH", "KW", "CI", "CO"))
    check_int(groups, "groups")
    check_choice(algorithm, "algorithm", ALGORITHMS)
    channels, filters = w.shape[2] * groups, w.shape[3]
    if x.shape[3] != channels:
        raise ShapeError(
            f"x has {x.shape[3]} channels, the weights {shape_text(w.shape)} with groups={groups} "
            f"are for {channels}"
        )
    if filters % groups:
        raise ShapeError(f"groups={groups} must divide the number of filters, {filters}")
    if b is not None:
        check_floats(b, "b", ("CO",))
        if b.shape[0] != filters:
            raise ShapeError(f"b must have one value per filter, {filters}; got {b.shape[0]}")
    image = (x.shape[1], x.shape[2])
    window = conv_window(w.shape[:2], strides, padding, dilation, image)
    wanted = conv_algorithm.get() if algorithm == "auto" else algorithm
    choice = {} if wanted == "auto" else {"algorithm": wanted}
    return {"window": window, "groups": groups, "image": image, **choice}


CONV2D = Operation("conv2d", _resolve, ("conv2d_backward_weights", "conv2d_backward_input"))


def conv2d(
    x: np.ndarray,
    w: np.ndarray,
    b: np.ndarray | None = None,
    strides: int | Pair = 1,
    padding: Padding = "valid",
    dilation: int | Pair = 1,
    groups: int = 1,
    algorithm: str = "auto",
) -> tuple[np.ndarray, Saved]:
    """Convolve images with filters: weighted sums over a window that slides over each image.

    y[n, oy, ox, k] = b[k] + sum over ky, kx, c of
        x[n, oy*SY + ky*DY - top, ox*SX + kx*DX - left, c] * w[ky, kx, c, k]

    Parameters
    ----------
    x : float32 array, (N, H, W, CI)
    w : float32 array, (KH, KW, CI / groups, CO)
    b : float32 array, (CO,), or None for no bias
    strides : int or (SY, SX), in pixels; default 1
    padding : "valid" uses complete windows only; "same" pads with zeros so that OH = ceil(H / SY),
        with an odd row or column after the image; or the number of rows and columns of zeros: p,
        (ph, pw) or ((top, bottom), (left, right))
    dilation : int or (DY, DX), in pixels: distance between a window's cells; default 1
    groups : int; filter k sees only the channels of its group. CI groups make a depthwise
        convolution
    algorithm : "direct" computes every product of the formula; "winograd" saves most of the
        multiplications of small windows with stride 1, with larger rounding errors, about 1e-6 of
        the results' size for 3 x 3; "auto" is the setting of `mc.config.set_conv_algorithm`, by
        default the faster of the two. An engine that has no such algorithm for the shape uses
        "direct"

    Returns
    -------
    y : (N, OH, OW, CO) float32
    saved : Saved, for `conv2d_backward`

    Raises
    ------
    DTypeError : an array is not of floats
    ShapeError : wrong axes, channels that do not match, or no window fits
    ArgumentError : strides, dilation, padding or groups is not an integer in its range, or the
        algorithm is unknown

    Notes
    -----
    Winograd's algorithm computes 4 x 4 outputs from one tile of x. Let X[c] be the largest
    magnitude in channel c of the tile that (oy, ox) belongs to. With "auto", y differs from the
    exact sum by at most

        e * (sum over c of X[c] * sum over ky, kx of |w[ky, kx, c, k]| + |b[k]|)

    where e = 32 * 2^-24 for 3 x 3 and 128 * 2^-24 for 5 x 5 kernels. Outputs that depend on padding
    alone are exact. docs/fast.md has the bounds of the gradients.

    References
    ----------
    LeCun, Bottou, Bengio, Haffner. Gradient-based learning applied to document recognition. 1998.

    Examples
    --------
    >>> x = np.arange(9, dtype=np.float32).reshape(1, 3, 3, 1)
    >>> w = np.ones((2, 2, 1, 1), np.float32)
    >>> conv2d(x, w)[0][0, :, :, 0].tolist()
    [[8.0, 12.0], [20.0, 24.0]]
    """
    arguments = {"strides": strides, "padding": padding, "dilation": dilation, "groups": groups}
    return run(CONV2D, x, w, b, **arguments, algorithm=algorithm)


def conv2d_backward(dy: np.ndarray, saved: Saved) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (dx, dw, db) from dy, (N, OH, OW, CO); each has the shape of x, w or b."""
    found = gradients(dy, saved)
    return found["dx"], found["dw"], found["db"]
