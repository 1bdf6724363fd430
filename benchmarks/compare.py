"""minicnn against TensorFlow and PyTorch on the same network, with the same weights and batches.

    python benchmarks/compare.py                                    # what is installed here
    python benchmarks/compare.py --python-peers ~/peers/bin/python  # TensorFlow, PyTorch elsewhere

Every engine has its own process. First all compute the same batch: probabilities, and weights
after three training steps, must agree within 1e-4, or nothing is timed. Then they are timed in
turn, block by block, the others stopped meanwhile, so that a busy minute of the machine hits all of
them alike. README.md in this folder says what the columns mean and how fair the comparison is.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from peers import machine, report
from peers.crew import Crew, EngineError
from peers.networks import NETWORKS, random_weights
from rich.console import Console
from rich.progress import track

TOLERANCE = 1e-4
SEED = 0
MINICNN = ("native", "numpy")
PEERS = ("tensorflow", "torch")
MODES = ("training", "inference")


class Way(NamedTuple):
    """An engine and one of its ways to run."""

    engine: str
    variant: str


def main(arguments: list[str] | None = None) -> int:
    """Compare; 0 if every engine computed the same, 1 if one did not or none could be started."""
    options = _options(arguments)
    console = Console(stderr=True)
    processors = machine.pin(options.threads)
    about = machine.describe(options.threads, processors)
    pythons = {e: sys.executable if e in MINICNN else options.python_peers for e in options.engines}
    with Crew(pythons, options.threads) as crew:
        for engine, remedy in crew.absent.items():
            console.print(f"[yellow]{engine} is absent; to compare with it: {remedy}")
        try:
            for network in options.networks:
                _compare(crew, network, options, about, console)
        except (EngineError, DisagreementError) as err:
            console.print(f"[red]stopped: {err}")
            return 1
    return 0


class DisagreementError(RuntimeError):
    """An engine computed something else, so its time means nothing."""


def _compare(
    crew: Crew, network: str, options: argparse.Namespace, about: dict[str, Any], console: Console
) -> None:
    ways = _working_ways(crew, network, options.batches[0], console)
    agreement = [
        row for batch in options.batches for row in _agreement(crew, ways, network, batch, console)
    ]
    results = _measure(crew, ways, network, options, console)
    options.out.mkdir(parents=True, exist_ok=True)
    stem = options.out / f"compare-{network}"
    about = {
        **about,
        "versions": crew.versions,
        "absent": crew.absent,
        "agreement": agreement,
        "blocks": options.blocks,
        "seconds_per_block": options.seconds,
    }
    report.print_table(results, network)
    report.write_json(stem.with_suffix(".json"), results, about)
    subtitle = f"{about['processor']}, {about['threads']} threads; each engine's best way"
    report.plot(stem.with_suffix(".png"), results, subtitle)
    console.print(f"wrote {stem}.json and {stem}.png")


def _working_ways(crew: Crew, network: str, batch: int, console: Console) -> list[Way]:
    """All engines' ways; one of a peer that fails here, say for want of a compiler, is left out."""
    ways = []
    for way in (Way(e, v) for e, variants in crew.variants.items() for v in variants):
        try:
            _computed(crew, way, network, batch)
        except EngineError as err:
            if way.engine in MINICNN:
                raise
            console.print(f"[yellow]{way.engine} {way.variant} does not work here: {err}")
        else:
            ways.append(way)
    if not ways:
        raise EngineError("no engine could be started")
    return ways


def _computed(crew: Crew, way: Way, network: str, batch: int) -> dict[str, np.ndarray]:
    """What a way computes: probabilities, and weights after three steps of training."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "computed.npz"
        crew.ask(
            way.engine,
            "check",
            network=network,
            variant=way.variant,
            batch=batch,
            seed=SEED,
            to=str(path),
        )
        with np.load(path) as file:
            return dict(file)


def _agreement(
    crew: Crew, ways: list[Way], network: str, batch: int, console: Console
) -> list[dict[str, Any]]:
    """Largest differences from the first way; raises where one is too large."""
    wanted = _computed(crew, ways[0], network, batch)
    moved = _largest_move(wanted, network)
    console.print(f"{network} batch {batch}: three training steps move weights by {moved:.1e}")
    if not moved >= 10 * TOLERANCE:
        raise DisagreementError("the training moves the weights too little to compare them")
    rows = []
    for way in ways[1:]:
        found = _computed(crew, way, network, batch)
        off = {key: float(np.abs(found[key] - wanted[key]).max()) for key in wanted}
        probabilities = off.pop("probabilities")
        weights = max(off.values())
        console.print(
            f"  {' '.join(way)} differs from {' '.join(ways[0])} by {probabilities:.1e} in "
            f"probabilities, {weights:.1e} in weights"
        )
        # Written this way round, a NaN stops as well.
        if not (probabilities <= TOLERANCE and weights <= TOLERANCE):
            raise DisagreementError(f"{' '.join(way)} differs by more than {TOLERANCE:g}")
        rows.append(
            {"way": way, "batch": batch, "probabilities": probabilities, "weights": weights}
        )
    return rows


def _largest_move(computed: dict[str, np.ndarray], network: str) -> float:
    starts = enumerate(random_weights(NETWORKS[network], SEED))
    return max(float(np.abs(computed[f"weights_{i}"] - start).max()) for i, start in starts)


def _measure(
    crew: Crew, ways: list[Way], network: str, options: argparse.Namespace, console: Console
) -> list[report.Result]:
    """Block i of every way in turn, then block i + 1."""
    results = []
    for mode in MODES:
        for batch in options.batches:
            ours = [report.Result(network, mode, batch, *way, blocks=[]) for way in ways]
            for _ in track(range(options.blocks), f"{mode}, batch {batch}", console=console):
                for result in ours:
                    answer = crew.ask(
                        result.engine,
                        "block",
                        network=network,
                        variant=result.variant,
                        mode=mode,
                        batch=batch,
                        seed=SEED,
                        seconds=options.seconds,
                    )
                    result.blocks.append(answer["times"])
            results += ours
    return results


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--networks", nargs="+", choices=NETWORKS, default=["lenet"])
    add("--engines", nargs="+", choices=(*MINICNN, *PEERS), default=[*MINICNN, *PEERS])
    add("--batches", nargs="+", type=_positive, default=[1, 64, 256])
    add("--blocks", type=_positive, default=12, help="repeats, each of all engines in turn")
    add("--seconds", type=float, default=0.3, help="length of one block")
    add(
        "--threads", type=_positive, default=2, help="of every engine, pinned to as many processors"
    )
    add(
        "--python-peers",
        default=os.environ.get("MINICNN_PYTHON_PEERS", sys.executable),
        help="interpreter with TensorFlow and PyTorch; default $MINICNN_PYTHON_PEERS, or this one",
    )
    add("--out", type=Path, default=Path(__file__).parent / "results", help="folder to write to")
    return parser.parse_args(arguments)


def _positive(text: str) -> int:
    if (value := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1; got {value}")
    return value


if __name__ == "__main__":
    sys.exit(main())
