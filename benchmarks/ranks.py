"""How fast is training on two processes, compared with one, and with PyTorch's DDP on Gloo?

    python benchmarks/ranks.py                          # lenet, scene and photo
    python benchmarks/ranks.py --networks scene --blocks 7

Every process has one thread and is bound to a core of its own. All ways train on batches of the
same size. First it is checked that they compute the same: weights after three steps of SGD. Then
the ways take turns, each in new processes, and the median of the ratios counts. PyTorch spins while
it waits, so nothing else should run. Writes ranks.json to --out.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from output import add_out
from peers import machine
from peers.networks import NETWORKS, weights_of

HERE = Path(__file__).resolve().parent
TOLERANCE = 1e-4  # largest difference of a learned weight after three steps
STEPS = {"lenet": 200, "cifar": 300, "scene": 20, "xray": 6, "photo": 6}


class Way(NamedTuple):
    """A kind of worker on a number of processes."""

    kind: str
    ranks: int

    def __str__(self) -> str:
        return f"{self.kind}, {self.ranks} process{'es' * (self.ranks > 1)}"


ALONE, SHARDED = Way("alone", 1), Way("8 shards", 1)
OURS = [Way("8 shards", 2), Way("2 shards", 2)]
DDP = [Way("ddp eager", 2), Way("ddp compile", 2)]


def run(way: Way, network: str, steps: int, file: str) -> dict[str, Any]:
    """Start the processes of one way, and return what rank 0 reports."""
    command = ["mpirun", "--allow-run-as-root", "--bind-to", "core", "-n", str(way.ranks)]
    command += [sys.executable]
    command += [str(HERE / "ranks_worker.py"), way.kind, network, str(steps), file]
    environment = os.environ | {"RANKS_PORT": str(_free_port()), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=HERE, check=False
    )
    if done.returncode != 0:
        raise SystemExit(f"{way} on {network} failed:\n{done.stderr[-2000:]}")
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def check(network: str, ways: list[Way]) -> dict[str, float]:
    """Return the largest difference of learned weights from those of `ALONE`, for each way.

    A batch normalization computes its statistics per shard, or per process, so that the ways with 2
    of either are compared with each other.
    """
    learned = [weight.learned for weight in weights_of(NETWORKS[network])]
    with tempfile.TemporaryDirectory() as folder:
        found = {}
        for way in ways:
            file = str(Path(folder) / "weights.npz")
            run(way, network, 0, file)
            with np.load(file) as arrays:
                found[way] = [arrays[name] for name in arrays.files]
    has_statistics = not all(learned)
    first = OURS[1] if has_statistics else ways[0]
    compared = [way for way in ways if not has_statistics or way in (*DDP, OURS[1])]
    differences = {}
    for way in compared:
        pairs = zip(found[way], found[first], learned, strict=True)
        differences[str(way)] = max(
            float(np.abs(a - b).max()) for a, b, is_learned in pairs if is_learned
        )
        if not differences[str(way)] <= TOLERANCE:
            raise SystemExit(f"{network}: {way} differs by {differences[str(way)]:.1e}")
    return differences


def compare(network: str, blocks: int, peers: bool) -> dict[str, Any]:
    """Time all ways in turn, and return their times and the ratios that matter."""
    ways = [ALONE, SHARDED, *OURS, *(DDP if peers else [])]
    differences = check(network, ways)
    times: dict[Way, list[float]] = {way: [] for way in ways}
    for _ in range(blocks):
        for way in ways:
            times[way].append(run(way, network, STEPS[network], "")["seconds"])
    ratios = {}
    for ours in OURS:
        for other in [ALONE, SHARDED, *(DDP if peers else [])]:
            each = [a / b for a, b in zip(times[other], times[ours], strict=True)]
            ratios[f"{ours} / {other}"] = statistics.median(each)
    medians = {str(way): 1e3 * statistics.median(each) for way, each in times.items()}
    return {
        "batch": NETWORKS[network].batch,
        "differences": differences,
        "milliseconds": medians,
        "ratios": ratios,
    }


def show(network: str, result: dict[str, Any]) -> None:
    """Print the times and ratios of a network."""
    print(f"{network}, batch {result['batch']}")
    for way, value in result["milliseconds"].items():
        print(f"  {way:26s} {value:9.2f} ms a step")
    for pair, value in result["ratios"].items():
        print(f"  {pair:52s} {value:6.2f} x")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def main() -> None:
    """Compare the networks, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="+", default=["lenet", "scene", "photo"])
    parser.add_argument("--blocks", type=int, default=5, help="how often each way is timed")
    parser.add_argument("--no-peers", action="store_true", help="leave out PyTorch")
    add_out(parser)
    options = parser.parse_args()
    results: dict[str, Any] = {"machine": machine.describe(1, machine.available()), "networks": {}}
    for network in options.networks:
        result = compare(network, options.blocks, not options.no_peers)
        results["networks"][network] = result
        show(network, result)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "ranks.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
