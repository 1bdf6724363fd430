"""Measure the time to 99.0 % accuracy on MNIST's test digits: LeNet in minicnn and in Keras.

    python benchmarks/time_to_accuracy.py --python-peers ~/peers/bin/python

Both start from the same weights and follow the same recipes (peers/recipes.py), each with several
seeds. The time includes building the model and testing it. The figure of an engine is the median
time of its fastest recipe among those with which every seed reached 99.0 %.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from output import add_out
from peers import machine
from peers.engine_processes import EngineProcesses
from peers.engines import ENGINES
from peers.recipes import RECIPES, Digits
from rich.console import Console
from rich.table import Table

import minicnn as mc

WANTED = 0.99
ENGINES_COMPARED = ("native", "keras")


class Learned(NamedTuple):
    """The results of one recipe on one engine, by seed."""

    engine: str
    recipe: str
    seconds: list[float]
    accuracies: list[float]

    @property
    def median(self) -> float:
        """The median time in seconds."""
        return statistics.median(self.seconds)

    @property
    def counts(self) -> bool:
        """Whether every seed reached the accuracy."""
        return min(self.accuracies) >= WANTED


def measure(processes: EngineProcesses, recipes: list[str], seeds: int, data: str) -> list[Learned]:
    """Train with every recipe and seed, in turn on each engine."""
    found = [Learned(e, recipe, [], []) for recipe in recipes for e in processes.variants]
    for seed in range(seeds):
        for learned in found:
            answer = processes.ask(
                learned.engine, "learn", recipe=learned.recipe, seed=seed, data=data
            )
            learned.seconds.append(answer["seconds"])
            learned.accuracies.append(answer["accuracy"])
    return found


def best(found: list[Learned], engine: str) -> Learned | None:
    """The fastest recipe of an engine with which every seed reached the accuracy."""
    able = [learned for learned in found if learned.engine == engine and learned.counts]
    return min(able, key=lambda learned: learned.median, default=None)


def report(found: list[Learned]) -> None:
    """Print one row per engine and recipe, then the ratio of the two engines."""
    table = Table("engine", "recipe", title=f"LeNet on MNIST, to {WANTED:.1%} of the test digits")
    for column in ("median s", "seconds", "test digits right"):
        table.add_column(column, justify="right")
    for learned in sorted(found, key=lambda learned: (learned.engine, learned.median)):
        chosen = learned is best(found, learned.engine)
        seconds = " ".join(f"{s:.2f}" for s in learned.seconds)
        marks = " ".join(f"{a:.2%}" for a in learned.accuracies)
        cells = learned.engine, learned.recipe, f"{learned.median:.2f}", seconds, marks
        table.add_row(*cells, style="bold" if chosen else None)
    Console(width=max(Console().width, 110)).print(table)
    ours, theirs = (best(found, engine) for engine in ENGINES_COMPARED)
    if ours and theirs:
        print(f"minicnn is {theirs.median / ours.median:.2f} times as fast as Keras")


def main() -> int:
    """Measure, print and write; return 1 if an engine never reached the accuracy."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--recipes", nargs="+", choices=RECIPES, default=list(RECIPES))
    add("--seeds", type=int, default=3)
    add("--threads", type=int, default=2)
    add("--python-peers", default=os.environ.get("MINICNN_PYTHON_PEERS", sys.executable))
    add_out(parser)
    options = parser.parse_args()
    about = machine.describe(options.threads, machine.pin(options.threads))
    own, peers = sys.executable, options.python_peers
    pythons = {engine: own if ENGINES[engine].is_ours else peers for engine in ENGINES_COMPARED}
    with (
        tempfile.TemporaryDirectory() as folder,
        EngineProcesses(pythons, options.threads) as processes,
    ):
        processes.say_what_is_absent(Console(stderr=True))
        data = str(Path(folder) / "mnist.npz")
        np.savez(data, **_digits()._asdict())
        found = measure(processes, options.recipes, options.seeds, data)
        about["versions"] = processes.versions
    report(found)
    options.out.mkdir(parents=True, exist_ok=True)
    document = {**about, "wanted": WANTED, "learned": [learned._asdict() for learned in found]}
    path = options.out / "time-to-accuracy.json"
    path.write_text(json.dumps(document, indent=1) + "\n")
    return int(any(best(found, engine) is None for engine in processes.variants))


def _digits() -> Digits:
    (x_train, y_train), (x_test, y_test) = mc.datasets.mnist.load_data()
    return Digits(x_train[..., None], y_train, x_test[..., None], y_test)


if __name__ == "__main__":
    sys.exit(main())
