"""Random numbers that are a pure function of (seed, purpose, numbers).

Nobody draws from a shared stream, so there is no state to lose: the shuffle of epoch 7 is the same
whether the training came there in one go or was resumed, whatever else drew numbers before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import numpy as np

from minicnn.errors import ArgumentError
from minicnn.shapes import is_int

MAX_SEED = 2**64 - 1
T = TypeVar("T")
_seed = 0
# What `seeded` says for a block of code: it is nobody else's, whatever other threads do meanwhile.
_seed_of_block: ContextVar[int | None] = ContextVar("seed of a block", default=None)


def set_random_seed(seed: int) -> None:
    """Choose the seed of everything that is random: first weights, shuffles, dropout, augmentation.

    It is 0 until it is set, so a program that never calls this repeats itself too. All threads have
    the same one; a training that has begun keeps the seed that it began with.

    >>> set_random_seed(777)
    >>> seed()
    777
    """
    global _seed
    value = check_seed(seed)
    if _seed_of_block.get() is None:
        _seed = value
    else:
        _seed_of_block.set(value)


def seed() -> int:
    """The seed in use."""
    return _seed_in_use()


@contextmanager
def seeded(value: int) -> Iterator[None]:
    """Inside the block, and in this thread alone, this is the seed."""
    token = _seed_of_block.set(check_seed(value))
    try:
        yield
    finally:
        _seed_of_block.reset(token)


def each_seeded(values: Iterable[T], value: int) -> Iterator[T]:
    """The same values, each of them made under this seed; between them the seed is as before."""
    iterator = iter(values)
    while True:
        with seeded(value):
            try:
                one = next(iterator)
            except StopIteration:
                return
        yield one


def carried(function: Callable[..., T]) -> Callable[..., T]:
    """The function with the seed of this moment, whichever thread calls it."""
    own = seed()

    def call(*arguments: Any) -> T:
        with seeded(own):
            return function(*arguments)

    return call


def generator(purpose: str, *numbers: int, seed: int | None = None) -> np.random.Generator:
    """A Philox generator of its own for each (seed, purpose, numbers).

    Parameters
    ----------
    purpose : what the numbers are for: "shuffle", a parameter's name, ...
    numbers : what else they depend on: the epoch, a sample's number, ...
    seed : decides alone, whatever `set_random_seed` set; default: the one that it set

    >>> a, b = generator("shuffle", 7), generator("shuffle", 7)
    >>> bool((a.permutation(100) == b.permutation(100)).all())
    True
    """
    key = (_seed_in_use() if seed is None else int(seed), str(purpose), tuple(map(int, numbers)))
    text = repr(key)
    digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "little")))


def epoch_order(count: int, epoch: int, seed: int | None = None) -> np.ndarray:
    """Return the shuffled order of `count` samples in an epoch: a permutation of 0...count - 1.

    It depends on the seed and the epoch alone; `seed` is used as in `generator`.
    """
    return generator("shuffle", epoch, seed=seed).permutation(count)


def rng_key(step: int) -> np.ndarray:
    """What the dropout kernels read: (seed low, seed high, step low, step high), uint32."""
    value = seed()
    words = (value, value >> 32, step, step >> 32)
    return np.array([word & 0xFFFFFFFF for word in words], np.uint32)


def _seed_in_use() -> int:
    own = _seed_of_block.get()
    return _seed if own is None else own


def check_seed(value: Any) -> int:
    """The seed, if it is one."""
    if not is_int(value) or not 0 <= value <= MAX_SEED:
        raise ArgumentError(f"seed must be an integer in 0...2**64 - 1; got {value!r:.80}")
    return int(value)
