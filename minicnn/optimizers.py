"""Optimizers: how the weights follow their gradients.

An optimizer does no arithmetic on weights. It names a kernel, the kernel's attributes, the arrays
of state that the kernel keeps for each weight (`slots`), and the `rates` of each step. The formulas
are in `minicnn.backends.numpy.optimizers`. The planner puts the kernel at the end of every
training step.
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
    """Base class of the optimizers: learning rate, weight decay and gradient clipping.

    A subclass sets `kernel`, and defines `slots` and `_numbers`.

    Parameters
    ----------
    learning_rate : number, or a schedule
    weight_decay : pulls weights, but not biases, toward 0; default None: none
    clipnorm : limits the norm of each gradient; default None. Only one kind of clipping is allowed
    clipvalue : limits each element of a gradient to [-clipvalue, clipvalue]; default None
    global_clipnorm : limits the norm of all gradients together; default None
    decoupled : True, the default, subtracts learning_rate * weight_decay * w from the weights, as
        Keras and AdamW do; False adds weight_decay * w to the gradient (L2), as Caffe does

    Raises
    ------
    ArgumentError : a value is out of its range, or gradients are to be clipped in several ways
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
        self.iterations = 0  # steps so far
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
        """Whether the learning rate follows a schedule."""
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
        """Return the kernel's attributes for one weight array.

        Parameters
        ----------
        multiplier : the array's own factor of the learning rate
        decay : whether weight decay acts on it
        """
        weight_decay = (self.weight_decay or 0.0) if decay else 0.0
        shared = {"weight_decay": weight_decay, "decoupled": self.decoupled}
        return {**self._numbers(), **shared, "multiplier": float(multiplier)}

    def rates(self, step: int) -> np.ndarray:
        """Return float32 (2,): the learning rate of `step`, and the same after bias correction."""
        rate = self._rate_at(step)
        return np.array([rate, rate * self._correction(step)], np.float32)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, without a learning rate that was set later."""
        rate: Any = self._first_rate
        if isinstance(rate, LearningRateSchedule):
            rate = schedules.serialize(rate)
        names = ("weight_decay", *_CLIPPING, "decoupled")
        shared = {name: getattr(self, name) for name in names}
        return {"learning_rate": rate, **self._numbers(), **shared}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Optimizer:
        """Return the optimizer that `get_config` describes."""
        return cls(**config)

    def get_state(self) -> dict[str, Any]:
        """Return what training has changed, JSON-able."""
        rate = None if isinstance(self._rate, LearningRateSchedule) else self._rate
        return {"iterations": self.iterations, "learning_rate": rate}

    def set_state(self, state: dict[str, Any]) -> None:
        """Take over the state that `get_state` returned."""
        self.iterations = check_int(state["iterations"], "iterations", 0)
        if state["learning_rate"] is not None:
            self.learning_rate = state["learning_rate"]

    def _numbers(self) -> dict[str, Any]:
        """Return the kernel's own constants, which are both arguments and attributes."""
        raise NotImplementedError

    def _correction(self, step: int) -> float:
        """Return the factor of the learning rate that corrects the bias of moving means."""
        return 1.0

    def _rate_at(self, step: int) -> float:
        return self._rate(step) if isinstance(self._rate, LearningRateSchedule) else self._rate


class SGD(Optimizer):
    """Stochastic gradient descent, with or without momentum.

        w -= learning_rate * g
        velocity = momentum * velocity - learning_rate * g,    w += velocity

    Parameters
    ----------
    learning_rate : number, or a schedule; default 0.01
    momentum : part of the velocity that is kept from step to step, in [0, 1); default 0
    nesterov : whether to look ahead along the velocity; default False
    options : those of `Optimizer`

    Examples
    --------
    Caffe's solver is

    >>> SGD(0.01, momentum=0.9, weight_decay=5e-4, decoupled=False).slots
    {'velocity': 0.0}
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
    """Divides the gradient's moving mean by the root of the moving mean of its square.

    So a step's length is about the learning rate, whatever the gradient's size.

    Parameters
    ----------
    learning_rate : number, or a schedule; default 0.001
    beta_1, beta_2 : part of the two means that is kept from step to step; default 0.9 and 0.999
    epsilon : keeps the divisor from 0; default 1e-7
    options : those of `Optimizer`

    References
    ----------
    Kingma, Ba: Adam: A method for stochastic optimization, 2014.
    """

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
        """Return the factor that makes up for means that start at 0 and are too small at first."""
        t = step + 1
        return math.sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t)


class AdamW(Adam):
    """Adam with weight decay, which acts on the weights and not through the gradient.

    Parameters are those of `Adam`, with `weight_decay` as the second, default 0.004.

    References
    ----------
    Loshchilov, Hutter: Decoupled weight decay regularization, 2017.
    """

    def __init__(
        self, learning_rate: Rate = 0.001, weight_decay: float = 0.004, *args: float, **options: Any
    ) -> None:
        check_number(weight_decay, "weight_decay", 0.0)  # None would be Adam
        super().__init__(learning_rate, *args, weight_decay=weight_decay, **options)


class RMSprop(Optimizer):
    """Divides the gradient by the root of the moving mean of its square.

    Parameters
    ----------
    learning_rate : number, or a schedule; default 0.001
    rho : part of the mean that is kept from step to step; default 0.9
    momentum : as that of `SGD`; default 0
    epsilon : added to the mean before the root is taken; default 1e-7
    centered : True divides by the gradient's moving standard deviation; default False
    options : those of `Optimizer`
    """

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


class Adagrad(Optimizer):
    """Divides by the root of the sum of all squared gradients, so that steps become shorter.

        accumulator += g^2,    w -= learning_rate * g / sqrt(accumulator + epsilon)

    Weights with rare or small gradients take longer steps than the others.

    Parameters
    ----------
    learning_rate : number, or a schedule; default 0.001
    initial_accumulator_value : where the sums start, which limits the first steps; default 0.1
    epsilon : keeps the divisor from 0; default 1e-7
    options : those of `Optimizer`

    References
    ----------
    Duchi, Hazan, Singer: Adaptive subgradient methods for online learning and stochastic
    optimization. JMLR 12, 2011.

    Examples
    --------
    >>> Adagrad(initial_accumulator_value=0.5).slots
    {'accumulator': 0.5}
    """

    kernel = "adagrad_update"

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, **options)
        self.initial_accumulator_value = check_number(
            initial_accumulator_value, "initial_accumulator_value", 0.0
        )
        self.epsilon = check_number(epsilon, "epsilon", 0.0)

    @property
    def slots(self) -> dict[str, float]:
        """The sum of the squared gradients."""
        return {"accumulator": self.initial_accumulator_value}

    def _numbers(self) -> dict[str, Any]:
        return {"epsilon": self.epsilon}

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        start = {"initial_accumulator_value": self.initial_accumulator_value}
        return {**super().get_config(), **start}


_CLIPPING = ("clipnorm", "clipvalue", "global_clipnorm")


def _as_rate(value: Any) -> Rate:
    if isinstance(value, LearningRateSchedule):
        return value
    if isinstance(value, dict):
        return schedules.deserialize(value)
    return check_rate(value, "learning_rate")


def _optional(value: float | None, name: str, *, positive: bool = False) -> float | None:
    return None if value is None else check_number(value, name, 0.0, open=positive)


_registry: Registry[Optimizer] = Registry(
    "optimizer", Optimizer, (SGD, Adam, AdamW, RMSprop, Adagrad)
)
serialize, deserialize = _registry.serialize, _registry.deserialize
check_rebuildable, find, names = _registry.check_rebuildable, _registry.find, _registry.names


def get(identifier: str | dict[str, Any] | Optimizer) -> Optimizer:
    """Return an optimizer from its name, from what `serialize` gave, or the object itself.

    >>> get("adam").learning_rate
    0.001
    """
    return _registry.get(identifier)
