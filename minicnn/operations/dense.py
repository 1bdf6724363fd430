"""The matrix product of fully connected layers, and the addition of a bias."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.checks import check_floats, check_last_axis, check_per_channel, shape_text
from minicnn.errors import ShapeError
from minicnn.operations.operation import Operation, Saved, gradients, run


def _resolve_dense(x: Any, w: Any, b: Any | None) -> dict[str, Any]:
    check_last_axis(x, "x")
    check_floats(w, "w", ("in", "out"))
    if x.shape[-1] != w.shape[0]:
        raise ShapeError(
            f"x has {x.shape[-1]} features, the weights {shape_text(w.shape)} are for {w.shape[0]}"
        )
    if b is not None:
        check_floats(b, "b", ("out",))
        if b.shape[0] != w.shape[1]:
            raise ShapeError(f"b must have one value per unit, {w.shape[1]}; got {b.shape[0]}")
    return {}


def _resolve_bias(x: Any, b: Any) -> dict[str, Any]:
    check_last_axis(x, "x")
    check_per_channel(x, {"b": b})
    return {}


DENSE = Operation("dense", _resolve_dense, ("dense_backward_weights", "dense_backward_input"))
BIAS = Operation("bias", _resolve_bias, ("bias_backward_bias", "bias_backward_input"))


def dense(x: np.ndarray, w: np.ndarray, b: np.ndarray | None = None) -> tuple[np.ndarray, Saved]:
    """Compute weighted sums of all features: a matrix product, plus a bias.

    y[n, ..., k] = b[k] + sum over i of x[n, ..., i] * w[i, k]

    Parameters
    ----------
    x : float32 array, (N, ..., in)
    w : float32 array, (in, out)
    b : float32 array, (out,), or None for no bias

    Returns
    -------
    y : (N, ..., out) float32
    saved : Saved, for `dense_backward`

    Raises
    ------
    DTypeError : an array is not of floats
    ShapeError : wrong axes, or sizes that do not match

    References
    ----------
    Rosenblatt. The perceptron: a probabilistic model for information storage and organization in
    the brain. Psychological Review 65, 1958.

    Examples
    --------
    >>> dense(np.ones((1, 2), np.float32), np.array([[1, 2], [3, 4]], np.float32))[0].tolist()
    [[4.0, 6.0]]
    """
    return run(DENSE, x, w, b)


def dense_backward(dy: np.ndarray, saved: Saved) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (dx, dw, db) from dy, (N, ..., out); each has the shape of x, w or b."""
    found = gradients(dy, saved)
    return found["dx"], found["dw"], found["db"]


def bias(x: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, Saved]:
    """Add one value per channel to all elements of that channel.

    y[n, ..., c] = x[n, ..., c] + b[c]

    Parameters
    ----------
    x : float32 array, (N, ..., C)
    b : float32 array, (C,)

    Returns
    -------
    y : float32 array, the shape of x
    saved : Saved, for `bias_backward`

    Raises
    ------
    DTypeError : an array is not of floats
    ShapeError : b does not have one value per channel

    Examples
    --------
    >>> bias(np.zeros((1, 2, 2), np.float32), np.array([1, 2], np.float32))[0].tolist()
    [[[1.0, 2.0], [1.0, 2.0]]]
    """
    return run(BIAS, x, b)


def bias_backward(dy: np.ndarray, saved: Saved) -> tuple[np.ndarray, np.ndarray]:
    """Return (dx, db): dx is dy, and db is its sum over all axes but the last."""
    found = gradients(dy, saved)
    return found["dx"], found["db"]
