"""Sums and maxima over threads of a block, always in the same order.

A sum is taken over `lanes` threads that are `step` threads apart. In each round the first half of
the lanes adds the values of the second half, so five rounds add 32 values. The order depends on the
number of lanes alone, so the result has the same bits every time.
"""

from __future__ import annotations

from minicnn.backends.cuda.runtime.api import cuda, device, uint32

ONE = uint32(1)


@device
def larger(a, b):
    return a if a >= b or a != a else b  # NaN counts as the largest


@device
def block_sum(shared, mine, t, lane, lanes, step):
    """Return the sum of `mine` over the lanes; every thread of the block must call it.

    `shared` has one element per thread t of the block; `lanes` is a power of two.
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
    cuda.syncthreads()  # `shared` may be written again once all have read the sum
    return total


@device
def block_max(shared, mine, t, lane, lanes, step):
    """Return the maximum of `mine` over the lanes, or NaN if there is one; see `block_sum`."""
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


def power_of_two(minimum: float) -> int:
    """Return the smallest power of two that is at least `minimum`.

    >>> power_of_two(0.3), power_of_two(2), power_of_two(2.5)
    (1, 2, 4)
    """
    power = 1
    while power < minimum:
        power *= 2
    return power
