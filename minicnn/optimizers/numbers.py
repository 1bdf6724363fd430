"""Numbers of an optimizer with the methods that Keras's variables have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


class RateNumber(float):
    """A learning rate: a float that can be set by `assign`, and has `numpy()`.

    >>> import minicnn as mc
    >>> optimizer = mc.optimizers.SGD(0.5)
    >>> optimizer.learning_rate.assign(0.25)
    >>> optimizer.learning_rate, optimizer.learning_rate.numpy()
    (0.25, np.float32(0.25))
    """

    _set: Callable[[Any], None]

    def __new__(cls, value: float, _set: Callable[[Any], None]) -> RateNumber:
        number = super().__new__(cls, value)
        number._set = _set
        return number

    def __reduce__(self) -> tuple[Any, ...]:
        return float, (float(self),)

    def numpy(self) -> np.float32:
        """Return the rate as a number of NumPy."""
        return np.float32(self)

    def assign(self, value: Any) -> None:
        """Set the optimizer's learning rate."""
        self._set(value)


class StepCount(int):
    """A number of steps: an integer with `numpy()`."""

    def numpy(self) -> np.int64:
        """Return the same as a number of NumPy."""
        return np.int64(self)
