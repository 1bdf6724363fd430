"""Losses: one value per sample, (N,). p is the prediction, t the target, C the number of classes.

    categorical_crossentropy    - sum over c of t_c log q_c,    q = p / sum of p
    binary_crossentropy         - mean of t log p + (1 - t) log(1 - p)
    mean_squared_error          mean of (p - t)^2

q and p are first clipped to [1e-7, 1 - 1e-7], as in Keras, because log 0 is infinite. The gradient
of a clipped value is 0; elsewhere, with the gradient of q, g_c = -t_c / q_c,

    categorical    dp_c = (g_c - sum over j of g_j q_j) / sum of p,
    binary         dp   = ((1 - t) / (1 - p) - t / p) / count,
    squared error  dp   = 2 (p - t) / count.

Losses from logits z include the last activation, and need neither clipping nor division:

    softmax_categorical_crossentropy    - sum over c of t_c (z_c - log sum over j of e^z_j)
    sigmoid_binary_crossentropy         mean of max(z, 0) - z t + log(1 + e^-|z|)

and their gradients are the difference of probabilities y and targets:

    softmax    dz = y * (sum of t) - t,        sigmoid    dz = (y - t) / count.

The target of a sparse loss is the number of a class: t is 1 there and 0 elsewhere. A number that is
not a class makes the loss NaN and its gradient 0. Label smoothing s replaces t by
(1 - s) t + s / C.
"""

from __future__ import annotations

import numpy as np

from minicnn.backends.numpy.activations import sigmoid_forward
from minicnn.backends.numpy.softmax import softmax_forward

SMALLEST = 1e-7  # Keras's epsilon


# --- from probabilities -----------------------------------------------------------------------


def categorical_crossentropy_forward(
    y_pred: np.ndarray, y_true: np.ndarray, *, label_smoothing: float
) -> tuple[np.ndarray]:
    t = _smoothed(y_true.astype(y_pred.dtype), label_smoothing, y_pred.shape[-1])
    q = y_pred / y_pred.sum(-1, keepdims=True)
    return (-(t * np.log(_clipped(q))).sum(-1),)


def categorical_crossentropy_backward(
    dloss: np.ndarray, y_pred: np.ndarray, y_true: np.ndarray, *, label_smoothing: float
) -> tuple[np.ndarray]:
    t = _smoothed(y_true.astype(y_pred.dtype), label_smoothing, y_pred.shape[-1])
    total = y_pred.sum(-1, keepdims=True)
    q = y_pred / total
    g = np.where(_clipped(q) == q, -t / _clipped(q), 0)
    return (_each(dloss, q) * (g - (g * q).sum(-1, keepdims=True)) / total,)


def sparse_categorical_crossentropy_forward(
    y_pred: np.ndarray, y_true: np.ndarray, *, label_smoothing: float
) -> tuple[np.ndarray]:
    t = _one_hot(y_true, y_pred)
    return categorical_crossentropy_forward(y_pred, t, label_smoothing=label_smoothing)


def sparse_categorical_crossentropy_backward(
    dloss: np.ndarray, y_pred: np.ndarray, y_true: np.ndarray, *, label_smoothing: float
) -> tuple[np.ndarray]:
    t = _one_hot(y_true, y_pred)
    (dy_pred,) = categorical_crossentropy_backward(
        dloss, y_pred, t, label_smoothing=label_smoothing
    )
    return (np.where(np.isnan(t), 0, dy_pred),)


def binary_crossentropy_forward(
    y_pred: np.ndarray, y_true: np.ndarray, *, label_smoothing: float
) -> tuple[np.ndarray]:
    t, p = _smoothed(y_true.astype(y_pred.dtype), label_smoothing, 2), _clipped(y_pred)
    return (-_mean(t * np.log(p) + (1 - t) * np.log(1 - p)),)


def binary_crossentropy_backward(
    dloss: np.ndarray, y_pred: np.ndarray, y_true: np.ndarray, *, label_smoothing: float
) -> tuple[np.ndarray]:
    t, p = _smoothed(y_true.astype(y_pred.dtype), label_smoothing, 2), _clipped(y_pred)
    g = np.where(p == y_pred, (1 - t) / (1 - p) - t / p, 0)
    return (_each(dloss, p) * g / _count(p),)


def mean_squared_error_forward(y_pred: np.ndarray, y_true: np.ndarray) -> tuple[np.ndarray]:
    return (_mean((y_pred - y_true.astype(y_pred.dtype)) ** 2),)


def mean_squared_error_backward(
    dloss: np.ndarray, y_pred: np.ndarray, y_true: np.ndarray
) -> tuple[np.ndarray]:
    difference = y_pred - y_true.astype(y_pred.dtype)
    return (_each(dloss, difference) * 2 * difference / _count(difference),)


# --- from logits ------------------------------------------------------------------------------


def softmax_categorical_crossentropy_forward(
    logits: np.ndarray, y_true: np.ndarray, *, label_smoothing: float
) -> tuple[np.ndarray, np.ndarray]:
    t = _smoothed(y_true.astype(logits.dtype), label_smoothing, logits.shape[-1])
    shifted = logits - logits.max(-1, keepdims=True)
    log_y = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    # A class that is not asked for adds nothing, even where its log y is -inf.
    loss = -np.where(t == 0, 0, t * log_y).sum(-1)
    return loss, *softmax_forward(logits)


def softmax_categorical_crossentropy_backward(
    dloss: np.ndarray, probabilities: np.ndarray, y_true: np.ndarray, *, label_smoothing: float
) -> tuple[np.ndarray]:
    t = _smoothed(y_true.astype(probabilities.dtype), label_smoothing, probabilities.shape[-1])
    return (_each(dloss, t) * (probabilities * t.sum(-1, keepdims=True) - t),)


def softmax_sparse_categorical_crossentropy_forward(
    logits: np.ndarray, y_true: np.ndarray, *, label_smoothing: float
) -> tuple[np.ndarray, np.ndarray]:
    t = _one_hot(y_true, logits)
    return softmax_categorical_crossentropy_forward(logits, t, label_smoothing=label_smoothing)


def softmax_sparse_categorical_crossentropy_backward(
    dloss: np.ndarray, probabilities: np.ndarray, y_true: np.ndarray, *, label_smoothing: float
) -> tuple[np.ndarray]:
    t = _one_hot(y_true, probabilities)
    (dlogits,) = softmax_categorical_crossentropy_backward(
        dloss, probabilities, t, label_smoothing=label_smoothing
    )
    return (np.where(np.isnan(t), 0, dlogits),)


def sigmoid_binary_crossentropy_forward(
    logits: np.ndarray, y_true: np.ndarray, *, label_smoothing: float
) -> tuple[np.ndarray, np.ndarray]:
    t = _smoothed(y_true.astype(logits.dtype), label_smoothing, 2)
    loss = np.maximum(logits, 0) - logits * t + np.log1p(np.exp(-np.abs(logits)))
    return _mean(loss), *sigmoid_forward(logits)


def sigmoid_binary_crossentropy_backward(
    dloss: np.ndarray, probabilities: np.ndarray, y_true: np.ndarray, *, label_smoothing: float
) -> tuple[np.ndarray]:
    t = _smoothed(y_true.astype(probabilities.dtype), label_smoothing, 2)
    return (_each(dloss, t) * (probabilities - t) / _count(t),)


# --- shared -----------------------------------------------------------------------------------


def _one_hot(labels: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Return (N, C) of `like`'s dtype; the row of a label that is not a class is NaN."""
    classes = like.shape[-1]
    t = (labels[:, None] == np.arange(classes)).astype(like.dtype)
    t[(labels < 0) | (labels >= classes)] = np.nan
    return t


def _smoothed(t: np.ndarray, label_smoothing: float, classes: int) -> np.ndarray:
    return t * (1 - label_smoothing) + label_smoothing / classes


def _clipped(p: np.ndarray) -> np.ndarray:
    return np.clip(p, SMALLEST, 1 - SMALLEST)


def _mean(a: np.ndarray) -> np.ndarray:
    """Return the mean over all axes but the first, (N,)."""
    return a.mean(tuple(range(1, a.ndim)))


def _count(a: np.ndarray) -> int:
    """Return the number of values per sample."""
    return int(np.prod(a.shape[1:]))


def _each(dloss: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Return (N,) with as many axes as `like`, to be multiplied with all values of a sample."""
    return dloss.reshape(-1, *(1,) * (like.ndim - 1))
