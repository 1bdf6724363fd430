"""Schedules that fall as a power, an exponential or the inverse of the number of steps."""

from __future__ import annotations

import math

from minicnn.checks import check_flag, check_name, check_number
from minicnn.schedules.base import LearningRateSchedule, check_rate, check_steps


class ExponentialDecay(LearningRateSchedule):
    """The learning rate is initial_learning_rate * decay_rate ** (step / decay_steps).

    With `staircase` the exponent is rounded down, which is Caffe's "step" policy.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        self.initial_learning_rate = check_rate(initial_learning_rate, "initial_learning_rate")
        self.decay_steps = check_steps(decay_steps, "decay_steps")
        self.decay_rate = check_number(decay_rate, "decay_rate", 0.0, open=True)
        self.staircase = check_flag(staircase, "staircase")
        self.name = check_name(name)

    def __call__(self, step: int) -> float:
        """Return the learning rate after this many steps of decay."""
        power = step // self.decay_steps if self.staircase else step / self.decay_steps
        return float(self.initial_learning_rate * self.decay_rate**power)


class InverseTimeDecay(LearningRateSchedule):
    """The learning rate is initial_learning_rate / (1 + decay_rate * step / decay_steps).

    With `staircase` step / decay_steps is rounded down.

    >>> InverseTimeDecay(0.1, decay_steps=10, decay_rate=0.5)(20)
    0.05
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        self.initial_learning_rate = check_rate(initial_learning_rate, "initial_learning_rate")
        self.decay_steps = check_steps(decay_steps, "decay_steps")
        self.decay_rate = check_number(decay_rate, "decay_rate", 0.0)
        self.staircase = check_flag(staircase, "staircase")
        self.name = check_name(name)

    def __call__(self, step: int) -> float:
        """Return the learning rate after this many steps of decay."""
        passed = step // self.decay_steps if self.staircase else step / self.decay_steps
        return self.initial_learning_rate / (1 + self.decay_rate * passed)


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


class PolynomialDecay(LearningRateSchedule):
    """The learning rate falls to an end value along a power of the steps that are left.

        (start - end) * (1 - step / decay_steps) ** power + end

    Parameters
    ----------
    initial_learning_rate : rate of the first step
    decay_steps : number of steps in which the rate falls
    end_learning_rate : rate from then on; default 0.0001
    power : 1, the default, makes the rate fall along a straight line
    cycle : True makes the rate jump up again where it reaches the end, and fall in the same way to
        the next multiple of decay_steps; default False
    name : default "PolynomialDecay"

    >>> rate = PolynomialDecay(0.1, 10, end_learning_rate=0.0)
    >>> rate(5), rate(10), rate(11)
    (0.05, 0.0, 0.0)
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        self.initial_learning_rate = check_rate(initial_learning_rate, "initial_learning_rate")
        self.decay_steps = check_steps(decay_steps, "decay_steps")
        self.end_learning_rate = check_rate(end_learning_rate, "end_learning_rate")
        self.power = check_number(power, "power", 0.0)
        self.cycle = check_flag(cycle, "cycle")
        self.name = check_name(name)

    def __call__(self, step: int) -> float:
        """Return the learning rate after this many steps of decay."""
        end, steps = self.end_learning_rate, self.decay_steps
        if self.cycle:
            steps *= max(1, math.ceil(step / steps))
        left = 1 - min(step, steps) / steps
        return float((self.initial_learning_rate - end) * left**self.power + end)
