"""Normalization of groups: a block per group and row, then one thread per value.

The threads of a block take every `threads`-th value of their group. Backward, dgamma and dbeta are
sums over all rows and positions, in the two passes of batch normalization. The formulas are in the
reference's file of this name.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from minicnn.backends.cuda.batch_norm import PARTIALS, join_gradients
from minicnn.backends.cuda.channels import ChannelSplit, channel_split, position_in
from minicnn.backends.cuda.reduce import block_sum, power_of_two
from minicnn.backends.cuda.runtime.api import cuda, device, float32, jit, sqrt, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.runtime.launch import (
    THREADS,
    KernelPlan,
    Launch,
    elementwise,
    joined,
)
from minicnn.contracts import Spec

ZERO, ONE, TWO = float32(0), float32(1), uint32(2)
TERMS = "terms"  # what a group subtracts from gamma * dy: offset and slope


class GroupShape(NamedTuple):
    """An array (rows, positions, groups, size)."""

    rows: int
    positions: int
    groups: int
    size: int

    @property
    def channels(self) -> int:
        """The values of a position."""
        return self.groups * self.size

    @property
    def members(self) -> int:
        """The values of a group."""
        return self.positions * self.size

    @property
    def values(self) -> int:
        """All values."""
        return self.rows * self.positions * self.channels


def group_norm_forward(
    x: Spec, gamma: Spec | None, beta: Spec | None, *, statistic: str, epsilon: float,
    groups: int, sample_axis: int, channel_axis: int,
) -> KernelPlan:  # fmt: skip
    shape = _shape(x, groups, sample_axis, channel_axis)
    threads = _threads(shape)
    statistics = _statistics_kernel(shape, threads, statistic, epsilon)
    normalize = _normalize_kernel(shape, gamma is not None, beta is not None)
    # What is absent is not read; its place is taken by x.
    scales = ("x" if gamma is None else "gamma", "x" if beta is None else "beta")
    return joined(
        _per_group(shape, threads, statistics, ("mean", "inverse_std", "x")),
        elementwise(normalize, shape.values, ("y", "x", *scales, "mean", "inverse_std")),
    )


def group_norm_backward(
    dy: Spec, x: Spec, gamma: Spec | None, mean: Spec, inverse_std: Spec, *, statistic: str,
    epsilon: float, groups: int, sample_axis: int, channel_axis: int,
) -> KernelPlan:  # fmt: skip
    shape = _shape(x, groups, sample_axis, channel_axis)
    threads, scaled = _threads(shape), gamma is not None
    arrays = ("dy", "x", "gamma" if scaled else "x", "mean", "inverse_std")
    terms = _terms_kernel(shape, threads, statistic, epsilon, scaled)
    plan = _per_group(shape, threads, terms, (TERMS, *arrays))
    size = channel_split(Spec((shape.rows * shape.positions, shape.channels)))
    add = Launch(
        _gradients_kernel(size, shape), size.blocks, size.threads,
        (PARTIALS, "dy", "x", "mean", "inverse_std"),
    )  # fmt: skip
    return joined(
        plan._replace(scratch={TERMS: Spec((max(shape.rows, 1) * groups, 2))}),
        elementwise(_backward_kernel(shape, scaled), shape.values, ("dx", *arrays, TERMS)),
        KernelPlan((add,)),
        join_gradients(size),
    )


def _shape(x: Spec, groups: int, sample_axis: int, channel_axis: int) -> GroupShape:
    channels = math.prod(x.shape[channel_axis:])
    positions = math.prod(x.shape[sample_axis:channel_axis])
    return GroupShape(math.prod(x.shape[:sample_axis]), positions, groups, channels // groups)


def _threads(shape: GroupShape) -> int:
    """Return a power of two, so that each thread has a few values."""
    return min(THREADS, power_of_two(shape.members / 4))


def _per_group(
    shape: GroupShape, threads: int, kernel: Any, arguments: tuple[str, ...]
) -> KernelPlan:
    blocks = shape.rows * shape.groups
    return KernelPlan((Launch(kernel, blocks, threads, arguments),) if blocks else ())


@cached
def _member_of(shape: GroupShape) -> Any:
    """Return a device function: (row, group, i) -> (index of the i-th value, its channel)."""
    row_size, channels = uint32(shape.positions * shape.channels), uint32(shape.channels)
    size = uint32(shape.size)

    @device
    def member(row, group, i):
        channel = uint32(group * size + i % size)
        return uint32(row * row_size + i // size * channels + channel), channel

    return member


@cached
def _statistics_kernel(shape: GroupShape, threads: int, statistic: str, epsilon: float) -> Any:
    member, members, groups = _member_of(shape), uint32(shape.members), uint32(shape.groups)
    m, small, lanes = float32(shape.members), float32(epsilon), uint32(threads)
    centered, norm = statistic == "variance", statistic == "norm"

    @jit
    def statistics(mean, inverse_std, x):
        shared = cuda.shared.array(threads, float32)
        t, block = uint32(cuda.threadIdx.x), uint32(cuda.blockIdx.x)
        row, group = uint32(block // groups), uint32(block % groups)
        middle, total = ZERO, ZERO
        if centered:
            for i in range(t, members, lanes):
                e, _ = member(row, group, uint32(i))
                total += x[e]
            middle = block_sum(shared, total, t, t, lanes, uint32(1)) / m
        total = ZERO
        for i in range(t, members, lanes):
            e, _ = member(row, group, uint32(i))
            total += (x[e] - middle) * (x[e] - middle)
        total = block_sum(shared, total, t, t, lanes, uint32(1))
        if t == 0:
            mean[block] = middle
            if norm:
                inverse_std[block] = ONE / max(float32(sqrt(total)), small)
            else:
                inverse_std[block] = ONE / float32(sqrt(total / m + small))

    return statistics


@cached
def _normalize_kernel(shape: GroupShape, scaled: bool, shifted: bool) -> Any:
    count, channels = shape.values, uint32(shape.channels)
    group_of = _group_of(shape)

    @jit
    def normalize(y, x, gamma, beta, mean, inverse_std):
        e = uint32(cuda.grid(1))
        if e < count:
            g, c = group_of(e), uint32(e % channels)
            v = (x[e] - mean[g]) * inverse_std[g]
            if scaled:
                v = gamma[c] * v
            if shifted:
                v = v + beta[c]
            y[e] = v

    return normalize


@cached
def _group_of(shape: GroupShape) -> Any:
    """Return a device function: index of a value -> number of its row and group."""
    row_size, channels = uint32(shape.positions * shape.channels), uint32(shape.channels)
    groups, size = uint32(shape.groups), uint32(shape.size)
    return device(lambda e: uint32(e // row_size * groups + e % channels // size))


@cached
def _terms_kernel(
    shape: GroupShape, threads: int, statistic: str, epsilon: float, scaled: bool
) -> Any:
    member, members, groups = _member_of(shape), uint32(shape.members), uint32(shape.groups)
    centered, norm, lanes = statistic == "variance", statistic == "norm", uint32(threads)
    by, largest = ONE if norm else float32(shape.members), float32(1 / epsilon)

    @jit
    def sums(terms, dy, x, gamma, mean, inverse_std):
        shared = cuda.shared.array(threads, float32)
        t, block = uint32(cuda.threadIdx.x), uint32(cuda.blockIdx.x)
        row, group = uint32(block // groups), uint32(block % groups)
        first, second = ZERO, ZERO
        for i in range(t, members, lanes):
            e, channel = member(row, group, uint32(i))
            g = gamma[channel] * dy[e] if scaled else dy[e]
            first += g
            second += g * ((x[e] - mean[block]) * inverse_std[block])
        first = block_sum(shared, first, t, t, lanes, uint32(1)) / by
        second = block_sum(shared, second, t, t, lanes, uint32(1)) / by
        if norm and inverse_std[block] >= largest:
            second = ZERO
        if t == 0:
            terms[uint32(block * TWO)] = first if centered else ZERO
            terms[uint32(block * TWO + uint32(1))] = second

    return sums


@cached
def _backward_kernel(shape: GroupShape, scaled: bool) -> Any:
    count, channels = shape.values, uint32(shape.channels)
    group_of = _group_of(shape)

    @jit
    def backward(dx, dy, x, gamma, mean, inverse_std, terms):
        e = uint32(cuda.grid(1))
        if e < count:
            b = group_of(e)
            x_hat = (x[e] - mean[b]) * inverse_std[b]
            g = gamma[uint32(e % channels)] * dy[e] if scaled else dy[e]
            offset, slope = terms[uint32(b * TWO)], terms[uint32(b * TWO + uint32(1))]
            dx[e] = inverse_std[b] * (g - offset - x_hat * slope)

    return backward


@cached
def _gradients_kernel(size: ChannelSplit, shape: GroupShape) -> Any:
    """Add up dy and dy * x^ of each chunk; the group's statistics differ from row to row."""
    position, threads, channels = position_in(size), size.threads, uint32(size.channels)
    width, lanes = uint32(size.width), uint32(size.lanes)
    positions, groups, of_group = map(uint32, (shape.positions, shape.groups, shape.size))

    @jit
    def gradients_of_chunks(partials, dy, x, mean, inverse_std):
        shared = cuda.shared.array(threads, float32)
        t, lane, channel, first, last, chunk = position()
        dgamma, dbeta = ZERO, ZERO
        for row in range(first + lane, last, lanes):
            e = uint32(row * channels + channel)
            b = uint32(uint32(row) // positions * groups + channel // of_group)
            dgamma += dy[e] * ((x[e] - mean[b]) * inverse_std[b])
            dbeta += dy[e]
        dgamma = block_sum(shared, dgamma, t, lane, lanes, width)
        dbeta = block_sum(shared, dbeta, t, lane, lanes, width)
        if lane == 0 and channel < channels:
            to = uint32(chunk * uint32(2) * channels + channel)
            partials[to] = dgamma
            partials[uint32(to + channels)] = dbeta

    return gradients_of_chunks
