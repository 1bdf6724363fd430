"""The tensor cores' instructions in plain Python, for numba's simulator.

The kernels themselves stay the same: what runs in the simulator is every load, store and index of
theirs. A warp's lanes, threads of the system here, exchange their fragments through an array that
all of a block share. So all threads of a block must multiply equally often, and they do.
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
HELD = 6  # numbers of A and B that a lane holds
KEPT = uint32(0xFFFFE000)  # what TF32 keeps of float32's 32 bits: sign, exponent, 10 of fraction
HALF = uint32(0x1000)  # of the last bit kept


@device
def multiply(a0, a1, a2, a3, b0, b1, c0, c1, c2, c3):
    """This lane's four numbers of c + a b."""
    held = cuda.shared.array((MAX_THREADS, HELD), uint32)
    thread = cuda.threadIdx.x
    held[thread] = (a0, a1, a2, a3, b0, b1)
    cuda.syncthreads()
    first = thread // LANES * LANES
    c = product(np.asarray(held[first : first + LANES]).view(np.float32))[thread % LANES]
    cuda.syncthreads()
    return c0 + c[0], c1 + c[1], c2 + c[2], c3 + c[3]


def product(held: np.ndarray) -> np.ndarray:
    """(32, 4), each lane's numbers of A B, from (32, 6), each lane's four of A and two of B."""
    places = fragments()
    a, b = np.empty((ROWS, DEPTH), np.float32), np.empty((DEPTH, COLUMNS), np.float32)
    a[places["a"]], b[places["b"]] = held[:, :4], held[:, 4:]
    return (a @ b)[places["c"]]


@cached
def fragments() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """For each matrix the (row, column) of each number of each lane."""
    lane, i = np.arange(LANES, dtype=np.uint32)[:, None], np.arange(4, dtype=np.uint32)
    b_columns = np.broadcast_to(b_column(lane), (LANES, 2))
    return {
        "a": (a_row(lane, i), a_depth(lane, i)),
        "b": (b_depth(lane, i[:2]), b_columns),
        "c": (c_row(lane, i), c_column(lane, i)),
    }


def rounded(x: np.float32) -> np.uint32:
    """The bits of x rounded to TF32: to nearest, ties away from zero. Infinity and NaN stay."""
    bits = np.float32(x).view(np.uint32)
    return (bits + HALF) & KEPT if np.isfinite(x) else bits


def _copy_of(words: int) -> Callable[..., None]:
    def copy(memory: Any, to: Any, a: Any, index: Any, inside: Any) -> None:
        for i in range(words):
            memory[to + uint32(i)] = a[index + uint32(i)] if inside else 0

    return copy


COPIES = {words: _copy_of(words) for words in (1, 4)}


def nothing() -> None:
    """Copies are there at once."""
