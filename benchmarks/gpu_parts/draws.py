"""The sizes of the inputs, and how arrays of a size are drawn."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Size(NamedTuple):
    """Images (N, H, W, CI), and the number of filters."""

    n: int
    h: int
    w: int
    channels: int
    filters: int

    def __str__(self) -> str:
        return f"{self.n}x{self.h}x{self.w}x{self.channels}, {self.filters} filters"


def normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Return a float32 array of normally distributed values."""
    return rng.standard_normal(shape).astype(np.float32)


def positive(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Return a float32 array of values in 0.5...1."""
    return rng.uniform(0.5, 1, shape).astype(np.float32)
