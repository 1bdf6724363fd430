"""Philox4x32-10: a random number generator that is a function without state.

It maps a counter of four 32-bit words and a key of two words to four random words. So each element
of a mask has a random number of its own, which any thread can compute in any order, and a backward
pass computes the same mask again instead of storing it.

    Salmon, Moraes, Dror, Shaw: Parallel Random Numbers: As Easy as 1, 2, 3 (SC 2011).
"""

from __future__ import annotations

import numpy as np

ROUNDS = 10
MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
KEY_STEPS = 0x9E3779B9, 0xBB67AE85
LOW = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)


def philox4x32(counter: np.ndarray, key: tuple[int, int]) -> np.ndarray:
    """Return (4, n) random uint32 words for (4, n) uint32 counters."""
    c0, c1, c2, c3 = counter.astype(np.uint64)
    k0, k1 = key
    for _ in range(ROUNDS):
        # Both products have 64 bits: high words are mixed with the key, low words are moved.
        p0, p1 = MULTIPLIERS[0] * c0, MULTIPLIERS[1] * c2
        c0, c2 = (p1 >> HALF) ^ c1 ^ np.uint64(k0), (p0 >> HALF) ^ c3 ^ np.uint64(k1)
        c1, c3 = p1 & LOW, p0 & LOW
        k0, k1 = (k0 + KEY_STEPS[0]) & 0xFFFFFFFF, (k1 + KEY_STEPS[1]) & 0xFFFFFFFF
    return np.stack([c0, c1, c2, c3]).astype(np.uint32)


def random_words(count: int, purpose: int, rng_key: np.ndarray) -> np.ndarray:
    """Return `count` random uint32 words; word e belongs to element e of a mask.

    `rng_key` is (4,) uint32: (seed low, seed high, step low, step high).
    """
    seed_low, seed_high, step_low, step_high = (int(word) for word in rng_key)
    blocks = np.arange(-(-count // 4), dtype=np.uint64)  # four elements share a block
    counter = np.empty((4, len(blocks)), np.uint32)
    counter[0], counter[1] = blocks & LOW, blocks >> HALF
    counter[2], counter[3] = purpose, step_low
    return philox4x32(counter, (seed_low, seed_high ^ step_high)).T.ravel()[:count]
