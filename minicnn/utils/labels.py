"""Class labels as arrays: one-hot rows, weights of classes; and rows of length 1."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.errors import ArgumentError
from minicnn.support.memory_limits import check_parameter


def balanced_class_weight(y: object) -> dict[int, float]:
    """Return class weights with which all classes count equally, for `fit(class_weight=...)`.

        weight[c] = N / (classes * samples of class c)

    Parameters
    ----------
    y : class indices (N,) or (N, 1), or one-hot rows (N, classes)

    Returns
    -------
    dict {class: weight} of the classes in y; the mean weight of a sample is 1

    >>> balanced_class_weight([0, 0, 0, 1])
    {0: 0.6666666666666666, 1: 2.0}
    """
    labels = np.asarray(y)
    if labels.ndim == 2:
        labels = labels.argmax(1) if labels.shape[1] > 1 else labels[:, 0]
    if labels.ndim != 1 or labels.size == 0 or (labels != np.floor(labels)).any():
        raise ArgumentError(
            f"balanced_class_weight needs class indices (N,) or one-hot rows; got {labels.dtype} "
            f"{labels.shape}"
        )
    classes, counts = np.unique(labels, return_counts=True)
    weights = labels.size / (len(classes) * counts)
    return {int(c): float(w) for c, w in zip(classes, weights, strict=True)}


def to_categorical(x: object, num_classes: int | None = None) -> np.ndarray:
    """Return class indices as one-hot rows: 1 in the column of the class, 0 elsewhere.

    Parameters
    ----------
    x : whole numbers (N,), (N, 1) or (N, M, ...), each in 0...num_classes - 1; texts of them, such
        as "2", are read as numbers
    num_classes : number of columns; default: the largest class index + 1

    Returns
    -------
    float32 (N, num_classes) or (N, M, ..., num_classes)

    Raises
    ------
    ArgumentError : a value is no whole number, or no class

    >>> to_categorical([0, 2], 3)
    array([[1., 0., 0.],
           [0., 0., 1.]], dtype=float32)
    """
    labels = _whole_numbers(np.asarray(x))
    shape = labels.shape[:-1] if labels.ndim > 1 and labels.shape[-1] == 1 else labels.shape
    labels = labels.reshape(-1)
    classes = num_classes or int(labels.max(initial=-1)) + 1
    wrong = np.flatnonzero((labels < 0) | (labels >= classes))
    if wrong.size:
        i = wrong[0]
        raise ArgumentError(f"x[{i}] = {labels[i]}, but there are {classes} classes")
    check_parameter((len(labels), classes), "one-hot rows")
    rows = np.zeros((len(labels), classes), np.float32)
    rows[np.arange(len(labels)), labels] = 1
    return rows.reshape(*shape, classes)


def _whole_numbers(x: np.ndarray) -> np.ndarray:
    """Return class indices as int64."""
    try:
        labels = x.astype(np.int64)
    except (ValueError, TypeError, OverflowError):
        labels = None
    fits = labels is not None and (x.dtype.kind not in "fO" or bool((labels == x).all()))
    if x.dtype.kind in "cmMV" or not fits or labels is None:
        raise ArgumentError(
            f"to_categorical needs class indices, integers (N,); got {x.dtype} {x.shape}. Numbers "
            "of named classes: np.unique(names, return_inverse=True)[1]"
        )
    return labels


def normalize(x: Any, axis: int = -1, order: int = 2) -> np.ndarray:
    """Return x divided by its norms along an axis; what has the norm 0 stays 0.

    Parameters
    ----------
    x : array
    axis : along which norms are computed
    order : of the norm: 2 is the root of the sum of squares, 1 the sum of magnitudes

    >>> normalize(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist()
    [[0.6, 0.8], [0.0, 0.0]]
    """
    array = np.atleast_1d(np.asarray(x))
    norms = np.linalg.norm(array, order, axis, keepdims=True)
    return array / np.where(norms == 0, 1, norms)
