"""Measure the gain of the algorithms in docs/fast.md: a training step with and without them.

    python benchmarks/switches.py [--networks scene photo] [--blocks 10]

    everything on
    algorithm="direct"   no Winograd, and no gradients that read only a pooling's maxima
    fuse=False           one kernel per operation: a convolution's kernel computes no pooling or
                         ReLU, so gradients read everything; dense layers store their gradients
    neither              both of these settings

Blocks of the four take turns. Prints milliseconds per step, the median of the blocks, and its ratio
to that with everything on; writes switches.json to --out.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time

import numpy as np
from output import add_out
from peers.networks import NETWORKS, random_batch
from rich.progress import track
from variants import VARIANTS

import minicnn as mc
from minicnn.models import Model

WARM_UP = 2


def model_for(network: str, variant: str) -> Model:
    """Build and compile the zoo's network for a variant."""
    _, fuse = VARIANTS[variant]
    mc.utils.set_random_seed(0)
    model = getattr(mc.zoo, network)(rescale=1 / 255)
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", fuse=fuse)
    return model


def seconds_per_step(
    variant: str, model: Model, x: np.ndarray, y: np.ndarray, least: float
) -> float:
    """Mean time of a step over a block of at least `least` seconds, after a warm-up."""
    mc.config.set_conv_algorithm(VARIANTS[variant][0])
    for _ in range(WARM_UP):
        model.train_on_batch(x, y)
    start, steps = time.perf_counter(), 0
    while (passed := time.perf_counter() - start) < least or steps == 0:
        model.train_on_batch(x, y)
        steps += 1
    return passed / steps


def measure(network: str, blocks: int, least: float) -> dict[str, float]:
    """Milliseconds per step for each variant."""
    x, y = random_batch(NETWORKS[network], NETWORKS[network].batch, seed=0)
    models = {variant: model_for(network, variant) for variant in VARIANTS}
    measured = [
        {
            variant: seconds_per_step(variant, model, x, y, least)
            for variant, model in models.items()
        }
        for _ in track(range(blocks), network)
    ]
    return {
        variant: 1e3 * statistics.median(block[variant] for block in measured)
        for variant in VARIANTS
    }


def print_table(found: dict[str, dict[str, float]]) -> None:
    """Print a Markdown table with one row per variant and one column per network."""
    print("| | " + " | ".join(found) + " |\n|---" + "|---" * len(found) + "|")
    for variant in VARIANTS:
        cells = (
            f"{t[variant]:.3g} ms ({t[variant] / t['everything on']:.2f})" for t in found.values()
        )
        print(f"| {variant} | " + " | ".join(cells) + " |")


def main() -> int:
    """Measure the networks, then print and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    add("--blocks", type=int, default=10)
    add("--seconds", type=float, default=0.3, help="minimum length of a block")
    add_out(parser)
    options = parser.parse_args()
    found = {n: measure(n, options.blocks, options.seconds) for n in options.networks}
    print_table(found)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "switches.json").write_text(json.dumps(found, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
