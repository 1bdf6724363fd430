"""The layer in which a classifier ends."""

from __future__ import annotations

from minicnn.checks import check_int
from minicnn.layers import Dense


def answer(classes: int, name: str | None = None) -> Dense:
    """Softmax over `classes`; for `classes=1` one sigmoid, which tells two classes apart.

    The sigmoid is the probability of the second class; train it with `binary_crossentropy` and
    labels 0 and 1. Softmax over two classes says the same with twice the weights.

    >>> answer(6).activation, answer(1).activation
    ('softmax', 'sigmoid')
    """
    check_int(classes, "classes")
    return Dense(classes, activation="sigmoid" if classes == 1 else "softmax", name=name)
