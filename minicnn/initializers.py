"""Initializers: the initial values of weights.

Signals keep their size from layer to layer when a weight's variance fits the number of its inputs
(fan in) or outputs (fan out):

    lecun    variance = 1 / fan_in
    he       variance = 2 / fan_in            because a ReLU lets half of the signal through
    glorot   variance = 2 / (fan_in + fan_out)    a compromise between forward and backward

"uniform" draws from [-limit, limit) with limit = sqrt(3 * variance). "normal" draws from a
truncated normal distribution, without values beyond two standard deviations. The truncation makes
the distribution narrower, so it starts wider.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar, Literal

import numpy as np

from minicnn.checks import check_number, quoted
from minicnn.contracts import Shape
from minicnn.errors import ArgumentError
from minicnn.support.registry import Registry
from minicnn.support.reprs import repr_from_config

# The standard deviation of a standard normal distribution that is truncated at -2 and 2.
TRUNCATED_STD = 0.87962566103423978


class Initializer:
    """Base class of the initializers: a function that draws a weight's initial values.

    A subclass defines `__call__`, and `get_config` if its constructor has arguments.
    """

    __repr__ = repr_from_config

    def __call__(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        """Return float32 values of this shape; everything random is drawn from `rng`."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, JSON-able."""
        return {}


class Zeros(Initializer):
    """All values are 0."""

    def __call__(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        """Return float32 zeros."""
        return np.zeros(shape, np.float32)


class Ones(Initializer):
    """All values are 1."""

    def __call__(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        """Return float32 ones."""
        return np.ones(shape, np.float32)


class Constant(Initializer):
    """All values are `value`.

    >>> Constant(0.5)((2,), np.random.default_rng(0)).tolist()
    [0.5, 0.5]
    """

    def __init__(self, value: float = 0.0) -> None:
        self.value = check_number(value, "value")

    def __call__(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        """Return a float32 array that is `value` everywhere."""
        return np.full(shape, self.value, np.float32)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"value": self.value}


class RandomNormal(Initializer):
    """Values of a normal distribution whose parameters do not depend on the weight's shape.

    Parameters
    ----------
    mean, stddev : the distribution's mean and standard deviation
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05) -> None:
        self.mean = check_number(mean, "mean")
        self.stddev = check_number(stddev, "stddev", 0)

    def __call__(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        """Return float32 random values."""
        draws = rng.standard_normal(shape, np.float32)
        return draws * np.float32(self.stddev) + np.float32(self.mean)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"mean": self.mean, "stddev": self.stddev}


class VarianceScaling(Initializer):
    """Values whose variance is scale / fan; a subclass sets the fan and the distribution."""

    scale: ClassVar[float]
    fan: ClassVar[Literal["in", "mean"]]
    normal: ClassVar[bool]

    def __call__(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        """Return float32 random values."""
        fan_in, fan_out = fans(shape)
        variance = self.scale / (fan_in if self.fan == "in" else (fan_in + fan_out) / 2)
        if self.normal:
            values = truncated_normal(shape, rng) * (math.sqrt(variance) / TRUNCATED_STD)
        else:
            limit = math.sqrt(3 * variance)
            values = rng.uniform(-limit, limit, shape)
        return values.astype(np.float32)


class GlorotUniform(VarianceScaling):
    """Uniform, variance 2 / (fan_in + fan_out). Glorot and Bengio, 2010."""

    scale, fan, normal = 1.0, "mean", False


class GlorotNormal(VarianceScaling):
    """Truncated normal, variance 2 / (fan_in + fan_out). Glorot and Bengio, 2010."""

    scale, fan, normal = 1.0, "mean", True


class HeUniform(VarianceScaling):
    """Uniform, variance 2 / fan_in. He et al., 2015."""

    scale, fan, normal = 2.0, "in", False


class HeNormal(VarianceScaling):
    """Truncated normal, variance 2 / fan_in. He et al., 2015."""

    scale, fan, normal = 2.0, "in", True


class LecunUniform(VarianceScaling):
    """Uniform, variance 1 / fan_in. LeCun et al., 1998."""

    scale, fan, normal = 1.0, "in", False


class LecunNormal(VarianceScaling):
    """Truncated normal, variance 1 / fan_in. LeCun et al., 1998."""

    scale, fan, normal = 1.0, "in", True


def fans(shape: Shape) -> tuple[int, int]:
    """Return a weight's (fan in, fan out): inputs per output and outputs per input, at least 1.

    A dense weight has the shape (inputs, outputs). A convolution's (KH, KW, CI, CO) has
    KH * KW * CI inputs and KH * KW * CO outputs.

    >>> fans((800, 500)), fans((5, 5, 20, 50))
    ((800, 500), (500, 1250))
    """
    if len(shape) < 2:
        length = max(1, math.prod(shape))
        return length, length
    window = math.prod(shape[:-2])
    return max(1, window * shape[-2]), max(1, window * shape[-1])


def truncated_normal(shape: Shape, rng: np.random.Generator) -> np.ndarray:
    """Return standard normal values; those beyond two standard deviations are drawn again."""
    values = rng.standard_normal(shape)
    while (beyond := np.abs(values) > 2).any():
        values[beyond] = rng.standard_normal(np.count_nonzero(beyond))
    return values


_VARIANCE_SCALING = (
    GlorotUniform, GlorotNormal, HeUniform, HeNormal, LecunUniform, LecunNormal,
)  # fmt: skip
_registry: Registry[Initializer] = Registry(
    "initializer", Initializer, (Zeros, Ones, Constant, RandomNormal, *_VARIANCE_SCALING)
)
serialize = _registry.serialize


def get(identifier: str | dict[str, Any] | Initializer) -> Initializer:
    """Return an initializer from its name, from what `serialize` gave, or the object itself.

    >>> get("glorot_uniform")((3, 3, 1, 20), np.random.default_rng(0)).shape
    (3, 3, 1, 20)
    >>> get(serialize(Constant(0.5))).value
    0.5
    """
    if isinstance(identifier, dict) and "name" in identifier:  # the form in older files
        config = {key: value for key, value in identifier.items() if key != "name"}
        identifier = {"class": identifier["name"], "config": config}
    elif isinstance(identifier, dict) and "class" not in identifier:
        raise ArgumentError(
            'a saved initializer is {"class": name, "config": arguments}; save it with '
            "minicnn.initializers.serialize(initializer), not with its get_config()"
        )
    if callable(identifier) and not isinstance(identifier, (Initializer, type)):
        raise ArgumentError(
            f"an initializer must be a name or an Initializer; got the function "
            f"{quoted(getattr(identifier, '__name__', type(identifier).__name__))}. Write a "
            "subclass of minicnn.initializers.Initializer with __call__(self, shape, rng)"
        )
    return _registry.get(identifier)
