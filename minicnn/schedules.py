"""Learning rate schedules: the learning rate as a function of the step.

A step is one batch, counted from 0 over all epochs. Schedules have no state, so a resumed training
continues with the right rate.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from minicnn.checks import check_flag, check_int, check_number, quoted
from minicnn.errors import ArgumentError
from minicnn.support.registry import Registry
from minicnn.support.reprs import repr_from_config


class LearningRateSchedule:
    """Base class of the schedules: a function from the step to the learning rate.

    A subclass defines `__call__` and keeps its constructor's arguments under their own names.
    """

    __repr__ = repr_from_config

    def __call__(self, step: int) -> float:
        """Return the learning rate of step `step`, the first step being 0."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return dict(vars(self))


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

    def __init__(self, boundaries: Sequence[int], values: Sequence[float]) -> None:
        for name, given in (("boundaries", boundaries), ("values", values)):
            if not isinstance(given, (list, tuple)):
                raise ArgumentError(f"{name} must be a list; got {quoted(given)}")
        self.boundaries = [check_int(step, "boundaries", 0) for step in boundaries]
        self.values = [check_rate(value, "values") for value in values]
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


class ExponentialDecay(LearningRateSchedule):
    """The learning rate is initial_learning_rate * decay_rate ** (step / decay_steps).

    With `staircase` the exponent is rounded down, which is Caffe's "step" policy.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
    ) -> None:
        self.initial_learning_rate = check_rate(initial_learning_rate, "initial_learning_rate")
        self.decay_steps = check_int(decay_steps, "decay_steps")
        self.decay_rate = check_number(decay_rate, "decay_rate", 0.0, open=True)
        self.staircase = check_flag(staircase, "staircase")

    def __call__(self, step: int) -> float:
        """Return the learning rate after this many steps of decay."""
        power = step // self.decay_steps if self.staircase else step / self.decay_steps
        return self.initial_learning_rate * self.decay_rate**power


class InverseDecay(LearningRateSchedule):
    """The learning rate is initial_learning_rate * (1 + gamma * step) ** -power.

    This is Caffe's "inv" policy.
    """

    def __init__(self, initial_learning_rate: float, gamma: float, power: float) -> None:
        self.initial_learning_rate = check_rate(initial_learning_rate, "initial_learning_rate")
        self.gamma = check_number(gamma, "gamma", 0.0)
        self.power = check_number(power, "power", 0.0)

    def __call__(self, step: int) -> float:
        """Return the learning rate after this many steps of decay."""
        return self.initial_learning_rate * (1 + self.gamma * step) ** -self.power


class CosineDecay(LearningRateSchedule):
    """The learning rate falls along half a cosine wave, after a linear warm-up if there is one.

        start * ((1 - alpha) * (1 + cos(pi * step / decay_steps)) / 2 + alpha)

    Parameters
    ----------
    initial_learning_rate : rate of the first step; the highest one if there is no warm-up
    decay_steps : number of steps in which the rate falls, the warm-up not included
    alpha : the last rate as a fraction of the highest; default 0
    warmup_target : the highest rate, which the warm-up reaches; default None: no warm-up
    warmup_steps : number of steps in which the rate rises to it; default 0
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ) -> None:
        self.initial_learning_rate = check_rate(initial_learning_rate, "initial_learning_rate")
        self.decay_steps = check_int(decay_steps, "decay_steps")
        self.alpha = check_number(alpha, "alpha", 0.0)
        self.warmup_target = warmup_target
        if warmup_target is not None:
            self.warmup_target = check_rate(warmup_target, "warmup_target")
        self.warmup_steps = check_int(warmup_steps, "warmup_steps", 0)
        if self.warmup_steps and warmup_target is None:
            raise ArgumentError(
                f"warmup_steps={warmup_steps} needs warmup_target, the rate to rise to"
            )

    def __call__(self, step: int) -> float:
        """Return the learning rate in the warm-up or after it."""
        start, target = self.initial_learning_rate, self.warmup_target
        if target is None:
            return start * self._left(step)
        if step < self.warmup_steps:
            return start + (target - start) * step / self.warmup_steps
        return target * self._left(step - self.warmup_steps)

    def _left(self, step: int) -> float:
        """Return the part of the highest rate that is left: it falls from 1 to alpha."""
        wave = (1 + math.cos(math.pi * min(step, self.decay_steps) / self.decay_steps)) / 2
        return (1 - self.alpha) * wave + self.alpha


def check_rate(value: Any, name: str) -> float:
    """Return the learning rate after a check: a finite number that is not negative."""
    return check_number(value, name, 0.0)


_registry: Registry[LearningRateSchedule] = Registry(
    "schedule",
    LearningRateSchedule,
    (Constant, PiecewiseConstantDecay, ExponentialDecay, InverseDecay, CosineDecay),
)
serialize, deserialize = _registry.serialize, _registry.deserialize
