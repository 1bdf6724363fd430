"""Compare the direct convolution's GFLOP/s with those of a matrix product, near the peak.

Each shape takes turns with NumPy's (OpenBLAS's) 2048 x 2048 x 2048 float32 product in the same
run, so that clock rate and other load affect both alike; the median of the rounds' ratios counts.
The exit code is 1 if a forward pass is slower than 85 % of the matrix product.

    python benchmarks/conv2d_peak.py [--rounds 7] [--shapes scene1 lenet2] [--algorithm direct]

With `--algorithm winograd`, or `auto` for the engine's own choice, the operations are still those
of the formula: more GFLOP/s than the processor can do mean that fewer were computed.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from minicnn import _core
from minicnn.shapes import conv_window

NEEDED = 0.85
SGEMM_SIZE = 2048
BLOCK_SECONDS = 0.05
PAUSE_SECONDS = 0.1  # OpenBLAS's threads keep spinning for some 30 ms


class Shape(NamedTuple):
    """A convolution with "valid" padding, square images and square kernels."""

    n: int
    side: int
    channels: int
    kernel: int
    filters: int

    @property
    def out(self) -> int:
        return self.side - self.kernel + 1

    @property
    def gflop(self) -> float:
        products = self.n * self.out**2 * self.filters * self.kernel**2 * self.channels
        return 2e-9 * products


# The convolutions of the five networks; LeNet's filters are rounded up to whole vectors.
SHAPES = {
    "scene1": Shape(32, 150, 3, 3, 32),
    "scene2": Shape(32, 74, 32, 3, 64),
    "scene3": Shape(32, 36, 64, 3, 128),
    "scene4": Shape(32, 17, 128, 3, 256),
    "xray1": Shape(16, 512, 3, 5, 16),
    "xray2": Shape(16, 254, 16, 5, 32),
    "xray3": Shape(16, 125, 32, 5, 64),
    "photo2": Shape(8, 148, 64, 3, 64),
    "photo6": Shape(8, 34, 256, 3, 256),
    "lenet1": Shape(64, 28, 1, 5, 32),
    "lenet2": Shape(64, 12, 20, 5, 64),
}


def aligned(*shape: int) -> np.ndarray:
    """An array of random values that starts on a cache line, as the engine's buffers do."""
    count = int(np.prod(shape))
    memory = np.empty(count + 16, np.float32)
    skip = -memory.ctypes.data % 64 // 4
    array = memory[skip : skip + count].reshape(shape)
    array[...] = np.random.default_rng(0).random(shape, np.float32) - 0.5
    return array


def kernels(shape: Shape, algorithm: str) -> dict[str, Callable[[], None]]:
    """Functions that run the three passes of a convolution."""
    image = (shape.side, shape.side)
    attributes = {
        "window": conv_window(shape.kernel, 1, "valid", 1, image),
        "groups": 1,
        "image": image,
        "algorithm": algorithm,
    }
    x = aligned(shape.n, *image, shape.channels)
    w = aligned(shape.kernel, shape.kernel, shape.channels, shape.filters)
    y = aligned(shape.n, shape.out, shape.out, shape.filters)
    b, dx, dw, db = (
        aligned(shape.filters),
        aligned(*x.shape),
        aligned(*w.shape),
        aligned(shape.filters),
    )
    calls = {
        "forward": ("conv2d_forward", (x, w, b), (y,)),
        "backward input": ("conv2d_backward_input", (y, w), (dx,)),
        "backward weights": ("conv2d_backward_weights", (y, x), (dw, db)),
    }
    programs = {name: _core.Program([(*call, attributes)]) for name, call in calls.items()}
    return {name: partial(program.run, 0, 1) for name, program in programs.items()}


def seconds_per_call(run: Callable[[], object]) -> float:
    """Mean time per call over a block of calls, after other threads have gone to sleep."""
    time.sleep(PAUSE_SECONDS)
    run()
    start, calls = time.perf_counter(), 0
    while (passed := time.perf_counter() - start) < BLOCK_SECONDS or calls == 0:
        run()
        calls += 1
    return passed / calls


class Figures(NamedTuple):
    """Medians over the rounds: GFLOP/s, and their ratio to sgemm's in the same round."""

    gflops: dict[str, float]
    shares: dict[str, float]


def measure(shape: Shape, rounds: int, algorithm: str) -> Figures:
    """Time the three passes and sgemm in turn."""
    a, b, c = (aligned(SGEMM_SIZE, SGEMM_SIZE) for _ in range(3))
    runs: dict[str, Callable[[], object]] = {
        "sgemm": partial(np.matmul, a, b, out=c),
        **kernels(shape, algorithm),
    }
    work = dict.fromkeys(runs, shape.gflop) | {"sgemm": 2e-9 * SGEMM_SIZE**3}
    measured = [
        {k: work[k] / seconds_per_call(run) for k, run in runs.items()} for _ in range(rounds)
    ]
    return Figures(
        {k: statistics.median(gflops[k] for gflops in measured) for k in runs},
        {k: statistics.median(gflops[k] / gflops["sgemm"] for gflops in measured) for k in runs},
    )


def main() -> int:
    """Print one line per shape; return 1 if a forward pass is too slow, else 0."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--algorithm", choices=("direct", "winograd", "auto"), default="direct")
    options = parser.parse_args()
    print(f"{_core.isa()}, {_core.num_threads()} threads; GFLOP/s and share of sgemm")
    worst = float("inf")
    for name in options.shapes:
        gflops, shares = measure(SHAPES[name], options.rounds, options.algorithm)
        columns = "  ".join(f"{k} {v:5.0f} {shares[k]:5.0%}" for k, v in gflops.items())
        print(f"{name:7} {columns}", flush=True)
        worst = min(worst, shares["forward"])
    print(f"worst forward share {worst:.0%}, needed {NEEDED:.0%}")
    return int(worst < NEEDED)


if __name__ == "__main__":
    sys.exit(main())
