"""Learning rates that change with the step: pure functions, so a resumed training needs no state.

A step is one batch, counted from 0 over all epochs.
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
    """A function from the step's number to the learning rate."""

    __repr__ = repr_from_config

    def __call__(self, step: int) -> float:
        """The learning rate of step `step`, the first step being 0."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, which every schedule keeps under their own names."""
        return dict(vars(self))


class Constant(LearningRateSchedule):
    """Always `learning_rate`."""

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = check_rate(learning_rate, "learning_rate")

    def __call__(self, step: int) -> float:
        """The one rate."""
        return self.learning_rate


class PiecewiseConstantDecay(LearningRateSchedule):
    """values[0] up to and including step boundaries[0], then values[1], and so on.

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
                f"values must be one more than boundaries; got {len(self.values)} values and "
                f"{len(self.boundaries)} boundaries"
            )
        if sorted(set(self.boundaries)) != self.boundaries:
            raise ArgumentError(f"boundaries must increase; got {self.boundaries}")

    def __call__(self, step: int) -> float:
        """The value of the piece that `step` lies in."""
        return self.values[sum(step > boundary for boundary in self.boundaries)]


class ExponentialDecay(LearningRateSchedule):
    """initial_learning_rate * decay_rate ** (step / decay_steps).

    `staircase` divides without remainder, which is Caffe's "step" policy.
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
        """The decayed rate."""
        power = step // self.decay_steps if self.staircase else step / self.decay_steps
        return self.initial_learning_rate * self.decay_rate**power


class InverseDecay(LearningRateSchedule):
    """initial_learning_rate * (1 + gamma * step) ** -power: Caffe's "inv" policy."""

    def __init__(self, initial_learning_rate: float, gamma: float, power: float) -> None:
        self.initial_learning_rate = check_rate(initial_learning_rate, "initial_learning_rate")
        self.gamma = check_number(gamma, "gamma", 0.0)
        self.power = check_number(power, "power", 0.0)

    def __call__(self, step: int) -> float:
        """The decayed rate."""
        return self.initial_learning_rate * (1 + self.gamma * step) ** -self.power


class CosineDecay(LearningRateSchedule):
    """Half a cosine wave down to alpha times the highest rate, after a linear warm-up if wanted.

    Parameters
    ----------
    initial_learning_rate : rate of the first step; the highest one if there is no warm-up
    decay_steps : length of the way down, warm-up not counted
    alpha : what is left in the end, as a fraction of the highest rate
    warmup_target, warmup_steps : rise in a line to this rate over so many steps first
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
        """The rate on the way up or down."""
        start, target = self.initial_learning_rate, self.warmup_target
        if target is None:
            return start * self._left(step)
        if step < self.warmup_steps:
            return start + (target - start) * step / self.warmup_steps
        return target * self._left(step - self.warmup_steps)

    def _left(self, step: int) -> float:
        """From 1 to alpha."""
        wave = (1 + math.cos(math.pi * min(step, self.decay_steps) / self.decay_steps)) / 2
        return (1 - self.alpha) * wave + self.alpha


def check_rate(value: Any, name: str) -> float:
    """A learning rate: a finite number that is not negative."""
    return check_number(value, name, 0.0)


_registry: Registry[LearningRateSchedule] = Registry(
    "schedule",
    LearningRateSchedule,
    (Constant, PiecewiseConstantDecay, ExponentialDecay, InverseDecay, CosineDecay),
)
serialize, deserialize = _registry.serialize, _registry.deserialize
