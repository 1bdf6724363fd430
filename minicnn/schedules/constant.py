"""Schedules that are constant, or constant between given steps."""

from __future__ import annotations

from collections.abc import Sequence

from minicnn.checks import check_name, check_number, quoted
from minicnn.errors import ArgumentError
from minicnn.schedules.base import LearningRateSchedule, check_rate
from minicnn.shapes import is_int


class Constant(LearningRateSchedule):
    """The same learning rate in every step."""

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = check_rate(learning_rate, "learning_rate")

    def __call__(self, step: int) -> float:
        """Return the learning rate, which does not depend on `step`."""
        return self.learning_rate


class PiecewiseConstantDecay(LearningRateSchedule):
    """The learning rate is values[0] up to step boundaries[0], then values[1], and so on.

    A boundary itself still has the value before it. `values` has one element more than
    `boundaries`.

    >>> rate = PiecewiseConstantDecay([100, 200], [0.1, 0.01, 0.001])
    >>> rate(100), rate(101), rate(5000)
    (0.1, 0.01, 0.001)
    """

    def __init__(
        self, boundaries: Sequence[float], values: Sequence[float], name: str = "PiecewiseConstant"
    ) -> None:
        for key, given in (("boundaries", boundaries), ("values", values)):
            if not isinstance(given, (list, tuple)):
                raise ArgumentError(f"{key} must be a list; got {quoted(given)}")
        self.boundaries = [_checked_boundary(step) for step in boundaries]
        self.values = [check_rate(value, "values") for value in values]
        self.name = check_name(name)
        if len(self.values) != len(self.boundaries) + 1:
            raise ArgumentError(
                f"values needs one element more than boundaries; got {len(self.values)} values and "
                f"{len(self.boundaries)} boundaries"
            )
        if sorted(set(self.boundaries)) != self.boundaries:
            raise ArgumentError(f"boundaries must increase; got {self.boundaries}")

    def __call__(self, step: int) -> float:
        """Return the value of the interval that `step` lies in."""
        return self.values[sum(step > boundary for boundary in self.boundaries)]


def _checked_boundary(step: float) -> float:
    number = check_number(step, "boundaries", 0.0)
    return int(step) if is_int(step) else number
