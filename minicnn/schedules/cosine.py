"""Schedules that fall along half a cosine wave, once or again and again."""

from __future__ import annotations

import math

from minicnn.checks import check_int, check_name, check_number
from minicnn.errors import ArgumentError
from minicnn.schedules.base import LearningRateSchedule, check_rate, check_steps


class CosineDecay(LearningRateSchedule):
    """The learning rate falls along half a cosine wave, after a linear warm-up if there is one.

        start * ((1 - alpha) * (1 + cos(pi * step / decay_steps)) / 2 + alpha)

    Parameters
    ----------
    initial_learning_rate : rate of the first step; the highest one if there is no warm-up
    decay_steps : number of steps in which the rate falls, the warm-up not included
    alpha : the last rate as a fraction of the highest; default 0
    name : default "CosineDecay"
    warmup_target : the highest rate, which the warm-up reaches; default None: no warm-up
    warmup_steps : number of steps in which the rate rises to it; default 0
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ) -> None:
        self.initial_learning_rate = check_rate(initial_learning_rate, "initial_learning_rate")
        self.decay_steps = check_steps(decay_steps, "decay_steps")
        self.alpha = check_number(alpha, "alpha", 0.0)
        self.name = check_name(name)
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
        wave = half_wave(min(step, self.decay_steps) / self.decay_steps)
        return (1 - self.alpha) * wave + self.alpha


class CosineDecayRestarts(LearningRateSchedule):
    """The learning rate falls along half a cosine wave, jumps up and falls again, and so on.

    Parameters
    ----------
    initial_learning_rate : rate of the first step
    first_decay_steps : number of steps of the first fall
    t_mul : how many times as long each fall is as the one before, at least 1; default 2
    m_mul : how many times as high each start is as the one before; default 1
    alpha : the lowest rate as a fraction of initial_learning_rate; default 0
    name : default "SGDRDecay"

    References
    ----------
    Loshchilov, Hutter: SGDR: Stochastic gradient descent with warm restarts, 2017.

    >>> rate = CosineDecayRestarts(0.1, first_decay_steps=10)
    >>> rate(0), round(rate(5), 6), rate(10), round(rate(20), 6), rate(30)
    (0.1, 0.05, 0.1, 0.05, 0.1)
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: float,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        self.initial_learning_rate = check_rate(initial_learning_rate, "initial_learning_rate")
        self.first_decay_steps = check_steps(first_decay_steps, "first_decay_steps")
        self.t_mul = check_number(t_mul, "t_mul", 1.0)
        self.m_mul = check_number(m_mul, "m_mul", 0.0)
        self.alpha = check_number(alpha, "alpha", 0.0)
        self.name = check_name(name)

    def __call__(self, step: int) -> float:
        """Return the learning rate in the fall that `step` is in."""
        restarts, passed = self._fall(step)
        wave = self.m_mul**restarts * half_wave(passed)
        return float(self.initial_learning_rate * ((1 - self.alpha) * wave + self.alpha))

    def _fall(self, step: int) -> tuple[int, float]:
        """Return the number of falls that are over, and the part of this one that has passed."""
        length = self.first_decay_steps
        if self.t_mul == 1.0:
            return int(step // length), step % length / length
        restarts, begin = 0, 0.0
        while step >= begin + length:
            begin, length, restarts = begin + length, length * self.t_mul, restarts + 1
        return restarts, (step - begin) / length


def half_wave(passed: float) -> float:
    """Return a cosine that falls from 1 to 0 while `passed` rises from 0 to 1."""
    return (1 + math.cos(math.pi * passed)) / 2
