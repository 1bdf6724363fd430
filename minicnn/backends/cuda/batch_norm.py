"""Batch normalization: statistics per channel, then one thread per value.

Forward, pass 1 computes for each chunk of the rows (see channels.py) a value a near its mean, and

    s = sum of x - a,    q = sum of (x - a)^2,

which are accurate for any mean. Pass 2 combines the chunks in float64. Let d be the difference
between a chunk's a and that of the first chunk, n the rows of a chunk and m all rows. Then, with
the a of the first chunk,

    S = sum of s + n d,    Q = sum of q + 2 s d + n d^2,
    mean = a + S / m,      variance = Q / m - (S / m)^2.

Backward adds up dbeta and dgamma in the same two passes. The formulas are in the reference's file
of this name.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minicnn.backends.cuda.channels import (
    ChannelSplit,
    channel_split,
    channel_split_of_chunks,
    position_in,
)
from minicnn.backends.cuda.reduce import block_sum
from minicnn.backends.cuda.runtime.api import cuda, device, float32, jit, sqrt, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.runtime.launch import OLD, KernelPlan, Launch, elementwise, joined
from minicnn.contracts import Spec

ZERO, ONE = float32(0), float32(1)
float64 = np.float64
ZERO_64, ONE_64, TWO_64 = float64(0), float64(1), float64(2)
PARTIALS = "partials"
STATISTICS = (
    "mean", "inverse_std", "moving_mean", "moving_variance",
    OLD + "moving_mean", OLD + "moving_variance",
)  # fmt: skip


def batch_norm_training_forward(
    x: Spec,
    gamma: Spec,
    beta: Spec,
    moving_mean: Spec,
    moving_variance: Spec,
    moments: Spec | None = None,
    *,
    momentum: float,
    epsilon: float,
) -> KernelPlan:
    arguments = ("y", "x", "gamma", "beta", "mean", "inverse_std")
    return joined(statistics(x, moments, momentum, epsilon), normalized(x, arguments, identity))


def batch_norm_training_backward(
    dy: Spec, x: Spec, gamma: Spec, mean: Spec, inverse_std: Spec, **_: Any
) -> KernelPlan:
    return training_gradients(x, "dy")


def batch_norm_inference_forward(
    x: Spec,
    gamma: Spec,
    beta: Spec,
    moving_mean: Spec,
    moving_variance: Spec,
    *,
    epsilon: float,
    **_: Any,
) -> KernelPlan:
    arguments = ("y", "x", "gamma", "beta", "moving_mean", "moving_variance")
    return normalized(x, arguments, inverse_std_of(epsilon))


def batch_norm_inference_backward(
    dy: Spec,
    x: Spec,
    gamma: Spec,
    moving_mean: Spec,
    moving_variance: Spec,
    *,
    epsilon: float,
    **_: Any,
) -> KernelPlan:
    inverse = inverse_std_of(epsilon)
    count = math.prod(x.shape)
    kernel = _scaled_kernel(count, x.shape[-1], inverse)
    return joined(
        _channel_gradients(x, "dy", "moving_mean", "moving_variance", inverse),
        elementwise(kernel, count, ("dx", "dy", "gamma", "moving_variance")),
    )


# --- plans that batch norm with dropout uses, too ------------------------------------------------


def statistics(x: Spec, moments: Spec | None, momentum: float, epsilon: float) -> KernelPlan:
    """Return a plan for mean, inverse_std and the moving averages, from x or from known moments."""
    if moments is not None:
        kernel = _known_moments_kernel(x.shape[-1], momentum, epsilon)
        return elementwise(kernel, x.shape[-1], (*STATISTICS, "moments"))
    size = channel_split(x)
    chunks = channel_split_of_chunks(size)
    join = _join_kernel(size, chunks, momentum, epsilon)
    return KernelPlan(
        (
            Launch(_moments_kernel(size), size.blocks, size.threads, (PARTIALS, "x")),
            Launch(join, chunks.blocks, chunks.threads, (*STATISTICS, PARTIALS)),
        ),
        {PARTIALS: Spec((size.chunks, 3, size.channels))},
    )


def normalized(x: Spec, arguments: tuple[str, ...], inverse: Any) -> KernelPlan:
    """Return a plan for y = gamma (x - mean) inverse_std + beta."""
    count = math.prod(x.shape)
    return elementwise(_normalize_kernel(count, x.shape[-1], inverse), count, arguments)


def training_gradients(x: Spec, dy: str) -> KernelPlan:
    """Return a plan for dx, dgamma and dbeta; `dy` names the gradient, which may be dx itself."""
    count = math.prod(x.shape)
    kernel = _backward_kernel(count, x.shape[-1])
    arguments = ("dx", dy, "x", "gamma", "mean", "inverse_std", "dgamma", "dbeta")
    return joined(
        _channel_gradients(x, dy, "mean", "inverse_std", identity),
        elementwise(kernel, count, arguments),
    )


def _channel_gradients(x: Spec, dy: str, mean: str, spread: str, inverse: Any) -> KernelPlan:
    """Return a plan for dgamma and dbeta."""
    size = channel_split(x)
    add = _gradients_kernel(size, inverse)
    launch = Launch(add, size.blocks, size.threads, (PARTIALS, dy, "x", mean, spread))
    return joined(KernelPlan((launch,)), join_gradients(size))


def join_gradients(size: ChannelSplit) -> KernelPlan:
    """Return a plan that adds up the chunks' sums in PARTIALS, which become dgamma and dbeta."""
    chunks = channel_split_of_chunks(size)
    join = _join_gradients_kernel(chunks)
    return KernelPlan(
        (Launch(join, chunks.blocks, chunks.threads, ("dgamma", "dbeta", PARTIALS)),),
        {PARTIALS: Spec((size.chunks, 2, size.channels))},
    )


@device
def identity(inverse_std):
    return inverse_std


@cached
def inverse_std_of(epsilon: float) -> Any:
    small = float32(epsilon)
    return device(lambda variance: ONE / float32(sqrt(variance + small)))


# --- forward ----------------------------------------------------------------------------------


@cached
def _moments_kernel(size: ChannelSplit) -> Any:
    position, threads, channels = position_in(size), size.threads, uint32(size.channels)
    width, lanes = uint32(size.width), uint32(size.lanes)

    @jit
    def moments_of_chunks(partials, x):
        shared = cuda.shared.array(threads, float32)
        t, lane, channel, first, last, chunk = position()
        total, s, q = ZERO, ZERO, ZERO
        for row in range(first + lane, last, lanes):
            total += x[uint32(row * channels + channel)]
        a = block_sum(shared, total, t, lane, lanes, width) / float32(
            max(uint32(last - first), uint32(1))
        )
        for row in range(first + lane, last, lanes):  # the second read is from the cache
            difference = x[uint32(row * channels + channel)] - a
            s += difference
            q += difference * difference
        s = block_sum(shared, s, t, lane, lanes, width)
        q = block_sum(shared, q, t, lane, lanes, width)
        if lane == 0 and channel < channels:
            to = uint32(chunk * uint32(3) * channels + channel)
            partials[to] = a
            partials[uint32(to + channels)] = s
            partials[uint32(to + uint32(2) * channels)] = q

    return moments_of_chunks


@cached
def _join_kernel(size: ChannelSplit, chunks: ChannelSplit, momentum: float, epsilon: float) -> Any:
    position, threads, channels = position_in(chunks), chunks.threads, uint32(size.channels)
    width, lanes = uint32(chunks.width), uint32(chunks.lanes)
    rows, m, chunk_rows = uint32(size.rows), float64(max(size.rows, 1)), uint32(size.chunk)
    write = _write_statistics(momentum, epsilon)

    @jit
    def join_chunks(mean, inverse, moving_mean, moving_variance, old_mean, old_variance, partials):
        shared = cuda.shared.array(threads, float64)
        t, lane, channel, first, last, _ = position()
        start = float64(partials[channel]) if first < last else ZERO_64
        total, squares = ZERO_64, ZERO_64
        for chunk in range(first + lane, last, lanes):
            at = uint32(chunk * uint32(3) * channels + channel)
            n = float64(min(uint32(rows - chunk * chunk_rows), chunk_rows))
            d = float64(partials[at]) - start
            s = float64(partials[uint32(at + channels)])
            q = float64(partials[uint32(at + uint32(2) * channels)])
            total += s + n * d
            squares += q + (TWO_64 * s + n * d) * d
        shift = block_sum(shared, total, t, lane, lanes, width) / m
        variance = block_sum(shared, squares, t, lane, lanes, width) / m - shift * shift
        if lane == 0 and channel < channels:
            variance = ZERO_64 if variance < ZERO_64 else variance
            write(
                channel, start + shift, variance,
                mean, inverse, moving_mean, moving_variance, old_mean, old_variance,
            )  # fmt: skip

    return join_chunks


@cached
def _known_moments_kernel(channels: int, momentum: float, epsilon: float) -> Any:
    number, write = uint32(channels), _write_statistics(momentum, epsilon)

    @jit
    def known(mean, inverse, moving_mean, moving_variance, old_mean, old_variance, moments):
        c = uint32(cuda.grid(1))
        if c < number:
            write(
                c, moments[c], moments[uint32(c + number)],
                mean, inverse, moving_mean, moving_variance, old_mean, old_variance,
            )  # fmt: skip

    return known


@cached
def _write_statistics(momentum: float, epsilon: float) -> Any:
    old, new, small = float32(momentum), float32(1 - momentum), float64(epsilon)

    @device
    def write(
        c, exact_mean, exact_variance,
        mean, inverse, moving_mean, moving_variance, old_mean, old_variance,
    ):  # fmt: skip
        mean[c] = float32(exact_mean)
        inverse[c] = float32(ONE_64 / sqrt(exact_variance + small))
        moving_mean[c] = old_mean[c] * old + float32(exact_mean) * new
        moving_variance[c] = old_variance[c] * old + float32(exact_variance) * new

    return write


@cached
def _normalize_kernel(count: int, channels: int, inverse: Any) -> Any:
    number = uint32(channels)

    @jit
    def normalize(y, x, gamma, beta, mean, spread):
        e = uint32(cuda.grid(1))
        if e < count:
            c = uint32(e % number)
            y[e] = gamma[c] * ((x[e] - mean[c]) * inverse(spread[c])) + beta[c]

    return normalize


# --- backward ---------------------------------------------------------------------------------


@cached
def _gradients_kernel(size: ChannelSplit, inverse: Any) -> Any:
    position, threads, channels = position_in(size), size.threads, uint32(size.channels)
    width, lanes = uint32(size.width), uint32(size.lanes)

    @jit
    def gradients_of_chunks(partials, dy, x, mean, spread):
        shared = cuda.shared.array(threads, float32)
        t, lane, channel, first, last, chunk = position()
        own = channel if channel < channels else uint32(0)
        shift, scale = mean[own], inverse(spread[own])
        dgamma, dbeta = ZERO, ZERO
        for row in range(first + lane, last, lanes):
            e = uint32(row * channels + channel)
            dgamma += dy[e] * ((x[e] - shift) * scale)
            dbeta += dy[e]
        dgamma = block_sum(shared, dgamma, t, lane, lanes, width)
        dbeta = block_sum(shared, dbeta, t, lane, lanes, width)
        if lane == 0 and channel < channels:
            to = uint32(chunk * uint32(2) * channels + channel)
            partials[to] = dgamma
            partials[uint32(to + channels)] = dbeta

    return gradients_of_chunks


@cached
def _join_gradients_kernel(chunks: ChannelSplit) -> Any:
    position, threads, channels = position_in(chunks), chunks.threads, uint32(chunks.channels)
    width, lanes = uint32(chunks.width), uint32(chunks.lanes)

    @jit
    def join_chunks(dgamma, dbeta, partials):
        shared = cuda.shared.array(threads, float64)
        t, lane, channel, first, last, _ = position()
        a, b = ZERO_64, ZERO_64
        for chunk in range(first + lane, last, lanes):
            at = uint32(chunk * uint32(2) * channels + channel)
            a += float64(partials[at])
            b += float64(partials[uint32(at + channels)])
        a = block_sum(shared, a, t, lane, lanes, width)
        b = block_sum(shared, b, t, lane, lanes, width)
        if lane == 0 and channel < channels:
            dgamma[channel] = float32(a)
            dbeta[channel] = float32(b)

    return join_chunks


@cached
def _backward_kernel(count: int, channels: int) -> Any:
    number, m = uint32(channels), float32(max(count // channels, 1))

    @jit
    def backward(dx, dy, x, gamma, mean, inverse_std, dgamma, dbeta):
        e = uint32(cuda.grid(1))
        if e < count:
            c = uint32(e % number)
            x_hat = (x[e] - mean[c]) * inverse_std[c]
            rest = dy[e] - dbeta[c] / m - x_hat * (dgamma[c] / m)
            dx[e] = gamma[c] * inverse_std[c] * rest

    return backward


@cached
def _scaled_kernel(count: int, channels: int, inverse: Any) -> Any:
    number = uint32(channels)

    @jit
    def scaled(dx, dy, gamma, variance):
        e = uint32(cuda.grid(1))
        if e < count:
            c = uint32(e % number)
            dx[e] = gamma[c] * inverse(variance[c]) * dy[e]

    return scaled
