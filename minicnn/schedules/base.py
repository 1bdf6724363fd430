"""The base class of the schedules, and the checks of their arguments."""

from __future__ import annotations

from typing import Any

from minicnn.checks import check_int, check_number
from minicnn.shapes import is_int
from minicnn.support.reprs import constructor_defaults, repr_from_config


class LearningRateSchedule:
    """Base class of the schedules: a function from the step to the learning rate.

    A subclass defines `__call__` and keeps its constructor's arguments under their own names.

    >>> class Halving(LearningRateSchedule):
    ...     def __init__(self, start):
    ...         self.start = start
    ...
    ...     def __call__(self, step):
    ...         return self.start / 2 ** (step // 1000)
    >>> import minicnn as mc
    >>> mc.optimizers.SGD(Halving(0.1))
    SGD(learning_rate=Halving(start=0.1))
    """

    __repr__ = repr_from_config

    def __call__(self, step: int) -> float:
        """Return the learning rate of step `step`, the first step being 0."""
        raise NotImplementedError(f"{type(self).__name__} needs a method __call__(self, step)")

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return dict(vars(self))

    def saved_config(self) -> dict[str, Any]:
        """Return the same for a file: without a name that is the default."""
        default = constructor_defaults(type(self)).get("name")
        return {k: v for k, v in self.get_config().items() if k != "name" or v != default}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> LearningRateSchedule:
        """Return the schedule that `get_config` describes."""
        return cls(**config)


def check_rate(value: Any, name: str) -> float:
    """Return the learning rate after a check: a finite number that is not negative."""
    return check_number(value, name, 0.0)


def check_steps(value: Any, name: str) -> float:
    """Return a number of steps after a check: above 0, and an integer as it is."""
    return check_int(value, name) if is_int(value) else check_number(value, name, 0.0, open=True)
