"""Optimizers whose steps have the direction of the gradient, of its mean, or of their signs."""

from __future__ import annotations

from typing import Any

from minicnn.checks import check_flag, check_number
from minicnn.optimizers.base import Optimizer
from minicnn.optimizers.learning_rate import Rate


class SGD(Optimizer):
    """Stochastic gradient descent, with or without momentum.

        w -= learning_rate * g
        velocity = momentum * velocity - learning_rate * g,    w += velocity

    Parameters
    ----------
    learning_rate : number, or a schedule; default 0.01
    momentum : part of the velocity that is kept from step to step, in [0, 1); default 0
    nesterov : whether to look ahead along the velocity; default False
    shared, options : those of `Optimizer`, in its order

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
        *shared: Any,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, *shared, **options)
        self.momentum = check_number(momentum, "momentum", 0.0, 1.0)
        self.nesterov = check_flag(nesterov, "nesterov")

    @property
    def slots(self) -> dict[str, float]:
        """The velocity, where there is momentum."""
        return {"velocity": 0.0} if self.momentum else {}

    def _numbers(self) -> dict[str, Any]:
        return {"momentum": self.momentum, "nesterov": self.nesterov}


class Lion(Optimizer):
    """Moves every weight by the learning rate, against the sign of a mean of the gradients.

        w -= learning_rate * sign(beta_1 * momentum + (1 - beta_1) * g)
        momentum = beta_2 * momentum + (1 - beta_2) * g

    It needs a learning rate of about a tenth of Adam's.

    Parameters
    ----------
    learning_rate : number, or a schedule; default 0.001
    beta_1, beta_2 : part of the mean that is kept in the step's direction, and from step to step;
        default 0.9 and 0.99
    shared, options : those of `Optimizer`, in its order

    References
    ----------
    Chen et al.: Symbolic discovery of optimization algorithms, 2023.
    """

    kernel = "lion_update"
    adaptive = True

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        *shared: Any,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, *shared, **options)
        self.beta_1 = check_number(beta_1, "beta_1", 0.0, 1.0)
        self.beta_2 = check_number(beta_2, "beta_2", 0.0, 1.0)

    @property
    def slots(self) -> dict[str, float]:
        """The gradient's moving mean."""
        return {"momentum": 0.0}

    def _numbers(self) -> dict[str, Any]:
        return {"beta_1": self.beta_1, "beta_2": self.beta_2}
