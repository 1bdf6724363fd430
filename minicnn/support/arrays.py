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
