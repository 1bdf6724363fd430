"""The product of images with factors per channel."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.checks import check_array, check_last_axis, shape_text
from minicnn.errors import ShapeError
from minicnn.operations.operation import Operation, Saved, gradients, run


def _resolve(x: Any, s: Any) -> dict[str, Any]:
    check_last_axis(x, "x")
    check_array(s, "s")
    if not are_factors(tuple(s.shape), tuple(x.shape)):
        raise ShapeError(
            f"s must have one factor per channel of x {shape_text(x.shape)}, with the shape (C,), "
            f"or one per image and channel, (N, 1, ..., 1, C); got {shape_text(s.shape)}"
        )
    return {}


def are_factors(factors: tuple[int, ...], images: tuple[int, ...]) -> bool:
    """Return whether an array of the first shape has factors per channel of images.

    >>> are_factors((5,), (2, 3, 3, 5)), are_factors((2, 1, 1, 5), (2, 3, 3, 5))
    (True, True)
    >>> are_factors((2, 3, 1, 5), (2, 3, 3, 5)), are_factors((2, 5), (2, 5))
    (False, True)
    """
    same_rank = len(factors) == len(images)
    if not (factors and images) or len(factors) > len(images) or factors[-1] != images[-1]:
        return False
    first = 1 if same_rank and len(factors) > 1 and factors[0] == images[0] else 0
    return all(length == 1 for length in factors[first:-1])


SCALE_CHANNELS = Operation("scale_channels", _resolve, ("scale_channels_backward",))


def scale_channels(x: np.ndarray, s: np.ndarray) -> tuple[np.ndarray, Saved]:
    """Multiply each channel by a factor, which may be another one in each image.

    y[n, ..., c] = x[n, ..., c] * s[c]   or   x[n, ..., c] * s[n, 1, ..., 1, c]

    The planner of models uses it in place of a product with an array that is repeated first, as
    squeeze-and-excitation blocks have it.

    Parameters
    ----------
    x : float32 array, (N, ..., C)
    s : float32 array, (C,), (1, ..., 1, C) or (N, 1, ..., 1, C)

    Returns
    -------
    y : float32 array, the shape of x
    saved : Saved, for `scale_channels_backward`

    Raises
    ------
    DTypeError : an array is not of floats
    ShapeError : s has another shape

    References
    ----------
    Hu, Shen, Sun. Squeeze-and-excitation networks. CVPR 2018.

    Examples
    --------
    >>> x = np.ones((2, 1, 1, 2), np.float32)
    >>> scale_channels(x, np.array([2, 3], np.float32))[0].ravel().tolist()
    [2.0, 3.0, 2.0, 3.0]
    """
    return run(SCALE_CHANNELS, x, s)


def scale_channels_backward(dy: np.ndarray, saved: Saved) -> tuple[np.ndarray, np.ndarray]:
    """Return (dx, ds): dx = dy * s, and ds is the sum of dy * x over all that has one factor."""
    found = gradients(dy, saved)
    return found["dx"], found["ds"]
