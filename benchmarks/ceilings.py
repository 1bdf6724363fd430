"""Measure the machine's peak: operations per second and bytes per second."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import numpy as np
from conv2d_peak import SGEMM_SIZE, SHAPES, aligned, kernels, seconds_per_call

from minicnn import _core

COPIED_FLOATS = 2**26  # 256 MiB: more than any cache
ROUNDS = 5
# Wide, deep and small enough for the caches: these convolutions come nearest to the peak.
CONVOLUTIONS = ("scene3", "scene4", "photo6")


class Ceilings(NamedTuple):
    """The best figures of this run."""

    sgemm_gflops: float  # NumPy's matrix product
    convolution_gflops: float  # the fastest of CONVOLUTIONS, forward
    copy_gbytes: float  # NumPy's copy on all threads; bytes read plus bytes written

    @property
    def gflops(self) -> float:
        """The highest GFLOP/s that was measured."""
        return max(self.sgemm_gflops, self.convolution_gflops)

    def at(self, intensity: float) -> float:
        """The highest possible GFLOP/s of a kernel with this many operations per byte."""
        return min(self.gflops, self.copy_gbytes * intensity)


def measure() -> Ceilings:
    """Measure the ceilings, which takes some seconds."""
    a, b, c = (aligned(SGEMM_SIZE, SGEMM_SIZE) for _ in range(3))
    product = 2e-9 * SGEMM_SIZE**3 / _fastest(partial(np.matmul, a, b, out=c))
    shapes = [SHAPES[name] for name in CONVOLUTIONS]
    convolution = max(s.gflop / _fastest(kernels(s, "direct")["forward"]) for s in shapes)
    return Ceilings(product, convolution, _copy_gbytes(_core.num_threads()))


def _fastest(run: Callable[[], object]) -> float:
    return min(seconds_per_call(run) for _ in range(ROUNDS))


def _copy_gbytes(threads: int) -> float:
    """Copy one slice per thread; NumPy releases the GIL meanwhile."""
    source, target = np.ones(COPIED_FLOATS, np.float32), np.zeros(COPIED_FLOATS, np.float32)
    slices = zip(np.array_split(target, threads), np.array_split(source, threads), strict=True)
    pairs = list(slices)
    seconds = []
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(2 * ROUNDS):
            start = time.perf_counter()
            for copy in [pool.submit(np.copyto, *pair) for pair in pairs]:
                copy.result()
            seconds.append(time.perf_counter() - start)
    return 2 * source.nbytes / min(seconds) / 1e9
