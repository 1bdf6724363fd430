"""Softmax: turns scores into probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.checks import check_last_axis
from minicnn.operations.operation import Operation, Saved, gradients, run


def _resolve(x: Any) -> dict[str, Any]:
    check_last_axis(x, "x")
    return {}


SOFTMAX = Operation("softmax", _resolve, ("softmax_backward",))


def softmax(x: np.ndarray) -> tuple[np.ndarray, Saved]:
    """Turn scores into positive values that sum to 1 along the last axis.

    y[..., k] = exp(x[..., k]) / sum over j of exp(x[..., j])

    Parameters
    ----------
    x : float32 array, (N, ..., C): scores, also called logits

    Returns
    -------
    y : float32 array, the shape of x
    saved : Saved, for `softmax_backward`

    Raises
    ------
    DTypeError : x is not an array of floats
    ShapeError : x has no axis besides the batch

    Notes
    -----
    The row's maximum is subtracted first, which leaves the result unchanged and prevents overflow
    of large scores. A row with a NaN becomes NaN.

    References
    ----------
    Bridle. Probabilistic interpretation of feedforward classification network outputs. 1990.

    Examples
    --------
    >>> softmax(np.array([[1000, 1000]], np.float32))[0].tolist()
    [[0.5, 0.5]]
    """
    return run(SOFTMAX, x)


def softmax_backward(dy: np.ndarray, saved: Saved) -> np.ndarray:
    """Return dx = y * (dy - sum over the last axis of dy * y)."""
    return gradients(dy, saved)["dx"]
