"""Initializers whose variance fits the number of a weight's inputs and outputs.

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
from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn.checks import check_choice, check_int, check_number
from minicnn.contracts import Shape
from minicnn.errors import ArgumentError
from minicnn.initializers.base import RandomInitializer
from minicnn.initializers.distributions import truncated_draws

# The standard deviation of a standard normal distribution that is truncated at -2 and 2.
TRUNCATED_STD = 0.87962566103423978
MODES = ("fan_in", "fan_out", "fan_avg")
DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")


class VarianceScaling(RandomInitializer):
    """Values whose variance is scale / fan.

    Parameters
    ----------
    scale : factor of the variance, above 0; default 1
    mode : the fan: "fan_in", the default, "fan_out", or their mean, "fan_avg"
    distribution : "truncated_normal", the default, "untruncated_normal" or "uniform"
    seed : that of `RandomInitializer`; default None
    input_axes, output_axes : the axes of the weight whose lengths are multiplied to its fan in and
        fan out; default None: as in `fans`

    >>> VarianceScaling(2.0, mode="fan_out", distribution="uniform", seed=1)((3, 3, 8, 16)).shape
    (3, 3, 8, 16)
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(seed)
        self.scale = check_number(scale, "scale", 0.0, open=True)
        self.mode = check_choice(mode, "mode", MODES)
        distribution = distribution.lower() if isinstance(distribution, str) else distribution
        distribution = "truncated_normal" if distribution == "normal" else distribution
        self.distribution = check_choice(distribution, "distribution", DISTRIBUTIONS)
        if (input_axes is None) != (output_axes is None):
            raise ArgumentError("give both input_axes and output_axes, or neither")
        self.input_axes = _checked_axes(input_axes, "input_axes")
        self.output_axes = _checked_axes(output_axes, "output_axes")

    def draw(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        """Return float32 random values."""
        fan_in, fan_out = fans(shape, self.input_axes, self.output_axes)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / fan
        if self.distribution == "truncated_normal":
            values = truncated_draws(shape, rng) * (math.sqrt(variance) / TRUNCATED_STD)
        elif self.distribution == "untruncated_normal":
            values = rng.standard_normal(shape) * math.sqrt(variance)
        else:
            limit = math.sqrt(3 * variance)
            values = rng.uniform(-limit, limit, shape)
        return values.astype(np.float32)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        names = ("scale", "mode", "distribution", "seed", "input_axes", "output_axes")
        return {name: getattr(self, name) for name in names}


class _Named(VarianceScaling):
    """Base class of the initializers that are VarianceScaling with numbers of their own."""

    numbers: tuple[float, str, str]

    def __init__(
        self,
        seed: int | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(*self.numbers, seed, input_axes, output_axes)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        names = ("seed", "input_axes", "output_axes")
        return {name: getattr(self, name) for name in names}


class GlorotUniform(_Named):
    """Uniform, variance 2 / (fan_in + fan_out). Glorot and Bengio, 2010."""

    numbers = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Named):
    """Truncated normal, variance 2 / (fan_in + fan_out). Glorot and Bengio, 2010."""

    numbers = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Named):
    """Uniform, variance 2 / fan_in. He et al., 2015."""

    numbers = (2.0, "fan_in", "uniform")


class HeNormal(_Named):
    """Truncated normal, variance 2 / fan_in. He et al., 2015."""

    numbers = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Named):
    """Uniform, variance 1 / fan_in. LeCun et al., 1998."""

    numbers = (1.0, "fan_in", "uniform")


class LecunNormal(_Named):
    """Truncated normal, variance 1 / fan_in. LeCun et al., 1998."""

    numbers = (1.0, "fan_in", "truncated_normal")


def fans(
    shape: Shape,
    input_axes: Sequence[int] | None = None,
    output_axes: Sequence[int] | None = None,
) -> tuple[int, int]:
    """Return a weight's (fan in, fan out): inputs per output and outputs per input, at least 1.

    A dense weight has the shape (inputs, outputs). A convolution's (KH, KW, CI, CO) has
    KH * KW * CI inputs and KH * KW * CO outputs. The axes, where given, are used instead.

    >>> fans((800, 500)), fans((5, 5, 20, 50))
    ((800, 500), (500, 1250))
    """
    if input_axes is not None and output_axes is not None:
        lengths = (math.prod(shape[i] for i in axes) for axes in (input_axes, output_axes))
        return max(1, next(lengths)), max(1, next(lengths))
    if len(shape) < 2:
        length = max(1, math.prod(shape))
        return length, length
    window = math.prod(shape[:-2])
    return max(1, window * shape[-2]), max(1, window * shape[-1])


def _checked_axes(axes: Any, name: str) -> list[int] | None:
    if axes is None:
        return None
    if not isinstance(axes, (list, tuple)):
        raise ArgumentError(f"{name} must be a list of axes; got {type(axes).__name__}")
    return [check_int(axis, name, -8) for axis in axes]
