"""Philox4x32-10: the reference's random words, bit for bit, for four elements per call.

Products and sums of keys, which need more than 32 bits, are uint64: so they overflow neither on a
GPU nor in the simulator, which computes with NumPy's scalars.
"""

from __future__ import annotations

import numpy as np

from minicnn.backends.cuda.runtime.api import device, uint32

uint64 = np.uint64
ROUNDS = 10
MULTIPLIER_0, MULTIPLIER_2 = uint64(0xD2511F53), uint64(0xCD9E8D57)
KEY_STEP_0, KEY_STEP_1 = uint64(0x9E3779B9), uint64(0xBB67AE85)
LOW, HALF = uint64(0xFFFFFFFF), uint64(32)


@device
def lower(product):
    return uint32(product & LOW)


@device
def upper(product):
    return uint32(product >> HALF)


@device
def random_words(block, purpose, rng_key):
    """Return the random words of elements 4 block to 4 block + 3.

    rng_key is (seed low, seed high, step low, step high).
    """
    c0, c1, c2, c3 = uint32(block), uint32(0), uint32(purpose), uint32(rng_key[2])
    k0, k1 = uint32(rng_key[0]), uint32(rng_key[1] ^ rng_key[3])
    for _ in range(ROUNDS):
        p0, p1 = MULTIPLIER_0 * uint64(c0), MULTIPLIER_2 * uint64(c2)
        c0, c2 = uint32(upper(p1) ^ c1 ^ k0), uint32(upper(p0) ^ c3 ^ k1)
        c1, c3 = lower(p1), lower(p0)
        k0, k1 = lower(uint64(k0) + KEY_STEP_0), lower(uint64(k1) + KEY_STEP_1)
    return c0, c1, c2, c3
