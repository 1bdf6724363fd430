"""Elementwise arithmetic: sum and product of two arrays, and a linear function of one."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.checks import FLOATS, check_array, check_number, check_same_shape
from minicnn.operations.operation import Operation, Saved, gradients, run


def _resolve_pair(a: Any, b: Any) -> dict[str, Any]:
    check_array(a, "a")
    check_array(b, "b")
    check_same_shape(a, b, "a and b")
    return {}


def _resolve_rescale(x: Any, *, scale: float, offset: float = 0.0) -> dict[str, Any]:
    check_array(x, "x", (*FLOATS, "uint8"))
    return {"scale": check_number(scale, "scale"), "offset": check_number(offset, "offset")}


ADD = Operation("add", _resolve_pair, ("add_backward",))
MULTIPLY = Operation("multiply", _resolve_pair, ("multiply_backward",))
RESCALE = Operation("rescale", _resolve_rescale, ("rescale_backward",))


def add(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, Saved]:
    """Add two arrays, as the branches of a residual network are joined.

    y = a + b

    Parameters
    ----------
    a, b : float32 arrays of equal shape, (N, ...)

    Returns
    -------
    y : float32 array of that shape
    saved : Saved, for `add_backward`

    Raises
    ------
    DTypeError : an array is not of floats
    ShapeError : the shapes differ

    References
    ----------
    He, Zhang, Ren, Sun. Deep residual learning for image recognition. CVPR 2016.

    Examples
    --------
    >>> add(np.array([1, 2], np.float32), np.array([10, 20], np.float32))[0].tolist()
    [11.0, 22.0]
    """
    return run(ADD, a, b)


def add_backward(dy: np.ndarray, saved: Saved) -> tuple[np.ndarray, np.ndarray]:
    """Return (da, db), both equal to dy."""
    found = gradients(dy, saved)
    return found["da"], found["db"]


def multiply(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, Saved]:
    """Multiply two arrays element by element, as one branch scales another.

    y = a * b

    Parameters
    ----------
    a, b : float32 arrays of equal shape, (N, ...)

    Returns
    -------
    y : float32 array of that shape
    saved : Saved, for `multiply_backward`

    Raises
    ------
    DTypeError : an array is not of floats
    ShapeError : the shapes differ

    Examples
    --------
    >>> multiply(np.array([1, 2], np.float32), np.array([10, 20], np.float32))[0].tolist()
    [10.0, 40.0]
    """
    return run(MULTIPLY, a, b)


def multiply_backward(dy: np.ndarray, saved: Saved) -> tuple[np.ndarray, np.ndarray]:
    """Return (da, db) = (dy * b, dy * a)."""
    found = gradients(dy, saved)
    return found["da"], found["db"]


def rescale(x: np.ndarray, scale: float, offset: float = 0.0) -> tuple[np.ndarray, Saved]:
    """Scale and shift all values, for instance pixels to the range from 0 to 1.

    y = x * scale + offset

    Parameters
    ----------
    x : uint8 or float32 array, (N, ...)
    scale, offset : finite numbers; 1/255 and 0 map 0...255 to 0...1. The default offset is 0

    Returns
    -------
    y : float32 array, the shape of x
    saved : Saved, for `rescale_backward`

    Raises
    ------
    DTypeError : x is neither of uint8 nor of floats
    ArgumentError : scale or offset is not a finite number

    Examples
    --------
    >>> rescale(np.array([0, 255], np.uint8), 2.0, -1.0)[0].tolist()
    [-1.0, 509.0]
    """
    return run(RESCALE, x, scale=scale, offset=offset)


def rescale_backward(dy: np.ndarray, saved: Saved) -> np.ndarray:
    """Return dx = dy * scale."""
    return gradients(dy, saved)["dx"]
