"""Batch normalization folded into a convolution's weights, after the parameters have changed.

The formulas are in the reference's file of this name. As there, values per channel and their sums
are computed in float64.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minicnn.backends.cuda.channels import (
    WIDTH_OF_CHUNKS,
    ChannelSplit,
    position_in,
    unchunked_split,
)
from minicnn.backends.cuda.reduce import block_sum
from minicnn.backends.cuda.runtime.api import cuda, device, float32, jit, sqrt, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.runtime.launch import KernelPlan, Launch, elementwise, joined
from minicnn.contracts import Spec

float64 = np.float64
ZERO = float64(0)
NORM = ("gamma", "beta", "moving_mean", "moving_variance")


def fold_batch_norm_after_conv2d(
    w: Spec, b: Spec | None, *norm: Spec, epsilon: float
) -> KernelPlan:
    count, filters = math.prod(w.shape), w.shape[3]
    bias = _folded_bias_after(filters, epsilon, b is not None)
    return joined(
        elementwise(bias, filters, ("folded_b", *_bias(b), *NORM)),
        elementwise(_scale_kernel(count, 1, filters, epsilon), count, ("folded_w", "w", *NORM)),
    )


def fold_batch_norm_before_conv2d(
    w: Spec, b: Spec | None, *norm: Spec, epsilon: float
) -> KernelPlan:
    count, channels, filters = math.prod(w.shape), *w.shape[2:]
    size = unchunked_split(math.prod(w.shape[:3]), filters, WIDTH_OF_CHUNKS)
    bias = _folded_bias_before(size, channels, epsilon, b is not None)
    scale = _scale_kernel(count, filters, channels, epsilon)
    arguments = ("folded_b", *_bias(b), "w", *NORM)
    return joined(
        KernelPlan((Launch(bias, size.blocks, size.threads, arguments),)),
        elementwise(scale, count, ("folded_w", "w", *NORM)),
    )


def _bias(b: Spec | None) -> tuple[str, ...]:
    """Return the name of the array that is passed as b; without a bias it is not used."""
    return ("beta",) if b is None else ("b",)


@cached
def _scale_and_shift(epsilon: float) -> Any:
    """Return a device function: channel c and its statistics -> (scale, shift)."""
    small = float64(epsilon)

    @device
    def scale_and_shift(c, gamma, beta, mean, variance):
        a = float64(gamma[c]) / sqrt(float64(variance[c]) + small)
        return a, float64(beta[c]) - a * float64(mean[c])

    return scale_and_shift


@cached
def _scale_kernel(count: int, inner: int, channels: int, epsilon: float) -> Any:
    """Return a kernel: folded_w = w scale[c].

    The axis of c has length `channels`; `inner` values follow each other with the same c.
    """
    scale_and_shift, n, step = _scale_and_shift(epsilon), uint32(channels), uint32(inner)

    @jit
    def scaled(folded_w, w, gamma, beta, mean, variance):
        e = uint32(cuda.grid(1))
        if e < count:
            a, _ = scale_and_shift(uint32(e // step % n), gamma, beta, mean, variance)
            folded_w[e] = float32(float64(w[e]) * a)

    return scaled


@cached
def _folded_bias_after(filters: int, epsilon: float, has_bias: bool) -> Any:
    scale_and_shift = _scale_and_shift(epsilon)

    @jit
    def bias_after(folded_b, b, gamma, beta, mean, variance):
        k = uint32(cuda.grid(1))
        if k < filters:
            a, c = scale_and_shift(k, gamma, beta, mean, variance)
            folded_b[k] = float32(a * float64(b[k]) + c if has_bias else c)

    return bias_after


@cached
def _folded_bias_before(size: ChannelSplit, inputs: int, epsilon: float, has_bias: bool) -> Any:
    """Return a kernel with one block per few filters, whose lanes share the rows (KH, KW, CI)."""
    position, threads, filters = position_in(size), size.threads, uint32(size.channels)
    width, lanes, n = uint32(size.width), uint32(size.lanes), uint32(inputs)
    scale_and_shift = _scale_and_shift(epsilon)

    @jit
    def bias_before(folded_b, b, w, gamma, beta, mean, variance):
        shared = cuda.shared.array(threads, float64)
        t, lane, k, first, last, _ = position()
        total = ZERO
        for row in range(first + lane, last, lanes):
            _, c = scale_and_shift(uint32(row % n), gamma, beta, mean, variance)
            total += float64(w[uint32(row * filters + k)]) * c
        total = block_sum(shared, total, t, lane, lanes, width)
        if lane == 0 and k < filters:
            folded_b[k] = float32(float64(b[k]) + total if has_bias else total)

    return bias_before
