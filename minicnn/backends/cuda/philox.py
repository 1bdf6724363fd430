"""Philox4x32-10: the reference's random words, bit for bit. Four elements share a call.

All arithmetic is in uint64, of which only the products need the upper half: NumPy's scalars, which
the simulator computes with, must not overflow, and the compiler sees which halves are zero.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.backends.cuda.api import device, uint32

ROUNDS = 10
MULTIPLIER_0, MULTIPLIER_2 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
KEY_STEP_0, KEY_STEP_1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
LOW, HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
wide: Any = np.uint64  # as a kernel calls it


@device
def random_words(block, purpose, stream):
    """The words of elements 4 block, ..., 4 block + 3. stream: seed low, high, step low, high."""
    c0, c1, c2, c3 = wide(block), wide(0), wide(purpose), wide(stream[2])
    k0, k1 = wide(stream[0]), wide(stream[1]) ^ wide(stream[3])
    for _ in range(ROUNDS):
        p0, p1 = MULTIPLIER_0 * c0, MULTIPLIER_2 * c2
        c0, c2 = (p1 >> HALF) ^ c1 ^ k0, (p0 >> HALF) ^ c3 ^ k1
        c1, c3 = p1 & LOW, p0 & LOW
        k0, k1 = (k0 + KEY_STEP_0) & LOW, (k1 + KEY_STEP_1) & LOW
    return uint32(c0), uint32(c1), uint32(c2), uint32(c3)
