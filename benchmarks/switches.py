"""What each of docs/fast.md's ideas is worth: a training step with all of them, and without some.

    python benchmarks/switches.py [--networks scene photo] [--blocks 10]

    everything on
    algorithm="direct"   neither Winograd nor gradients of the winners only
    fuse=False           each operation a kernel of its own: no pooling or ReLU in the convolution's
                         pass, so no winners to visit; dense layers write their gradient first
    neither              both

Blocks of the four take turns. Prints milliseconds a step, the median of the blocks, and how many
times as long that is as with everything on; writes switches.json to --out.
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

import minicnn as mc
from minicnn.models import Model

WAYS = {  # name: (algorithm, fuse)
    "everything on": ("auto", True),
    'algorithm="direct"': ("direct", True),
    "fuse=False": ("auto", False),
    "neither": ("direct", False),
}
WARM_UP = 2


def model_for(network: str, way: str) -> Model:
    """The zoo's network, compiled to be run this way."""
    _, fuse = WAYS[way]
    mc.utils.set_random_seed(0)
    model = getattr(mc.zoo, network)(rescale=1 / 255)
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", fuse=fuse)
    return model


def seconds_each(way: str, model: Model, x: np.ndarray, y: np.ndarray, least: float) -> float:
    """Mean time of a step over a block of at least so many seconds, after some to warm up."""
    mc.config.set_conv_algorithm(WAYS[way][0])
    for _ in range(WARM_UP):
        model.train_on_batch(x, y)
    start, steps = time.perf_counter(), 0
    while (passed := time.perf_counter() - start) < least or steps == 0:
        model.train_on_batch(x, y)
        steps += 1
    return passed / steps


def measure(network: str, blocks: int, least: float) -> dict[str, float]:
    """Milliseconds a step, way by way."""
    x, y = random_batch(NETWORKS[network], NETWORKS[network].batch, seed=0)
    models = {way: model_for(network, way) for way in WAYS}
    seen = [
        {way: seconds_each(way, model, x, y, least) for way, model in models.items()}
        for _ in track(range(blocks), network)
    ]
    return {way: 1e3 * statistics.median(block[way] for block in seen) for way in WAYS}


def print_table(found: dict[str, dict[str, float]]) -> None:
    """Markdown: a row a way, a column a network."""
    print("| | " + " | ".join(found) + " |\n|---" + "|---" * len(found) + "|")
    for way in WAYS:
        cells = (f"{t[way]:.3g} ms ({t[way] / t['everything on']:.2f})" for t in found.values())
        print(f"| {way} | " + " | ".join(cells) + " |")


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    add("--blocks", type=int, default=10)
    add("--seconds", type=float, default=0.3, help="least length of one block")
    add_out(parser)
    options = parser.parse_args()
    found = {n: measure(n, options.blocks, options.seconds) for n in options.networks}
    print_table(found)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "switches.json").write_text(json.dumps(found, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
