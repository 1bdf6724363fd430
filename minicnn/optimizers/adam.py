"""Adam and its relatives, which divide a moving mean of the gradient by one of its size."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minicnn.checks import check_flag, check_number
from minicnn.optimizers.base import Optimizer
from minicnn.optimizers.learning_rate import Rate


class _Moments(Optimizer):
    """Base class of the optimizers with beta_1, beta_2 and epsilon."""

    adaptive = True

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        *shared: Any,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, *shared, **options)
        self.beta_1 = check_number(beta_1, "beta_1", 0.0, 1.0)
        self.beta_2 = check_number(beta_2, "beta_2", 0.0, 1.0)
        self.epsilon = check_number(epsilon, "epsilon", 0.0)

    @property
    def slots(self) -> dict[str, float]:
        """Moving means of the gradient and of its square."""
        return {"first": 0.0, "second": 0.0}

    def _numbers(self) -> dict[str, Any]:
        return {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}


class Adam(_Moments):
    """Divides the gradient's moving mean by the root of the moving mean of its square.

    So a step's length is about the learning rate, whatever the gradient's size.

    Parameters
    ----------
    learning_rate : number, or a schedule; default 0.001
    beta_1, beta_2 : part of the two means that is kept from step to step; default 0.9 and 0.999
    epsilon : keeps the divisor from 0; default 1e-7
    amsgrad : True divides by the largest mean so far, so that steps never become longer (Reddi,
        Kale, Kumar: On the convergence of Adam and beyond, 2018); default False
    shared, options : those of `Optimizer`, in its order

    References
    ----------
    Kingma, Ba: Adam: A method for stochastic optimization, 2014.
    """

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        *shared: Any,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, *shared, **options)
        self.amsgrad = check_flag(amsgrad, "amsgrad")
        self.kernel = "amsgrad_update" if self.amsgrad else "adam_update"

    @property
    def slots(self) -> dict[str, float]:
        """Moving means of the gradient and of its square, and the largest of these."""
        return {**super().slots, **({"largest": 0.0} if self.amsgrad else {})}

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, with the learning rate as it is now."""
        return {**super().get_config(), "amsgrad": self.amsgrad}

    def _correction(self, updates: int) -> float:
        """Return the factor that makes up for means that start at 0 and are too small at first."""
        t = updates + 1
        return math.sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t)


class AdamW(Adam):
    """Adam with weight decay, which acts on the weights and not through the gradient.

    Parameters are those of `Adam`, with `weight_decay` as the second, default 0.004.

    References
    ----------
    Loshchilov, Hutter: Decoupled weight decay regularization, 2017.
    """

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        *shared: Any,
        **options: Any,
    ) -> None:
        check_number(weight_decay, "weight_decay", 0.0)  # None would be Adam
        moments = (beta_1, beta_2, epsilon, amsgrad)
        super().__init__(learning_rate, *moments, weight_decay, *shared, **options)


class Adamax(_Moments):
    """Adam with the largest gradient so far, slowly forgotten, in place of the mean square.

        first  += (g - first) * (1 - beta_1)
        norm    = max(beta_2 * norm, |g|)
        w -= learning_rate / (1 - beta_1^t) * first / (norm + epsilon)

    Parameters are those of `Adam` without `amsgrad`.

    References
    ----------
    Kingma, Ba: Adam: A method for stochastic optimization, 2014.
    """

    kernel = "adamax_update"

    @property
    def slots(self) -> dict[str, float]:
        """The moving mean of the gradient, and the largest gradient."""
        return {"first": 0.0, "norm": 0.0}

    def _correction(self, updates: int) -> float:
        return 1 / (1 - self.beta_1 ** (updates + 1))


class Nadam(_Moments):
    """Adam that looks ahead along the gradient's mean, as Nesterov's momentum does.

    Parameters are those of `Adam` without `amsgrad`.

    References
    ----------
    Dozat: Incorporating Nesterov momentum into Adam, 2016.
    """

    kernel = "nadam_update"

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        *shared: Any,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, *shared, **options)
        self._products = [1.0]  # of the momentums of the first t updates

    def rates(self, step: int) -> np.ndarray:
        """Return the learning rate and factors of the mean, the gradient and the mean square.

        With u_t = beta_1 * (1 - 0.96^t / 2), and U_t the product of u_1 to u_t, these are

            u_(t + 1) / (1 - U_(t + 1)),    (1 - u_t) / (1 - U_t),    1 / (1 - beta_2^t)
        """
        t = self._updates_before(step) + 1
        now, ahead = self._momentum(t), self._momentum(t + 1)
        of_mean = ahead / (1 - self._product(t + 1))
        of_gradient = (1 - now) / (1 - self._product(t))
        of_square = 1 / (1 - self.beta_2**t)
        return np.array([self._rate_at(step), of_mean, of_gradient, of_square], np.float32)

    def _momentum(self, t: int) -> float:
        return float(self.beta_1 * (1 - 0.5 * 0.96**t))

    def _product(self, t: int) -> float:
        while len(self._products) <= t:
            self._products.append(self._products[-1] * self._momentum(len(self._products)))
        return self._products[t]
