"""Optimizers that divide the gradient by its size so far, for each weight on its own."""

from __future__ import annotations

from typing import Any

from minicnn.checks import check_flag, check_number, quoted
from minicnn.errors import ArgumentError
from minicnn.optimizers.base import Optimizer
from minicnn.optimizers.learning_rate import Rate


class RMSprop(Optimizer):
    """Divides the gradient by the root of the moving mean of its square.

    Parameters
    ----------
    learning_rate : number, or a schedule; default 0.001
    rho : part of the mean that is kept from step to step; default 0.9
    momentum : as that of `SGD`; default 0
    epsilon : added to the mean before the root is taken; default 1e-7
    centered : True divides by the gradient's moving standard deviation; default False
    shared, options : those of `Optimizer`, in its order
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
        *shared: Any,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, *shared, **options)
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
    shared, options : those of `Optimizer`, in its order

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
        *shared: Any,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, *shared, **options)
        self.initial_accumulator_value = _checked_start(initial_accumulator_value)
        self.epsilon = check_number(epsilon, "epsilon", 0.0)

    @property
    def slots(self) -> dict[str, float]:
        """The sum of the squared gradients."""
        return {"accumulator": self.initial_accumulator_value}

    def _numbers(self) -> dict[str, Any]:
        return {"epsilon": self.epsilon}

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, with the learning rate as it is now."""
        start = {"initial_accumulator_value": self.initial_accumulator_value}
        return {**super().get_config(), **start}


class Adadelta(Optimizer):
    """Divides by the root of a moving mean of squared gradients, times that of squared steps.

        square = rho * square + (1 - rho) * g^2
        delta  = g * sqrt(delta_square + epsilon) / sqrt(square + epsilon)
        delta_square = rho * delta_square + (1 - rho) * delta^2
        w -= learning_rate * delta

    With a learning rate of 1 it is the published method, which needs none.

    Parameters
    ----------
    learning_rate : number, or a schedule; default 0.001
    rho : part of the means that is kept from step to step; default 0.95
    epsilon : added to the means before the roots are taken; default 1e-7
    shared, options : those of `Optimizer`, in its order

    References
    ----------
    Zeiler: ADADELTA: An adaptive learning rate method, 2012.
    """

    kernel = "adadelta_update"

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-7,
        *shared: Any,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, *shared, **options)
        self.rho = check_number(rho, "rho", 0.0, 1.0)
        self.epsilon = check_number(epsilon, "epsilon", 0.0)

    @property
    def slots(self) -> dict[str, float]:
        """Moving means of the squares of gradients and of steps."""
        return {"square": 0.0, "delta_square": 0.0}

    def _numbers(self) -> dict[str, Any]:
        return {"rho": self.rho, "epsilon": self.epsilon}


class Ftrl(Optimizer):
    """Follow the regularized leader: many weights become exactly 0 if there is an L1 penalty.

        total = accumulator + g^2
        linear += g - (sqrt(total) - sqrt(accumulator)) / learning_rate * w
        w = (clip(linear, -l1, l1) - linear) / ((beta + sqrt(total)) / learning_rate + 2 * l2)
        accumulator = total

    Parameters
    ----------
    learning_rate : number above 0, or a schedule; default 0.001
    learning_rate_power : -0.5, the default: the root above. Another power is refused, because
        engines would round it differently
    initial_accumulator_value : where the sums of squares start; default 0.1
    l1_regularization_strength, l2_regularization_strength : l1 and l2 above; default 0
    l2_shrinkage_regularization_strength : s > 0 adds 2 * s * w to the gradient in `linear`;
        default 0
    beta : default 0
    shared, options : those of `Optimizer`, in its order

    References
    ----------
    McMahan et al.: Ad click prediction: a view from the trenches, 2013.
    """

    kernel = "ftrl_update"

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        *shared: Any,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, *shared, **options)
        if learning_rate_power != -0.5:
            raise ArgumentError(
                f"learning_rate_power must be -0.5; got {quoted(learning_rate_power)}. All "
                "engines round a square root alike, but no other power"
            )
        self.initial_accumulator_value = _checked_start(initial_accumulator_value)
        self.l1_regularization_strength = check_number(
            l1_regularization_strength, "l1_regularization_strength", 0.0
        )
        self.l2_regularization_strength = check_number(
            l2_regularization_strength, "l2_regularization_strength", 0.0
        )
        self.l2_shrinkage_regularization_strength = check_number(
            l2_shrinkage_regularization_strength, "l2_shrinkage_regularization_strength", 0.0
        )
        self.beta = check_number(beta, "beta", 0.0)

    @property
    def slots(self) -> dict[str, float]:
        """The sum of squared gradients, and the linear term."""
        return {"accumulator": self.initial_accumulator_value, "linear": 0.0}

    def _numbers(self) -> dict[str, Any]:
        return {
            "l1": self.l1_regularization_strength,
            "l2": self.l2_regularization_strength,
            "shrinkage": self.l2_shrinkage_regularization_strength,
            "beta": self.beta,
        }

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, with the learning rate as it is now."""
        config = {k: v for k, v in super().get_config().items() if k not in self._numbers()}
        names = ("l1_regularization_strength", "l2_regularization_strength")
        own = (*names, "l2_shrinkage_regularization_strength", "beta", "initial_accumulator_value")
        powers = {"learning_rate_power": -0.5}
        return {**config, **powers, **{name: getattr(self, name) for name in own}}


def _checked_start(value: float) -> float:
    return check_number(value, "initial_accumulator_value", 0.0)
