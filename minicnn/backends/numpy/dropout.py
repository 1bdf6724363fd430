"""Dropout: in training each value is set to 0 with probability `rate`.

    y = x / (1 - rate) where kept, else 0        dx = dy / (1 - rate) where kept, else 0

The division keeps the expected value, so inference needs no change. The mask is a function of
(rng_key, purpose, element), so the backward pass computes it again instead of storing it.
"""

from __future__ import annotations

import numpy as np

from minicnn.backends.numpy.philox import random_words


def dropout_forward(
    x: np.ndarray, rng_key: np.ndarray, *, rate: float, purpose: int
) -> tuple[np.ndarray]:
    return (np.where(_kept(x.shape, rng_key, rate, purpose), x * x.dtype.type(1 / (1 - rate)), 0),)


def dropout_backward(
    dy: np.ndarray, rng_key: np.ndarray, *, rate: float, purpose: int
) -> tuple[np.ndarray]:
    return dropout_forward(dy, rng_key, rate=rate, purpose=purpose)


def _kept(shape: tuple[int, ...], rng_key: np.ndarray, rate: float, purpose: int) -> np.ndarray:
    """Return the mask: True with probability 1 - rate, up to 2^-24."""
    words = random_words(int(np.prod(shape)), purpose, rng_key)
    threshold = int(rate * 2**24 + 0.5)
    return (words >> np.uint32(8) >= threshold).reshape(shape)
