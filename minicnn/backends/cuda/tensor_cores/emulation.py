"""The tensor cores' instructions in Python, for numba's simulator.

The kernels are the same as on a GPU, so the simulator runs all their loads, stores and index
arithmetic. The lanes of a warp, which are threads of the operating system here, exchange their
fragments through a shared array and barriers of the block. So all threads of a block must multiply
equally often, which the kernels do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.backends.cuda.runtime.api import cuda, device, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.tensor_cores.fragments import (
    COLUMNS,
    DEPTH,
    LANES,
    ROWS,
    a_depth,
    a_row,
    b_column,
    b_depth,
    c_column,
    c_row,
)

MAX_THREADS = 1024
HELD = 6  # values of A and B per lane
KEPT = uint32(0xFFFFE000)  # the bits of float32 that TF32 has: sign, exponent, 10 of the fraction
HALF = uint32(0x1000)  # half of the last of these bits


@device
def multiply(a0, a1, a2, a3, b0, b1, c0, c1, c2, c3):
    """Return this lane's four values of c + a b."""
    held = cuda.shared.array((MAX_THREADS, HELD), uint32)
    thread = cuda.threadIdx.x
    held[thread] = (a0, a1, a2, a3, b0, b1)
    cuda.syncthreads()
    first = thread // LANES * LANES
    c = product(np.asarray(held[first : first + LANES]).view(np.float32))[thread % LANES]
    cuda.syncthreads()
    return c0 + c[0], c1 + c[1], c2 + c[2], c3 + c[3]


def product(held: np.ndarray) -> np.ndarray:
    """Return each lane's values of A B, (32, 4), from its four of A and two of B, (32, 6)."""
    places = fragments()
    a, b = np.empty((ROWS, DEPTH), np.float32), np.empty((DEPTH, COLUMNS), np.float32)
    a[places["a"]], b[places["b"]] = held[:, :4], held[:, 4:]
    return (a @ b)[places["c"]]


@cached
def fragments() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return the (row, column) of each value of each lane, for each matrix."""
    lane, i = np.arange(LANES, dtype=np.uint32)[:, None], np.arange(4, dtype=np.uint32)
    b_columns = np.broadcast_to(b_column(lane), (LANES, 2))
    return {
        "a": (a_row(lane, i), a_depth(lane, i)),
        "b": (b_depth(lane, i[:2]), b_columns),
        "c": (c_row(lane, i), c_column(lane, i)),
    }


def rounded(x: np.float32) -> np.uint32:
    """Return the bits of x rounded to TF32, ties away from zero; infinity and NaN do not change."""
    bits = np.float32(x).view(np.uint32)
    return (bits + HALF) & KEPT if np.isfinite(x) else bits


def _copy_of(words: int) -> Callable[..., None]:
    def copy(memory: Any, to: Any, a: Any, index: Any, inside: Any) -> None:
        for i in range(words):
            memory[to + uint32(i)] = a[index + uint32(i)] if inside else 0

    return copy


COPIES = {words: _copy_of(words) for words in (1, 4)}


def nothing() -> None:
    """Do nothing: copies are complete at once."""
