"""The learning rate of an optimizer: a number that can be set, a schedule or a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn import schedules
from minicnn.errors import ArgumentError
from minicnn.schedules import LearningRateSchedule, check_rate

Rate = float | LearningRateSchedule | Callable[[], float]


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


class HasLearningRate:
    """Base class of what has a learning rate, which may depend on the number of steps so far."""

    steps: int
    _rate: Any

    @property
    def has_schedule(self) -> bool:
        """Whether the learning rate follows a schedule."""
        return isinstance(self._rate, LearningRateSchedule)

    @property
    def learning_rate(self) -> RateNumber:
        """The learning rate of the next step."""
        return RateNumber(self._rate_at(self.steps), self._set_rate)

    @learning_rate.setter
    def learning_rate(self, value: Rate) -> None:
        self._set_rate(value)

    def _set_rate(self, value: Any) -> None:
        if self.has_schedule and not isinstance(value, LearningRateSchedule):
            raise ArgumentError(
                f"the learning rate follows {type(self._rate).__name__}, so it cannot be set; "
                f"give {type(self).__name__} a number as learning_rate to change it by hand or by "
                "a callback"
            )
        self._rate = as_rate(value)

    def _rate_at(self, step: int) -> float:
        if isinstance(self._rate, LearningRateSchedule):
            return float(self._rate(step))
        return check_rate(self._rate(), "learning_rate()") if callable(self._rate) else self._rate


def as_rate(value: Any) -> Any:
    """Return a learning rate after a check; a serialized schedule becomes that schedule."""
    if isinstance(value, LearningRateSchedule):
        return value
    if isinstance(value, dict):
        return schedules.deserialize(value)
    if callable(value) and not isinstance(value, type):
        return value
    return check_rate(value, "learning_rate")


def saved_rate(rate: Any) -> Any:
    """Return a learning rate as a config has it."""
    if isinstance(rate, LearningRateSchedule):
        return schedules.serialize(rate)
    return check_rate(rate(), "learning_rate()") if callable(rate) else rate
