"""Softmax: scores to probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.checks import check_last_axis
from minicnn.ops.operation import Operation, Saved, apply, gradients


def _resolve(x: Any) -> dict[str, Any]:
    check_last_axis(x, "x")
    return {}


SOFTMAX = Operation("softmax", _resolve, ("softmax_backward",))


def softmax(x: np.ndarray) -> tuple[np.ndarray, Saved]:
    """Positive numbers that sum to 1 along the last axis, ordered as the scores are.

    y[..., k] = exp(x[..., k]) / sum over j of exp(x[..., j])

    Parameters
    ----------
    x : float32 array, (N, ..., C): scores, also called logits

    Returns
    -------
    y : float32 array, the shape of x (float64 stays float64 on the numpy backend)
    saved : Saved, for `softmax_backward`

    Raises
    ------
    DTypeError : x is not an array of floats
    ShapeError : x has no axis besides the batch

    Notes
    -----
    The row's maximum is subtracted first, which changes nothing but the size of the numbers:
    large scores do not overflow. A row with a NaN becomes NaN.

    References
    ----------
    Bridle. Probabilistic interpretation of feedforward classification network outputs. 1990.

    Examples
    --------
    >>> softmax(np.array([[1000, 1000]], np.float32))[0].tolist()
    [[0.5, 0.5]]
    """
    return apply(SOFTMAX, x)


def softmax_backward(dy: np.ndarray, saved: Saved) -> np.ndarray:
    """dx = y * (dy - sum over the last axis of dy * y)."""
    return gradients(dy, saved)["dx"]
