"""Small helpers for scripts."""

from __future__ import annotations

import numpy as np

from minicnn.errors import ArgumentError
from minicnn.limits import check_parameter
from minicnn.naming import clear_session
from minicnn.random import set_random_seed

__all__ = ["clear_session", "set_random_seed", "to_categorical"]


def to_categorical(x: object, num_classes: int | None = None) -> np.ndarray:
    """Class numbers as one-hot rows: 1 in the column of the class, 0 elsewhere.

    Parameters
    ----------
    x : integers (N,) or (N, 1), each in 0...num_classes - 1
    num_classes : columns; default: the largest class number and one

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
            f"to_categorical needs class numbers, integers (N,); got {labels.dtype} {labels.shape}"
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
