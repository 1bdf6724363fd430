"""Losses: one value per sample that measures how wrong its prediction is.

They are computed from probabilities or, if the name begins with softmax_ or sigmoid_, from logits,
the inputs of the last activation; this is accurate even where a probability rounds to 0 or 1.

`LOSSES` has all of them by name. The backward functions take dloss, (N,), the weight of each
sample.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.checks import (
    check_array,
    check_flat,
    check_labels,
    check_last_axis,
    check_number,
    check_same_shape,
    shape_text,
)
from minicnn.errors import ShapeError
from minicnn.operations.operation import Operation, Saved, gradients, run


def _resolve_equal(prediction: Any, y_true: Any) -> dict[str, Any]:
    check_last_axis(prediction, "y_pred")
    check_array(y_true, "y_true")
    check_same_shape(prediction, y_true, "y_pred and y_true")
    return {}


def _resolve_smoothed(
    prediction: Any, y_true: Any, *, label_smoothing: float = 0.0
) -> dict[str, Any]:
    _resolve_equal(prediction, y_true)
    return {"label_smoothing": check_number(label_smoothing, "label_smoothing", 0, 1)}


def _resolve_one_hot(
    prediction: Any, y_true: Any, *, label_smoothing: float = 0.0
) -> dict[str, Any]:
    attributes = _resolve_smoothed(prediction, y_true, label_smoothing=label_smoothing)
    check_flat(prediction.shape, "y_pred")
    return attributes


def _resolve_sparse(
    prediction: Any, y_true: Any, *, label_smoothing: float = 0.0
) -> dict[str, Any]:
    check_last_axis(prediction, "y_pred")
    check_flat(prediction.shape, "y_pred")
    check_array(y_true, "y_true", ("int32",))
    if tuple(y_true.shape) != tuple(prediction.shape[:1]):
        raise ShapeError(
            f"y_true must have one label per sample, ({prediction.shape[0]},); "
            f"got shape {shape_text(y_true.shape)}"
        )
    return {"label_smoothing": check_number(label_smoothing, "label_smoothing", 0, 1)}


def _loss(name: str, resolve: Any) -> Operation:
    return Operation(name, resolve, (f"{name}_backward",))


CATEGORICAL_CROSSENTROPY = _loss("categorical_crossentropy", _resolve_one_hot)
SPARSE_CATEGORICAL_CROSSENTROPY = _loss("sparse_categorical_crossentropy", _resolve_sparse)
BINARY_CROSSENTROPY = _loss("binary_crossentropy", _resolve_smoothed)
MEAN_SQUARED_ERROR = _loss("mean_squared_error", _resolve_equal)
SOFTMAX_CATEGORICAL_CROSSENTROPY = _loss("softmax_categorical_crossentropy", _resolve_one_hot)
SOFTMAX_SPARSE_CATEGORICAL_CROSSENTROPY = _loss(
    "softmax_sparse_categorical_crossentropy", _resolve_sparse
)
SIGMOID_BINARY_CROSSENTROPY = _loss("sigmoid_binary_crossentropy", _resolve_smoothed)

LOSSES = {
    operation.name: operation
    for operation in (
        CATEGORICAL_CROSSENTROPY,
        SPARSE_CATEGORICAL_CROSSENTROPY,
        BINARY_CROSSENTROPY,
        MEAN_SQUARED_ERROR,
        SOFTMAX_CATEGORICAL_CROSSENTROPY,
        SOFTMAX_SPARSE_CATEGORICAL_CROSSENTROPY,
        SIGMOID_BINARY_CROSSENTROPY,
    )
}


def categorical_crossentropy(
    y_pred: np.ndarray, y_true: np.ndarray, label_smoothing: float = 0.0
) -> tuple[np.ndarray, Saved]:
    """Categorical crossentropy of predicted probabilities and target probabilities.

    loss[n] = -sum over c of t[n, c] * log(q[n, c])

    where q = y_pred / (the row's sum), clipped to [1e-7, 1 - 1e-7], and
    t = y_true * (1 - label_smoothing) + label_smoothing / C.

    Parameters
    ----------
    y_pred : float32 array, (N, C): probabilities
    y_true : float32 array, (N, C): one-hot rows, or any that sum to 1
    label_smoothing : share of the targets that is spread evenly over the classes; default 0

    Returns
    -------
    loss : (N,) float32
    saved : Saved, for `categorical_crossentropy_backward`

    Raises
    ------
    DTypeError : an array is not of floats
    ShapeError : the shapes differ, or are not (N, C)
    ArgumentError : label_smoothing is not in [0, 1)

    References
    ----------
    Szegedy et al. Rethinking the Inception architecture for computer vision. CVPR 2016. (Label
    smoothing.)

    Examples
    --------
    >>> y_pred = np.array([[0.25, 0.75]], np.float32)
    >>> loss, _ = categorical_crossentropy(y_pred, np.array([[0, 1]], np.float32))
    >>> f"{loss[0]:.4f}"
    '0.2877'
    """
    arguments = {"label_smoothing": label_smoothing}
    return run(CATEGORICAL_CROSSENTROPY, y_pred, y_true, **arguments)


def categorical_crossentropy_backward(dloss: np.ndarray, saved: Saved) -> np.ndarray:
    """Return dy_pred, (N, C), from dloss, (N,); it is 0 where a probability was clipped."""
    return gradients(dloss, saved)["dy_pred"]


def sparse_categorical_crossentropy(
    y_pred: np.ndarray, y_true: np.ndarray, label_smoothing: float = 0.0
) -> tuple[np.ndarray, Saved]:
    """Categorical crossentropy with class indices as targets instead of one-hot rows.

    loss[n] = -log(q[n, y_true[n]]),  q as in `categorical_crossentropy`

    Parameters
    ----------
    y_pred : float32 array, (N, C): probabilities
    y_true : int32 array, (N,): class indices, 0 to C - 1
    label_smoothing : as in `categorical_crossentropy`; default 0

    Returns
    -------
    loss : (N,) float32
    saved : Saved, for `sparse_categorical_crossentropy_backward`

    Raises
    ------
    DTypeError : y_pred is not of floats, or y_true not of int32
    ShapeError : y_pred is not (N, C), or y_true not (N,)
    ArgumentError : a label is not a class, or label_smoothing not in [0, 1)

    Examples
    --------
    >>> y_pred = np.array([[0.25, 0.75]], np.float32)
    >>> loss, _ = sparse_categorical_crossentropy(y_pred, np.array([1], np.int32))
    >>> f"{loss[0]:.4f}"
    '0.2877'
    """
    _resolve_sparse(y_pred, y_true)
    check_labels(y_true, y_pred.shape[1])
    arguments = {"label_smoothing": label_smoothing}
    return run(SPARSE_CATEGORICAL_CROSSENTROPY, y_pred, y_true, **arguments)


def sparse_categorical_crossentropy_backward(dloss: np.ndarray, saved: Saved) -> np.ndarray:
    """Return dy_pred, (N, C), from dloss, (N,); it is 0 where a probability was clipped."""
    return gradients(dloss, saved)["dy_pred"]


def binary_crossentropy(
    y_pred: np.ndarray, y_true: np.ndarray, label_smoothing: float = 0.0
) -> tuple[np.ndarray, Saved]:
    """Binary crossentropy of predicted probabilities, the mean over a sample's values.

    loss[n] = -mean over i of t[n, i] * log(p[n, i]) + (1 - t[n, i]) * log(1 - p[n, i])

    where p = y_pred, clipped to [1e-7, 1 - 1e-7], and
    t = y_true * (1 - label_smoothing) + label_smoothing / 2.

    Parameters
    ----------
    y_pred : float32 array, (N, ...): probabilities of the value 1
    y_true : float32 array of that shape: targets, 0 or 1
    label_smoothing : share of the targets that is replaced by 1/2; default 0

    Returns
    -------
    loss : (N,) float32
    saved : Saved, for `binary_crossentropy_backward`

    Raises
    ------
    DTypeError : an array is not of floats
    ShapeError : the shapes differ, or have no axis but the batch
    ArgumentError : label_smoothing is not in [0, 1)

    Examples
    --------
    >>> y_pred = np.array([[0.75]], np.float32)
    >>> loss, _ = binary_crossentropy(y_pred, np.ones((1, 1), np.float32))
    >>> f"{loss[0]:.4f}"
    '0.2877'
    """
    return run(BINARY_CROSSENTROPY, y_pred, y_true, label_smoothing=label_smoothing)


def binary_crossentropy_backward(dloss: np.ndarray, saved: Saved) -> np.ndarray:
    """Return dy_pred, (N, ...), from dloss, (N,); it is 0 where a probability was clipped."""
    return gradients(dloss, saved)["dy_pred"]


def mean_squared_error(y_pred: np.ndarray, y_true: np.ndarray) -> tuple[np.ndarray, Saved]:
    """Mean of the squared differences from the targets.

    loss[n] = mean over i of (y_pred[n, i] - y_true[n, i])^2

    Parameters
    ----------
    y_pred, y_true : float32 arrays of equal shape, (N, ...)

    Returns
    -------
    loss : (N,) float32
    saved : Saved, for `mean_squared_error_backward`

    Raises
    ------
    DTypeError : an array is not of floats
    ShapeError : the shapes differ, or have no axis but the batch

    Examples
    --------
    >>> mean_squared_error(np.full((1, 2), 3, np.float32), np.ones((1, 2), np.float32))[0].tolist()
    [4.0]
    """
    return run(MEAN_SQUARED_ERROR, y_pred, y_true)


def mean_squared_error_backward(dloss: np.ndarray, saved: Saved) -> np.ndarray:
    """Return dy_pred = dloss * 2 * (y_pred - y_true) / count."""
    return gradients(dloss, saved)["dy_pred"]


def softmax_categorical_crossentropy(
    logits: np.ndarray, y_true: np.ndarray, label_smoothing: float = 0.0
) -> tuple[np.ndarray, Saved]:
    """Softmax and categorical crossentropy as one function, without rounding between them.

    loss[n] = -sum over c of t[n, c] * (logits[n, c] - log(sum over j of exp(logits[n, j])))

    Parameters
    ----------
    logits : float32 array, (N, C): scores, before any softmax
    y_true : float32 array, (N, C): one-hot rows, or any that sum to 1
    label_smoothing : as in `categorical_crossentropy`; default 0

    Returns
    -------
    loss : (N,) float32
    saved : Saved, for `softmax_categorical_crossentropy_backward`; the softmax's result is
        `saved.arrays["probabilities"]`

    Raises
    ------
    DTypeError, ShapeError, ArgumentError : as `categorical_crossentropy`

    Examples
    --------
    >>> logits = np.array([[-500, 500]], np.float32)
    >>> softmax_categorical_crossentropy(logits, np.array([[1, 0]], np.float32))[0].tolist()
    [1000.0]
    """
    arguments = {"label_smoothing": label_smoothing}
    return run(SOFTMAX_CATEGORICAL_CROSSENTROPY, logits, y_true, **arguments)


def softmax_categorical_crossentropy_backward(dloss: np.ndarray, saved: Saved) -> np.ndarray:
    """dlogits = dloss * (probabilities - t), for rows of truth that sum to 1."""
    return gradients(dloss, saved)["dlogits"]


def softmax_sparse_categorical_crossentropy(
    logits: np.ndarray, y_true: np.ndarray, label_smoothing: float = 0.0
) -> tuple[np.ndarray, Saved]:
    """Softmax and sparse categorical crossentropy as one function, without rounding between.

    loss[n] = log(sum over j of exp(logits[n, j])) - logits[n, y_true[n]]

    Parameters
    ----------
    logits : float32 array, (N, C): scores, before any softmax
    y_true : int32 array, (N,): class indices, 0 to C - 1
    label_smoothing : as in `categorical_crossentropy`; default 0

    Returns
    -------
    loss : (N,) float32
    saved : Saved, for `softmax_sparse_categorical_crossentropy_backward`; the softmax's result is
        `saved.arrays["probabilities"]`

    Raises
    ------
    DTypeError, ShapeError, ArgumentError : as `sparse_categorical_crossentropy`

    Examples
    --------
    >>> logits = np.array([[-500, 500]], np.float32)
    >>> softmax_sparse_categorical_crossentropy(logits, np.array([0], np.int32))[0].tolist()
    [1000.0]
    """
    _resolve_sparse(logits, y_true)
    check_labels(y_true, logits.shape[1])
    arguments = {"label_smoothing": label_smoothing}
    return run(SOFTMAX_SPARSE_CATEGORICAL_CROSSENTROPY, logits, y_true, **arguments)


def softmax_sparse_categorical_crossentropy_backward(dloss: np.ndarray, saved: Saved) -> np.ndarray:
    """Return dlogits = dloss * (probabilities - t), where t is 1 for the target class."""
    return gradients(dloss, saved)["dlogits"]


def sigmoid_binary_crossentropy(
    logits: np.ndarray, y_true: np.ndarray, label_smoothing: float = 0.0
) -> tuple[np.ndarray, Saved]:
    """Sigmoid and binary crossentropy as one function, without rounding between them.

    loss[n] = mean over i of max(z, 0) - z * t + log(1 + exp(-|z|)),  z = logits[n, i]

    Parameters
    ----------
    logits : float32 array, (N, ...): scores, before any sigmoid
    y_true : float32 array of that shape: targets, 0 or 1
    label_smoothing : as in `binary_crossentropy`; default 0

    Returns
    -------
    loss : (N,) float32
    saved : Saved, for `sigmoid_binary_crossentropy_backward`; the sigmoid's result is
        `saved.arrays["probabilities"]`

    Raises
    ------
    DTypeError, ShapeError, ArgumentError : as `binary_crossentropy`

    Examples
    --------
    >>> logits = np.array([[-500]], np.float32)
    >>> sigmoid_binary_crossentropy(logits, np.ones((1, 1), np.float32))[0].tolist()
    [500.0]
    """
    return run(SIGMOID_BINARY_CROSSENTROPY, logits, y_true, label_smoothing=label_smoothing)


def sigmoid_binary_crossentropy_backward(dloss: np.ndarray, saved: Saved) -> np.ndarray:
    """Return dlogits = dloss * (probabilities - t) / count."""
    return gradients(dloss, saved)["dlogits"]
