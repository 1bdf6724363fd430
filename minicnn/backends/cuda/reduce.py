"""Sums and maxima of what several threads of a block have found: always in the same order.

The threads that share a sum are a team; its lanes lie `step` threads apart. In each round the first
half of the lanes takes what the second half has, so 32 numbers are one after five rounds. What is
added to what depends on the team's size alone, so the result has the same bits every time.
"""

from __future__ import annotations

from minicnn.backends.cuda.runtime.api import cuda, device, uint32

ONE = uint32(1)


@device
def larger(a, b):
    return a if a >= b or a != a else b  # NaN is larger than any number


@device
def block_sum(shared, mine, t, lane, lanes, step):
    """The sum of `mine` over the team, for all of it. Every thread of the block must come here.

    `shared` has a place for each thread t of the block; `lanes` is a power of two.
    """
    shared[t] = mine
    half = uint32(lanes // uint32(2))
    while half >= ONE:
        cuda.syncthreads()
        if lane < half:
            shared[t] += shared[uint32(t + half * step)]
        half = uint32(half // uint32(2))
    cuda.syncthreads()
    total = shared[uint32(t - lane * step)]
    cuda.syncthreads()  # all have read it: `shared` may be written again
    return total


@device
def block_max(shared, mine, t, lane, lanes, step):
    """The largest `mine` of the team, NaN if there is one."""
    shared[t] = mine
    half = uint32(lanes // uint32(2))
    while half >= ONE:
        cuda.syncthreads()
        if lane < half:
            shared[t] = larger(shared[t], shared[uint32(t + half * step)])
        half = uint32(half // uint32(2))
    cuda.syncthreads()
    largest = shared[uint32(t - lane * step)]
    cuda.syncthreads()
    return largest


def power_of_two(least: float) -> int:
    """The smallest power of two that is not smaller.

    >>> power_of_two(0.3), power_of_two(2), power_of_two(2.5)
    (1, 2, 4)
    """
    power = 1
    while power < least:
        power *= 2
    return power
