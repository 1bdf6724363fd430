"""The last layer of a classifier."""

from __future__ import annotations

from minicnn.checks import check_int
from minicnn.layers import Dense


def classification_head(classes: int, name: str | None = None) -> Dense:
    """Return a dense layer with softmax over `classes`, or one sigmoid if `classes` is 1.

    The sigmoid is the probability of the second of two classes; train it with
    `binary_crossentropy` and labels 0 and 1. Softmax over two classes computes the same with twice
    as many weights.

    >>> heads = classification_head(6), classification_head(1)
    >>> [head.activation.__name__ for head in heads]
    ['softmax', 'sigmoid']
    """
    check_int(classes, "classes")
    return Dense(classes, activation="sigmoid" if classes == 1 else "softmax", name=name)
