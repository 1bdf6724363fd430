"""Random arrays: a thread takes the four values whose random words are drawn together.

The formulas are in the reference's file of this name. Normal numbers are computed in float64, as
there.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minicnn.backends.cuda.dropout import FOUR, ONE, THREE, TWO, fours
from minicnn.backends.cuda.philox import random_words
from minicnn.backends.cuda.runtime.api import (
    cos,
    cuda,
    device,
    float32,
    jit,
    log,
    sin,
    sqrt,
    uint32,
)
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.runtime.launch import KernelPlan, elementwise
from minicnn.contracts import Shape, Spec

float64 = np.float64
EIGHT, STEP, TURN, MINUS_TWO = uint32(8), float64(2.0**-24), float64(2 * math.pi), float64(-2)
ONE_64 = float64(1)


def random_normal_forward(
    rng_key: Spec, *, shape: Shape, mean: float, stddev: float, purpose: int
) -> KernelPlan:
    count = math.prod(shape)
    kernel = _normal_kernel(count, mean, stddev, purpose)
    return elementwise(kernel, fours(count), ("y", "rng_key"))


def dropout_mask_forward(
    rng_key: Spec, *, shape: Shape, drawn: Shape, rate: float, purpose: int
) -> KernelPlan:
    count = math.prod(shape)
    return elementwise(_mask_kernel(shape, drawn, rate, purpose), count, ("y", "rng_key"))


@device
def radius_of(word):
    return sqrt(MINUS_TWO * log((float64(word >> EIGHT) + ONE_64) * STEP))


@device
def angle_of(word):
    return TURN * (float64(word >> EIGHT) * STEP)


@cached
def _normal_kernel(count: int, mean: float, stddev: float, purpose: int) -> Any:
    number, blocks, own = uint32(count), uint32(fours(count)), uint32(purpose)
    middle, spread = float64(mean), float64(stddev)

    @device
    def put(y, e, z):
        if e < number:
            y[e] = float32(middle + spread * z)

    @jit
    def normal(y, rng_key):
        block = uint32(cuda.grid(1))
        if block < blocks:
            a, b, c, d = random_words(block, own, rng_key)
            e = uint32(block * FOUR)
            put(y, e, radius_of(a) * cos(angle_of(b)))
            put(y, uint32(e + ONE), radius_of(a) * sin(angle_of(b)))
            put(y, uint32(e + TWO), radius_of(c) * cos(angle_of(d)))
            put(y, uint32(e + THREE), radius_of(c) * sin(angle_of(d)))

    return normal


@cached
def _mask_kernel(shape: Shape, drawn: Shape, rate: float, purpose: int) -> Any:
    """One thread per value, which looks for the word that was drawn for it."""
    count, own, axes = math.prod(shape), uint32(purpose), len(shape)
    threshold, kept = uint32(int(rate * 2**24 + 0.5)), float32(1 / (1 - rate))
    lengths = tuple(uint32(n) for n in reversed(shape))
    strides, stride = [], 1
    for n in reversed(drawn):
        strides.append(uint32(0 if n == 1 else stride))
        stride *= n
    steps = tuple(strides)

    @jit
    def mask(y, rng_key):
        e = uint32(cuda.grid(1))
        if e < count:
            index, rest = uint32(0), e
            for axis in range(axes):
                index = uint32(index + rest % lengths[axis] * steps[axis])
                rest = uint32(rest // lengths[axis])
            words = random_words(uint32(index // FOUR), own, rng_key)
            word = words[index % FOUR]
            y[e] = kept if word >> EIGHT >= threshold else float32(0)

    return mask
