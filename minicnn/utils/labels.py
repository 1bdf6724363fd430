"""Small helpers for scripts."""

from __future__ import annotations

import numpy as np

from minicnn.dlpack import to_device
from minicnn.errors import ArgumentError
from minicnn.random import set_random_seed
from minicnn.support.auto_names import clear_session
from minicnn.support.memory_limits import check_parameter
from minicnn.support.registry import register_serializable

__all__ = [
    "balanced_class_weight",
    "clear_session",
    "register_serializable",
    "set_random_seed",
    "to_categorical",
    "to_device",
]


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
    x : integers (N,) or (N, 1), each in 0...num_classes - 1
    num_classes : number of columns; default: the largest class index + 1

    Returns
    -------
    float32 (N, num_classes)

    >>> to_categorical([0, 2], 3)
    array([[1., 0., 0.],
           [0., 0., 1.]], dtype=float32)
    """
    labels = np.asarray(x)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.dtype.kind not in "iub" or labels.ndim != 1:
        raise ArgumentError(
            f"to_categorical needs class indices, integers (N,); got {labels.dtype} {labels.shape}"
        )
    labels = labels.astype(np.int64)
    classes = num_classes if num_classes is not None else int(labels.max(initial=-1)) + 1
    wrong = np.flatnonzero((labels < 0) | (labels >= classes))
    if wrong.size:
        i = wrong[0]
        raise ArgumentError(f"x[{i}] = {labels[i]}, but there are {classes} classes")
    check_parameter((len(labels), classes), "one-hot rows")
    rows = np.zeros((len(labels), classes), np.float32)
    rows[np.arange(len(labels)), labels] = 1
    return rows
