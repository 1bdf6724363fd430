"""Results as Keras's users expect them: arrays of NumPy that also have a method `numpy()`."""

from __future__ import annotations

from typing import Any

import numpy as np


class Array(np.ndarray):
    """An array of NumPy with Keras's `numpy()`, so that code for its tensors runs unchanged.

    >>> as_result(np.float32(2.0)).numpy()
    array(2., dtype=float32)
    """

    def numpy(self) -> np.ndarray:
        """Return the same values as a plain array of NumPy."""
        return np.asarray(self)


def as_result(value: Any) -> Any:
    """Return an array, or a number, as an Array; anything else as it is."""
    if isinstance(value, (np.ndarray, np.generic)):
        return np.asarray(value).view(Array)
    return value


class Number(float):
    """A float with Keras's `numpy()`: what losses and metrics return.

    >>> Number(0.5).numpy()
    np.float32(0.5)
    """

    __slots__ = ()
    shape: tuple[int, ...] = ()

    def numpy(self) -> np.float32:
        """Return the value as a float32 of NumPy, as Keras computes it."""
        return np.float32(self)


def as_number(value: Any) -> Any:
    """Return a single number as a Number, and an array with axes as an Array.

    >>> as_number(np.array(2.0)), as_number(np.array([1.0, 2.0]))
    (2.0, Array([1., 2.]))
    """
    array = np.asarray(value)
    return Number(array) if array.ndim == 0 else array.view(Array)
