"""Initializers that draw from a distribution which does not depend on the weight's shape."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minicnn.checks import check_number, shape_text
from minicnn.contracts import Shape
from minicnn.errors import ShapeError
from minicnn.initializers.base import RandomInitializer


class RandomNormal(RandomInitializer):
    """Values of a normal distribution.

    Parameters
    ----------
    mean, stddev : the distribution's mean and standard deviation; default 0 and 0.05
    seed : that of `RandomInitializer`; default None
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        super().__init__(seed)
        self.mean = check_number(mean, "mean")
        self.stddev = check_number(stddev, "stddev", 0)

    def draw(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        """Return float32 random values."""
        draws = rng.standard_normal(shape, np.float32)
        return draws * np.float32(self.stddev) + np.float32(self.mean)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"mean": self.mean, "stddev": self.stddev, **super().get_config()}


class TruncatedNormal(RandomNormal):
    """Values of a normal distribution without those beyond two standard deviations.

    Parameters are those of `RandomNormal`; `stddev` is that of the distribution before it is cut.
    """

    def draw(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        """Return float32 random values."""
        return (truncated_draws(shape, rng) * self.stddev + self.mean).astype(np.float32)


class RandomUniform(RandomInitializer):
    """Values of a uniform distribution.

    Parameters
    ----------
    minval, maxval : the bounds; default -0.05 and 0.05
    seed : that of `RandomInitializer`; default None
    """

    def __init__(
        self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None
    ) -> None:
        super().__init__(seed)
        self.minval = check_number(minval, "minval")
        self.maxval = check_number(maxval, "maxval", self.minval)

    def draw(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        """Return float32 random values."""
        return rng.uniform(self.minval, self.maxval, shape).astype(np.float32)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"minval": self.minval, "maxval": self.maxval, **super().get_config()}


class Orthogonal(RandomInitializer):
    """A random matrix whose columns, or rows if it is wide, are orthogonal and of length `gain`.

    A convolution's kernel is a matrix of (KH * KW * CI) rows and CO columns here.

    Parameters
    ----------
    gain : the length; default 1
    seed : that of `RandomInitializer`; default None

    References
    ----------
    Saxe, McClelland, Ganguli: Exact solutions to the nonlinear dynamics of learning in deep linear
    neural networks, 2014.
    """

    def __init__(self, gain: float = 1.0, seed: int | None = None) -> None:
        super().__init__(seed)
        self.gain = check_number(gain, "gain")

    def draw(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        """Return float32 random values."""
        if len(shape) < 2:
            raise ShapeError(
                f"Orthogonal: the weight must have 2 axes or more; got {shape_text(shape)}"
            )
        rows, columns = math.prod(shape[:-1]), shape[-1]
        q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
        q = q * np.where(np.diagonal(r) < 0, -1.0, 1.0)  # else its distribution is not uniform
        matrix = q.T if rows < columns else q
        return (self.gain * matrix).reshape(shape).astype(np.float32)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"gain": self.gain, **super().get_config()}


def truncated_draws(shape: Shape, rng: np.random.Generator) -> np.ndarray:
    """Return standard normal values; those beyond two standard deviations are drawn again."""
    values = rng.standard_normal(shape)
    while (beyond := np.abs(values) > 2).any():
        values[beyond] = rng.standard_normal(np.count_nonzero(beyond))
    return values
