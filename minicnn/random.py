"""Random numbers as pure functions of a seed, a purpose and indices.

There is no shared generator whose state could be lost. The shuffle of epoch 7 is the same whether
a training reached it in one run or was resumed, and whatever else was drawn before.
"""

from __future__ import annotations

import hashlib
import itertools
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import numpy as np

from minicnn.errors import ArgumentError
from minicnn.shapes import is_int
from minicnn.support.text import quoted

MAX_SEED = 2**64 - 1
T = TypeVar("T")
_seed = 0
_numbers = itertools.count()  # since the seed was set
# The seed inside a block of `seeded`, which no other thread sees.
_seed_of_block: ContextVar[int | None] = ContextVar("seed of a block", default=None)


def set_random_seed(seed: int) -> None:
    """Set the seed of everything random: initial weights, shuffles, dropout, augmentation.

    The seed is 0 until it is set, so a program that never calls this function repeats itself too.
    It holds for all threads. A training that has begun keeps the seed that it began with.

    >>> set_random_seed(777)
    >>> seed()
    777
    """
    global _seed, _numbers
    value = check_seed(seed)
    _numbers = itertools.count()
    if _seed_of_block.get() is None:
        _seed = value
    else:
        _seed_of_block.set(value)


def next_number() -> int:
    """Return 0, 1, ...: one number each for things that are random and have no seed or name.

    `set_random_seed` starts again at 0.
    """
    return next(_numbers)


def seed() -> int:
    """Return the current seed."""
    return _current_seed()


@contextmanager
def seeded(value: int) -> Iterator[None]:
    """Use this seed inside the block, in this thread alone."""
    token = _seed_of_block.set(check_seed(value))
    try:
        yield
    finally:
        _seed_of_block.reset(token)


def each_seeded(values: Iterable[T], value: int) -> Iterator[T]:
    """Yield the same values, each computed under this seed; between them the seed is as before."""
    iterator = iter(values)
    while True:
        with seeded(value):
            try:
                one = next(iterator)
            except StopIteration:
                return
        yield one


def bind_seed(function: Callable[..., T]) -> Callable[..., T]:
    """Return the function bound to the current seed, whichever thread calls it later."""
    own = seed()

    def call(*arguments: Any) -> T:
        with seeded(own):
            return function(*arguments)

    return call


def generator(purpose: str, *numbers: int, seed: int | None = None) -> np.random.Generator:
    """Return a Philox generator that depends on the seed and the arguments alone.

    Parameters
    ----------
    purpose : what is drawn: "shuffle", a parameter's name, ...
    numbers : what else it depends on: the epoch, the index of a sample, ...
    seed : used in place of the seed that `set_random_seed` set; default None

    >>> a, b = generator("shuffle", 7), generator("shuffle", 7)
    >>> bool((a.permutation(100) == b.permutation(100)).all())
    True
    """
    key = (_current_seed() if seed is None else int(seed), str(purpose), tuple(map(int, numbers)))
    text = repr(key)
    digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "little")))


def epoch_order(count: int, epoch: int, seed: int | None = None) -> np.ndarray:
    """Return the shuffled order of `count` samples in an epoch: a permutation of 0...count - 1.

    It depends on the seed and the epoch alone; `seed` is used as in `generator`.
    """
    return generator("shuffle", epoch, seed=seed).permutation(count)


def rng_key(step: int, shard: int = 0) -> np.ndarray:
    """Return the RNG key of a step: (seed low, seed high, step low, step high), uint32.

    Kernels of random operations, such as dropout, read it. The number of a part of the batch, if it
    has parts, is in the upper half of the last word.
    """
    value = seed()
    words = (value, value >> 32, step, (step >> 32) + (shard << 16))
    return np.array([word & 0xFFFFFFFF for word in words], np.uint32)


def purpose_number(name: str) -> int:
    """Return the number below 2**31 by which kernels tell this purpose from others."""
    return zlib.crc32(name.encode()) & 0x7FFFFFFF


def uniform(
    shape: Sequence[int],
    minval: float = 0.0,
    maxval: float = 1.0,
    dtype: str | None = None,
    seed: int | None = None,
) -> np.ndarray:
    """Return an array of equally likely numbers from `minval` to below `maxval`.

    Without a `seed` every call gives others, which depend on `set_random_seed`.

    >>> uniform((2, 3), seed=1).shape
    (2, 3)
    """
    drawn = _stream(seed).uniform(minval, maxval, tuple(shape))
    return drawn.astype(dtype or "float32")


def normal(
    shape: Sequence[int],
    mean: float = 0.0,
    stddev: float = 1.0,
    dtype: str | None = None,
    seed: int | None = None,
) -> np.ndarray:
    """Return an array of normally distributed numbers; `seed` as in `uniform`.

    >>> normal((2, 3), seed=1).shape
    (2, 3)
    """
    drawn = _stream(seed).normal(mean, stddev, tuple(shape))
    return drawn.astype(dtype or "float32")


def randint(
    shape: Sequence[int], minval: int, maxval: int, dtype: str = "int32", seed: int | None = None
) -> np.ndarray:
    """Return an array of equally likely integers from `minval` to `maxval` - 1.

    >>> bool((randint((9,), 2, 4, seed=1) < 4).all())
    True
    """
    return _stream(seed).integers(minval, maxval, tuple(shape)).astype(dtype)


def shuffle(x: np.ndarray, axis: int = 0, seed: int | None = None) -> np.ndarray:
    """Return the array with the slices along an axis in a random order.

    >>> sorted(shuffle(np.arange(5), seed=1).tolist())
    [0, 1, 2, 3, 4]
    """
    return _stream(seed).permutation(np.asarray(x), axis=axis)


def _stream(seed: int | None) -> np.random.Generator:
    """Return a generator for one call of a function above."""
    number = 0 if seed is not None else next(_numbers)
    return generator("stream", number, seed=None if seed is None else check_seed(seed))


def _current_seed() -> int:
    own = _seed_of_block.get()
    return _seed if own is None else own


def check_seed(value: Any) -> int:
    """Return the seed after a check."""
    if not is_int(value) or not 0 <= value <= MAX_SEED:
        raise ArgumentError(f"seed must be an integer in 0...2**64 - 1; got {quoted(value)}")
    return int(value)
