"""First values of weights.

Signals keep their size from layer to layer when a weight's variance fits the number of its inputs
(fan in) or outputs (fan out):

    lecun    variance = 1 / fan_in
    he       variance = 2 / fan_in            a ReLU lets half of the signal through
    glorot   variance = 2 / (fan_in + fan_out)    forward and backward, a compromise

"uniform" draws from [-limit, limit] with limit = sqrt(3 * variance). "normal" draws from a normal
distribution cut at two deviations; the cut makes it narrower, so it starts wider.
"""

from __future__ import annotations

import math
import re
from typing import Any, ClassVar, Literal

import numpy as np

from minicnn.checks import check_number
from minicnn.contracts import Shape
from minicnn.errors import ArgumentError
from minicnn.support.registry import Registry
from minicnn.support.reprs import repr_from_config

# Standard deviation of the standard normal distribution cut at -2 and 2.
CUT_DEVIATION = 0.87962566103423978


class Initializer:
    """Makes the first values of a weight."""

    __repr__ = repr_from_config

    def __call__(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        """float32 values of that shape, drawn from `rng`."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """{"name": ..., arguments}: what `get` turns into this initializer again."""
        return {"name": re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(self).__name__).lower()}


class Zeros(Initializer):
    """All 0."""

    def __call__(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        """float32 zeros."""
        return np.zeros(shape, np.float32)


class Ones(Initializer):
    """All 1."""

    def __call__(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        """float32 ones."""
        return np.ones(shape, np.float32)


class Constant(Initializer):
    """All `value`."""

    def __init__(self, value: float = 0.0) -> None:
        self.value = check_number(value, "value")

    def __call__(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        """float32 array of the one value."""
        return np.full(shape, self.value, np.float32)

    def get_config(self) -> dict[str, Any]:
        """Name and value."""
        return {**super().get_config(), "value": self.value}


class RandomNormal(Initializer):
    """Normal, with this mean and standard deviation, whatever the layer's size."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05) -> None:
        self.mean = check_number(mean, "mean")
        self.stddev = check_number(stddev, "stddev", 0)

    def __call__(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        """float32 random values."""
        draws = rng.standard_normal(shape, np.float32)
        return draws * np.float32(self.stddev) + np.float32(self.mean)

    def get_config(self) -> dict[str, Any]:
        """Name, mean and deviation."""
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


class VarianceScaling(Initializer):
    """Draws with variance = scale / fan; subclasses say which fan and which distribution."""

    scale: ClassVar[float]
    fan: ClassVar[Literal["in", "mean"]]
    normal: ClassVar[bool]

    def __call__(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        """float32 random values."""
        fan_in, fan_out = fans(shape)
        variance = self.scale / (fan_in if self.fan == "in" else (fan_in + fan_out) / 2)
        if self.normal:
            values = cut_normal(shape, rng) * (math.sqrt(variance) / CUT_DEVIATION)
        else:
            limit = math.sqrt(3 * variance)
            values = rng.uniform(-limit, limit, shape)
        return values.astype(np.float32)


class GlorotUniform(VarianceScaling):
    """Uniform, variance 2 / (fan_in + fan_out). Glorot and Bengio, 2010."""

    scale, fan, normal = 1.0, "mean", False


class GlorotNormal(VarianceScaling):
    """Cut normal, variance 2 / (fan_in + fan_out). Glorot and Bengio, 2010."""

    scale, fan, normal = 1.0, "mean", True


class HeUniform(VarianceScaling):
    """Uniform, variance 2 / fan_in. He et al., 2015."""

    scale, fan, normal = 2.0, "in", False


class HeNormal(VarianceScaling):
    """Cut normal, variance 2 / fan_in. He et al., 2015."""

    scale, fan, normal = 2.0, "in", True


class LecunUniform(VarianceScaling):
    """Uniform, variance 1 / fan_in. LeCun et al., 1998."""

    scale, fan, normal = 1.0, "in", False


class LecunNormal(VarianceScaling):
    """Cut normal, variance 1 / fan_in. LeCun et al., 1998."""

    scale, fan, normal = 1.0, "in", True


def fans(shape: Shape) -> tuple[int, int]:
    """(inputs of one output, outputs of one input) of a weight; at least 1 each.

    (in, out) for dense weights; (KH, KW, CI, CO) sees KH * KW pixels of CI channels.

    >>> fans((800, 500)), fans((5, 5, 20, 50))
    ((800, 500), (500, 1250))
    """
    if len(shape) < 2:
        length = max(1, math.prod(shape))
        return length, length
    window = math.prod(shape[:-2])
    return max(1, window * shape[-2]), max(1, window * shape[-1])


def cut_normal(shape: Shape, rng: np.random.Generator) -> np.ndarray:
    """Standard normal numbers; those beyond two deviations are drawn again."""
    values = rng.standard_normal(shape)
    while (beyond := np.abs(values) > 2).any():
        values[beyond] = rng.standard_normal(np.count_nonzero(beyond))
    return values


_DRAWN = (GlorotUniform, GlorotNormal, HeUniform, HeNormal, LecunUniform, LecunNormal)


class _Initializers(Registry[Initializer]):
    """Their `get_config()` has the class's name beside the arguments."""

    def made(self, kind: type[Initializer], config: Any) -> Initializer:
        """An initializer from what its `get_config` gave."""
        arguments = {key: value for key, value in config.items() if key != "name"}
        return super().made(kind, arguments)


_registry = _Initializers(
    "initializer", Initializer, (Zeros, Ones, Constant, RandomNormal, *_DRAWN)
)


def get(identifier: str | dict[str, Any] | Initializer) -> Initializer:
    """An initializer from its name, from what `get_config` gave, or the object itself.

    >>> get("glorot_uniform")((3, 3, 1, 20), np.random.default_rng(0)).shape
    (3, 3, 1, 20)
    """
    if isinstance(identifier, Initializer):
        return identifier
    if not isinstance(identifier, dict):
        return _registry.get(identifier)
    if "name" not in identifier:
        raise ArgumentError(f'a saved initializer has a "name"; got {identifier!r}')
    return _registry.deserialize({"class": identifier["name"], "config": identifier})
