"""Local response normalization: values are divided by a sum over neighboring channels."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.checks import check_floats, check_int, check_number
from minicnn.errors import ArgumentError
from minicnn.operations.operation import Operation, Saved, gradients, run


def check_neighborhood(size: int, alpha: float, beta: float, k: float) -> dict[str, Any]:
    """Check the four parameters of the formula, and return them by name."""
    check_int(size, "size")
    if size % 2 == 0:
        raise ArgumentError(
            f"size must be odd, because the channel itself is in the middle; got {size}"
        )
    return {
        "size": int(size),
        "alpha": check_number(alpha, "alpha", 0),
        "beta": check_number(beta, "beta", 0),
        "k": check_number(k, "k", 0, open=True),
    }


def _resolve(
    x: Any, *, size: int = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> dict[str, Any]:
    check_floats(x, "x", "NHWC")
    return check_neighborhood(size, alpha, beta, k)


LOCAL_RESPONSE_NORM = Operation("local_response_norm", _resolve, ("local_response_norm_backward",))


def local_response_norm(
    x: np.ndarray,
    size: int = 5,
    alpha: float = 1e-4,
    beta: float = 0.75,
    k: float = 1.0,
) -> tuple[np.ndarray, Saved]:
    """Divide each value by a measure of the `size` neighboring channels at its pixel.

    scale[n, h, w, c] = k + alpha/size * sum over |d| <= size // 2 of x[n, h, w, c + d]^2
    y = x * scale^-beta

    Parameters
    ----------
    x : float32 array, (N, H, W, C)
    size : odd number of channels in a neighborhood; default 5
    alpha, beta, k : factor, exponent and constant of the formula; defaults 1e-4, 0.75 and 1, as in
        Caffe

    Returns
    -------
    y : float32 array, the shape of x
    saved : Saved, for `local_response_norm_backward`

    Raises
    ------
    DTypeError : x is not an array of floats
    ShapeError : x does not have 4 axes
    ArgumentError : size is even, or another parameter is negative

    References
    ----------
    Krizhevsky, Sutskever, Hinton. ImageNet classification with deep convolutional neural
    networks. NIPS 2012.

    Examples
    --------
    >>> x = np.array([3, 4], np.float32).reshape(1, 1, 1, 2)
    >>> local_response_norm(x, size=3, alpha=3.0, beta=1.0, k=7.0)[0].ravel().tolist()
    [0.09375, 0.125]
    """
    return run(LOCAL_RESPONSE_NORM, x, size=size, alpha=alpha, beta=beta, k=k)


def local_response_norm_backward(dy: np.ndarray, saved: Saved) -> np.ndarray:
    """Return dx = dy * scale^-beta - 2*alpha*beta/size * x * sum over neighbors of dy*y/scale."""
    return gradients(dy, saved)["dx"]
