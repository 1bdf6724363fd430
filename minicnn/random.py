"""Random numbers that are a pure function of (seed, purpose, numbers).

Nobody draws from a shared stream, so there is no state to lose: the shuffle of epoch 7 is the same
whether the training came there in one go or was resumed, whatever else drew numbers before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from minicnn.errors import ArgumentError
from minicnn.shapes import is_int

LARGEST_SEED = 2**64 - 1
_seed = 0


def set_random_seed(seed: int) -> None:
    """Choose the seed of everything that is random: first weights, shuffles, dropout, augmentation.

    It is 0 until it is set, so a program that never calls this repeats itself too.

    >>> set_random_seed(777)
    >>> seed()
    777
    """
    global _seed
    if not is_int(seed) or not 0 <= seed <= LARGEST_SEED:
        raise ArgumentError(f"seed must be an integer in 0...2**64 - 1; got {seed!r}")
    _seed = int(seed)


def seed() -> int:
    """The seed in use."""
    return _seed


@contextmanager
def seeded(value: int) -> Iterator[None]:
    """Inside the block this is the seed; afterwards the one before it again."""
    before = _seed
    set_random_seed(value)
    try:
        yield
    finally:
        set_random_seed(before)


def generator(purpose: str, *numbers: int, seed: int | None = None) -> np.random.Generator:
    """A Philox generator of its own for each (seed, purpose, numbers).

    Parameters
    ----------
    purpose : what the numbers are for: "shuffle", a parameter's name, ...
    numbers : what else they depend on: the epoch, a sample's number, ...
    seed : default: the one in use

    >>> a, b = generator("shuffle", 7), generator("shuffle", 7)
    >>> bool((a.permutation(100) == b.permutation(100)).all())
    True
    """
    used = _seed if seed is None else seed
    text = repr((used, str(purpose), tuple(int(n) for n in numbers)))
    digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "little")))


def stream(step: int) -> np.ndarray:
    """What the dropout kernels read: (seed low, seed high, step low, step high), uint32."""
    words = (_seed, _seed >> 32, step, step >> 32)
    return np.array([word & 0xFFFFFFFF for word in words], np.uint32)
