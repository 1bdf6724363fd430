"""Arrays of random numbers: a function of the RNG key, the purpose and the position alone.

`random_normal` turns the words a, b of two neighbors into two independent numbers of a normal
distribution, by the method of Box and Muller:

    r = sqrt(-2 ln((a + 1) / 2^24)),    r cos(2 pi b / 2^24)  and  r sin(2 pi b / 2^24)

with the upper 24 bits of each word. `dropout_mask` is what dropout multiplies by, for an array of
the shape `drawn`, whose axes of length 1 are repeated to fill `shape`.
"""

from __future__ import annotations

import math

import numpy as np

from minicnn.backends.numpy.dropout import dropout_forward
from minicnn.backends.numpy.philox import random_words
from minicnn.contracts import Shape


def random_normal_forward(
    rng_key: np.ndarray, *, shape: Shape, mean: float, stddev: float, purpose: int
) -> tuple[np.ndarray]:
    count = math.prod(shape)
    words = random_words(count + count % 2, purpose, rng_key) >> np.uint32(8)
    radius = np.sqrt(-2 * np.log((words[::2] + 1.0) / 2**24))
    angle = 2 * np.pi * (words[1::2] / 2**24)
    pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return ((mean + stddev * pairs.ravel()[:count]).astype(np.float32).reshape(shape),)


def dropout_mask_forward(
    rng_key: np.ndarray, *, shape: Shape, drawn: Shape, rate: float, purpose: int
) -> tuple[np.ndarray]:
    (mask,) = dropout_forward(np.ones(drawn, np.float32), rng_key, rate=rate, purpose=purpose)
    return (np.broadcast_to(mask, shape).copy(),)
