"""Dropout: a thread takes the four values whose random words are drawn together.

The mask is the reference's: see its file of this name. It is computed again backward, not stored.
"""

from __future__ import annotations

import math
from typing import Any

from minicnn.backends.cuda.philox import random_words
from minicnn.backends.cuda.runtime.api import cuda, device, float32, jit, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.runtime.launch import KernelPlan, elementwise
from minicnn.contracts import Spec

ZERO, ONE, TWO, THREE, FOUR, EIGHT = (uint32(i) for i in (0, 1, 2, 3, 4, 8))
DROPPED = float32(0)


def dropout_forward(x: Spec, rng_key: Spec, *, rate: float, purpose: int) -> KernelPlan:
    return dropped("y", "x", x, rate, purpose)


def dropout_backward(dy: Spec, rng_key: Spec, *, rate: float, purpose: int) -> KernelPlan:
    return dropped("dx", "dy", dy, rate, purpose)


def dropped(out: str, a: str, like: Spec, rate: float, purpose: int) -> KernelPlan:
    """Return a plan that writes `a` with dropout to `out`, which may be the same array."""
    count = math.prod(like.shape)
    return elementwise(_kernel(count, rate, purpose), fours(count), (out, a, "rng_key"))


def fours(count: int) -> int:
    """Return how many threads are needed if each takes four values."""
    return -(-count // 4)


@cached
def kept_or_dropped(rate: float) -> Any:
    """Return a device function: (x, its random word) -> x / (1 - rate), or 0 if x is dropped."""
    threshold, scale = uint32(int(rate * 2**24 + 0.5)), float32(1 / (1 - rate))
    return device(lambda x, word: x * scale if word >> EIGHT >= threshold else DROPPED)


@cached
def _kernel(count: int, rate: float, purpose: int) -> Any:
    number, blocks, own = uint32(count), uint32(fours(count)), uint32(purpose)
    result = kept_or_dropped(rate)

    @device
    def drop(out, a, e, word):
        if e < number:
            out[e] = result(a[e], word)

    @jit
    def dropped_four(out, a, rng_key):
        block = uint32(cuda.grid(1))
        if block < blocks:
            w0, w1, w2, w3 = random_words(block, own, rng_key)
            e = uint32(block * FOUR)
            drop(out, a, e, w0)
            drop(out, a, uint32(e + ONE), w1)
            drop(out, a, uint32(e + TWO), w2)
            drop(out, a, uint32(e + THREE), w3)

    return dropped_four
