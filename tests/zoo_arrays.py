"""Weights that are drawn from their names, so that two programs can have the same ones."""

from __future__ import annotations

import zlib

import numpy as np


def drawn(name: str, shape: tuple[int, ...], gain: float = 1.0) -> np.ndarray:
    """Return the array of that name: it depends on nothing but the name and the shape.

    `gain` makes kernels smaller. Some deep networks of large random kernels are so chaotic that the
    rounding of float32 changes their outputs.
    """
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    if name.endswith(("running_var", "moving_variance")):
        return rng.uniform(0.5, 1.5, shape).astype(np.float32)
    if name.endswith(("bias", "beta", "mean")):
        return (0.1 * rng.standard_normal(shape)).astype(np.float32)
    if len(shape) == 1:  # what scales in batch normalization
        return rng.uniform(0.5, 1.5, shape).astype(np.float32)
    fan_in = np.prod(shape) / max(shape)
    return (gain * np.sqrt(2 / fan_in) * rng.standard_normal(shape)).astype(np.float32)


def images(count: int = 2, size: int = 64) -> np.ndarray:
    """Return what the networks are asked about."""
    shape = (count, size, size, 3)
    return np.random.default_rng(7).uniform(-1, 1, shape).astype(np.float32)
