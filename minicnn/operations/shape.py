"""Operations that rearrange values: reshape, zero padding, concatenation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn.checks import FLOATS, check_array, check_floats, check_int, quoted, shape_text
from minicnn.contracts import Shape
from minicnn.errors import ArgumentError, DTypeError, ShapeError
from minicnn.operations.operation import Operation, Saved, gradients, run
from minicnn.shapes import Padding, as_padding, is_int


def _resolve_reshape(x: Any, *, shape: Sequence[int]) -> dict[str, Any]:
    check_array(x, "x", (*FLOATS, "uint8"))
    old = tuple(int(length) for length in x.shape[1:])
    return {"shape": _completed(shape, old), "image": old}


def _completed(shape: Sequence[int], old: Shape) -> Shape:
    """Return `shape` with its -1 replaced by the length that keeps the number of elements."""
    if not isinstance(shape, Sequence):
        raise ArgumentError(f"shape must be a sequence of integers; got {quoted(shape)}")
    if list(shape).count(-1) > 1:
        raise ArgumentError(f"shape may have one -1; got {shape_text(shape)}")
    known = math.prod(check_int(n, "each length in shape") for n in shape if n != -1)
    count = math.prod(old)
    free = count // known
    new = tuple(free if n == -1 else int(n) for n in shape)
    if math.prod(new) != count:
        raise ShapeError(
            f"shape {shape_text(shape)} does not hold the {count} values of {shape_text(old)}"
        )
    return new


def _resolve_zero_pad2d(x: Any, *, padding: Padding) -> dict[str, Any]:
    check_floats(x, "x", "NHWC")
    pads = as_padding(padding)
    if isinstance(pads, str):
        raise ArgumentError(
            f"padding must be the number of rows and columns; got {quoted(padding)}"
        )
    return {"pad_h": pads[0], "pad_w": pads[1]}


def _resolve_concatenate(a: Any, b: Any, *, axis: int = -1) -> dict[str, Any]:
    check_array(a, "a")
    check_array(b, "b")
    rank = len(a.shape)
    if not is_int(axis) or not (1 <= axis < rank or 1 - rank <= axis <= -1):
        raise ArgumentError(
            f"axis must be 1 to {rank - 1}, or -1 for the last; got {quoted(axis)} (0 is the batch)"
        )
    axis = int(axis) % rank
    if _without(a.shape, axis) != _without(b.shape, axis) or len(b.shape) != rank:
        raise ShapeError(
            f"a and b may differ in axis {axis} only; got {shape_text(a.shape)} and "
            f"{shape_text(b.shape)}"
        )
    dtypes = [np.dtype(array.dtype).name for array in (a, b)]
    if dtypes[0] != dtypes[1]:
        raise DTypeError(f"a and b must have one dtype; got {dtypes[0]} and {dtypes[1]}")
    return {"axis": axis, "sizes": (int(a.shape[axis]), int(b.shape[axis]))}


def _without(shape: Shape, axis: int) -> Shape:
    return (*shape[:axis], *shape[axis + 1 :])


RESHAPE = Operation("reshape", _resolve_reshape, ("reshape_backward",))
ZERO_PAD2D = Operation("zero_pad2d", _resolve_zero_pad2d, ("zero_pad2d_backward",))
CONCATENATE = Operation("concatenate", _resolve_concatenate, ("concatenate_backward",))


def reshape(x: np.ndarray, shape: Sequence[int]) -> tuple[np.ndarray, Saved]:
    """Return the same values in the same order, with other axes; the batch axis stays.

    Parameters
    ----------
    x : float32 or uint8 array, (N, ...)
    shape : lengths of the new axes without N; one may be -1, which is computed from the others

    Returns
    -------
    y : (N, *shape), dtype of x
    saved : Saved, for `reshape_backward`

    Raises
    ------
    DTypeError : x is neither of uint8 nor of floats
    ShapeError : the new shape has another number of values
    ArgumentError : shape is not made of integers >= 1 and at most one -1

    Examples
    --------
    >>> reshape(np.zeros((5, 4, 4, 2), np.float32), (-1,))[0].shape
    (5, 32)
    """
    return run(RESHAPE, x, shape=shape)


def reshape_backward(dy: np.ndarray, saved: Saved) -> np.ndarray:
    """Return dx: dy in the shape of x."""
    return gradients(dy, saved)["dx"]


def zero_pad2d(x: np.ndarray, padding: Padding = 1) -> tuple[np.ndarray, Saved]:
    """Surround images with rows and columns of zeros.

    Parameters
    ----------
    x : float32 array, (N, H, W, C)
    padding : pixels: p, (rows, columns) or ((top, bottom), (left, right)); default 1

    Returns
    -------
    y : (N, top + H + bottom, left + W + right, C) float32
    saved : Saved, for `zero_pad2d_backward`

    Raises
    ------
    DTypeError : x is not an array of floats
    ShapeError : x does not have 4 axes
    ArgumentError : padding is not made of integers >= 0

    Examples
    --------
    >>> zero_pad2d(np.ones((1, 1, 1, 1), np.float32), ((0, 1), (1, 0)))[0][0, :, :, 0].tolist()
    [[0.0, 1.0], [0.0, 0.0]]
    """
    return run(ZERO_PAD2D, x, padding=padding)


def zero_pad2d_backward(dy: np.ndarray, saved: Saved) -> np.ndarray:
    """Return dx, (N, H, W, C): dy without the border."""
    return gradients(dy, saved)["dx"]


def concatenate(a: np.ndarray, b: np.ndarray, axis: int = -1) -> tuple[np.ndarray, Saved]:
    """Join two arrays along one axis, by default the channels of images.

    Parameters
    ----------
    a, b : float32 arrays, (N, ...), equal in all axes but `axis`
    axis : not 0, the batch; default -1, the last

    Returns
    -------
    y : float32 array
    saved : Saved, for `concatenate_backward`

    Raises
    ------
    DTypeError : an array is not of floats, or the dtypes differ
    ShapeError : the arrays differ in another axis
    ArgumentError : the arrays have no such axis, or it is the batch

    References
    ----------
    Szegedy et al. Going deeper with convolutions. CVPR 2015.

    Examples
    --------
    >>> concatenate(np.zeros((1, 2), np.float32), np.ones((1, 1), np.float32))[0].tolist()
    [[0.0, 0.0, 1.0]]
    """
    return run(CONCATENATE, a, b, axis=axis)


def concatenate_backward(dy: np.ndarray, saved: Saved) -> tuple[np.ndarray, np.ndarray]:
    """Return (da, db): dy, split where a ends."""
    found = gradients(dy, saved)
    return found["da"], found["db"]
