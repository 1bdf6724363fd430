"""Optimizers: which kernel moves the weights, with which numbers.

An optimizer does no arithmetic on weights. It names a kernel, the arrays of state that the kernel
keeps for each weight (`slots`), its attributes, and each step's `rates`; the formulas stand in
`minicnn.backends.numpy.optimizers`. The planner puts the kernel at the end of every training
step.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from minicnn import schedules
from minicnn.checks import check_flag, check_int, check_number, refuse_unknown
from minicnn.errors import ArgumentError
from minicnn.schedules import LearningRateSchedule, check_rate
from minicnn.support.registry import Registry
from minicnn.support.reprs import repr_from_config

Rate = float | LearningRateSchedule


class Optimizer:
    """What all optimizers share: the learning rate, weight decay and clipping.

    Parameters
    ----------
    learning_rate : a number, or a schedule of it
    weight_decay : pulls weights (not biases) toward 0
    clipnorm : each gradient is shortened to at most this length
    clipvalue : each number of a gradient is cut to [-clipvalue, clipvalue]
    global_clipnorm : all gradients together are shortened to at most this length
    decoupled : True shrinks the weights themselves by learning_rate * weight_decay, as Keras and
        AdamW do; False adds weight_decay * w to the gradient (L2), as Caffe does
    """

    __repr__ = repr_from_config
    kernel: ClassVar[str]
    # Whether a step moves every weight by about the learning rate, whatever the gradient's size.
    adaptive: ClassVar[bool] = False

    def __init__(
        self,
        learning_rate: Rate | dict[str, Any],
        *,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        decoupled: bool = True,
        **unknown: Any,
    ) -> None:
        refuse_unknown(type(self), unknown)
        self.iterations = 0  # steps done
        self._first_rate = self._rate = _as_rate(learning_rate)
        self.weight_decay = _optional(weight_decay, "weight_decay")
        self.clipnorm = _optional(clipnorm, "clipnorm", positive=True)
        self.clipvalue = _optional(clipvalue, "clipvalue", positive=True)
        self.global_clipnorm = _optional(global_clipnorm, "global_clipnorm", positive=True)
        self.decoupled = check_flag(decoupled, "decoupled")
        given = [name for name in _CLIPPING if getattr(self, name) is not None]
        if len(given) > 1:
            raise ArgumentError(f"clip gradients in one way, not by {' and '.join(given)}")

    @property
    def slots(self) -> dict[str, float]:
        """The arrays of state that the kernel keeps for each weight: {name: initial value}.

        Each has the weight's shape, and all its elements start at that value.
        """
        raise NotImplementedError

    @property
    def has_schedule(self) -> bool:
        """Does the learning rate follow a schedule?"""
        return isinstance(self._rate, LearningRateSchedule)

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step."""
        return self._rate_at(self.iterations)

    @learning_rate.setter
    def learning_rate(self, value: Rate) -> None:
        if self.has_schedule:
            raise ArgumentError(
                f"the learning rate follows {type(self._rate).__name__}, so it cannot be set; "
                f"give {type(self).__name__} a number as learning_rate to change it by hand or by "
                "a callback"
            )
        self._rate = _as_rate(value)

    def attributes(self, multiplier: float, decay: bool) -> dict[str, Any]:
        """The kernel's attributes for one weight.

        Parameters
        ----------
        multiplier : the weight's own factor of the learning rate
        decay : does weight decay act on it?
        """
        weight_decay = (self.weight_decay or 0.0) if decay else 0.0
        shared = {"weight_decay": weight_decay, "decoupled": self.decoupled}
        return {**self._numbers(), **shared, "multiplier": float(multiplier)}

    def rates(self, step: int) -> np.ndarray:
        """float32 (2,): the learning rate of `step`, and that step's length."""
        rate = self._rate_at(step)
        return np.array([rate, rate * self._correction(step)], np.float32)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, JSON-able; a rate that was changed later is state."""
        rate: Any = self._first_rate
        if isinstance(rate, LearningRateSchedule):
            rate = schedules.serialize(rate)
        names = ("weight_decay", *_CLIPPING, "decoupled")
        shared = {name: getattr(self, name) for name in names}
        return {"learning_rate": rate, **self._numbers(), **shared}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Optimizer:
        """The optimizer that `get_config` repr_from_config."""
        return cls(**config)

    def get_state(self) -> dict[str, Any]:
        """What training has changed, JSON-able."""
        rate = None if isinstance(self._rate, LearningRateSchedule) else self._rate
        return {"iterations": self.iterations, "learning_rate": rate}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what `get_state` gave."""
        self.iterations = check_int(state["iterations"], "iterations", 0)
        if state["learning_rate"] is not None:
            self.learning_rate = state["learning_rate"]

    def _numbers(self) -> dict[str, Any]:
        """The kernel's own constants: constructor arguments and attributes alike."""
        raise NotImplementedError

    def _correction(self, step: int) -> float:
        """Factor between the learning rate and the step's length."""
        return 1.0

    def _rate_at(self, step: int) -> float:
        return self._rate(step) if isinstance(self._rate, LearningRateSchedule) else self._rate


class SGD(Optimizer):
    """Down the gradient; with momentum, like a ball that keeps rolling.

    Caffe's solver is SGD(0.01, momentum=0.9, weight_decay=5e-4, decoupled=False).
    """

    kernel = "sgd_update"

    def __init__(
        self,
        learning_rate: Rate = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, **options)
        self.momentum = check_number(momentum, "momentum", 0.0, 1.0)
        self.nesterov = check_flag(nesterov, "nesterov")

    @property
    def slots(self) -> dict[str, float]:
        """The velocity, where there is momentum."""
        return {"velocity": 0.0} if self.momentum else {}

    def _numbers(self) -> dict[str, Any]:
        return {"momentum": self.momentum, "nesterov": self.nesterov}


class Adam(Optimizer):
    """Steps of about the learning rate, whatever the gradient's size. Kingma and Ba, 2014."""

    kernel = "adam_update"
    adaptive = True

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, **options)
        self.beta_1 = check_number(beta_1, "beta_1", 0.0, 1.0)
        self.beta_2 = check_number(beta_2, "beta_2", 0.0, 1.0)
        self.epsilon = check_number(epsilon, "epsilon", 0.0)

    @property
    def slots(self) -> dict[str, float]:
        """Moving means of the gradient and of its square."""
        return {"first": 0.0, "second": 0.0}

    def _numbers(self) -> dict[str, Any]:
        return {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}

    def _correction(self, step: int) -> float:
        """Both means start at 0 and are too small at first; this makes up for it."""
        t = step + 1
        return math.sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t)


class AdamW(Adam):
    """Adam with weight decay that acts on the weights themselves. Loshchilov and Hutter, 2017."""

    def __init__(
        self, learning_rate: Rate = 0.001, weight_decay: float = 0.004, *args: float, **options: Any
    ) -> None:
        check_number(weight_decay, "weight_decay", 0.0)  # None would be Adam
        super().__init__(learning_rate, *args, weight_decay=weight_decay, **options)


class RMSprop(Optimizer):
    """Divides by the gradient's moving size; `centered` takes its deviation instead."""

    kernel = "rmsprop_update"
    adaptive = True

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, **options)
        self.rho = check_number(rho, "rho", 0.0, 1.0)
        self.momentum = check_number(momentum, "momentum", 0.0, 1.0)
        self.epsilon = check_number(epsilon, "epsilon", 0.0)
        self.centered = check_flag(centered, "centered")

    @property
    def slots(self) -> dict[str, float]:
        """The moving mean of the square; a velocity and the gradient's mean where they are used."""
        used = {"square": True, "velocity": self.momentum > 0, "mean": self.centered}
        return {name: 0.0 for name, is_used in used.items() if is_used}

    def _numbers(self) -> dict[str, Any]:
        return {
            "rho": self.rho,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "centered": self.centered,
        }


_CLIPPING = ("clipnorm", "clipvalue", "global_clipnorm")


def _as_rate(value: Any) -> Rate:
    if isinstance(value, LearningRateSchedule):
        return value
    if isinstance(value, dict):
        return schedules.deserialize(value)
    return check_rate(value, "learning_rate")


def _optional(value: float | None, name: str, *, positive: bool = False) -> float | None:
    return None if value is None else check_number(value, name, 0.0, open=positive)


_registry: Registry[Optimizer] = Registry("optimizer", Optimizer, (SGD, Adam, AdamW, RMSprop))
serialize, deserialize = _registry.serialize, _registry.deserialize
check_rebuildable, find, names = _registry.check_rebuildable, _registry.find, _registry.names


def get(identifier: str | dict[str, Any] | Optimizer) -> Optimizer:
    """An optimizer from its name, from what `serialize` gave, or the object itself.

    >>> get("adam").learning_rate
    0.001
    """
    return _registry.get(identifier)
