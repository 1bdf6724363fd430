"""minicnn against five peers on the same networks, with the same weights and batches.

    python benchmarks/compare.py                                    # LeNet, with what is here
    python benchmarks/compare.py --all --python-peers ~/peers/bin/python
    python benchmarks/compare.py --networks scene --measure training --engines native tensorflow
    python benchmarks/compare.py --summary --out benchmarks/results # of what README.md shows

Every engine has its own process. First all compute the same batch: probabilities, and weights
after three training steps, must agree, or nothing is timed. Then they are timed in turn, block by
block, the others stopped meanwhile, so that a busy minute of the machine hits all of them alike.
README.md in this folder says what the columns mean and how fair the comparison is.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

from output import add_out, draw
from peers import machine, plots, tables
from peers.agreement import Agreement, DisagreementError, agree
from peers.crew import Crew, EngineError
from peers.engines import ENGINES
from peers.networks import NETWORKS, Network
from peers.results import Case, Memory, Run, read, write
from peers.timing import Plan, measure, memory
from rich.console import Console

MEASURES = ("training", "fit", "inference", "memory", "scaling")
REMEMBERED = ("native", "torch")  # whose memory is measured
SCALED = ("native", "torch")  # who is timed on one thread as well
SCALED_NETWORKS = ("scene", "photo")


def main(arguments: list[str] | None = None) -> int:
    """Compare; 0 if every engine computed the same, 1 if one did not or none could be started."""
    options = _options(arguments)
    console = Console(stderr=True)
    if not options.summary:
        processors = machine.pin(options.threads)
        try:
            for name in options.networks:
                _compare(NETWORKS[name], options, processors, console)
        except (EngineError, DisagreementError) as err:
            console.print(f"[red]stopped: {err}")
            return 1
    _summarize(options.out)
    return 0


def _compare(
    network: Network, options: argparse.Namespace, processors: list[int], console: Console
) -> None:
    """One network, with processes of its own: all of them at once would fill the memory."""
    start = time.perf_counter()
    about = machine.describe(options.threads, processors)
    plan = Plan(options.blocks, options.seconds, processors)
    with Crew(_pythons(options, options.engines), options.threads) as crew:
        crew.say_what_is_absent(console)
        agreement = agree(crew, network, console)
        about |= {"versions": crew.versions, "absent": crew.absent, "agreement": agreement.rows}
        results = []
        for case in _cases(network, options):
            ways = [way for way, modes in agreement.modes.items() if case.mode in modes]
            if case.threads < options.threads:
                ways = [way for way in ways if way.engine in SCALED]
            results += measure(crew, ways, case, plan, console)
    memories = _memory(network, agreement, options) if "memory" in options.measure else []
    about |= {"blocks": plan.blocks, "seconds_per_block": plan.seconds}
    run = Run(network.name, about, results, memories)
    options.out.mkdir(parents=True, exist_ok=True)
    stem = options.out / f"compare-{network.name}"
    write(stem.with_suffix(".json"), run)
    draw(plots.plot_run, stem.with_suffix(".png"), run)
    tables.print_run(run)
    console.print(f"wrote {stem}.json after {time.perf_counter() - start:.0f} s")


def _cases(network: Network, options: argparse.Namespace) -> list[Case]:
    """What is timed, in this order."""
    sizes: dict[str, list[int]] = {
        "training": options.batches or [network.batch],
        "fit": [network.fit_images],
        "inference": options.batches or [network.inference_batch, 1],
    }
    found = [
        Case(network.name, mode, batch, options.threads)
        for mode, batches in sizes.items()
        if mode in options.measure
        for batch in batches
    ]
    if "scaling" in options.measure and network.name in SCALED_NETWORKS and options.threads > 1:
        found.append(Case(network.name, "training", network.batch, 1))
    return found


def _memory(network: Network, agreement: Agreement, options: argparse.Namespace) -> list[Memory]:
    """Of every way of the engines that are compared in this, each in a fresh process."""
    found = []
    for (engine, variant), modes in agreement.modes.items():
        if engine in REMEMBERED and "training" in modes:
            with Crew(_pythons(options, [engine]), options.threads) as crew:
                found.append(memory(crew, network, engine, variant))
    return found


def _pythons(options: argparse.Namespace, engines: list[str]) -> dict[str, str]:
    own, peers = sys.executable, options.python_peers
    return {engine: own if ENGINES[engine].is_ours else peers for engine in engines}


def _summarize(folder: Path) -> None:
    """One table of all networks that this folder has results of."""
    runs = [run for path in sorted(folder.glob("compare-*.json")) if (run := read(path))]
    if runs:
        tables.print_summary(runs)
        draw(plots.plot_summary, folder / "compare.png", runs)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add: Any = parser.add_argument
    add("--networks", nargs="+", choices=NETWORKS, default=["lenet"])
    add("--all", dest="networks", action="store_const", const=list(NETWORKS), help="all networks")
    add("--measure", nargs="+", choices=MEASURES, default=list(MEASURES))
    usual = [engine for engine in ENGINES if engine != "numpy"]
    add("--engines", nargs="+", choices=ENGINES, default=usual, help="default: all but numpy")
    add("--batches", nargs="+", type=_positive, help="default: each network's own")
    add("--blocks", type=_positive, default=12, help="repeats, each of all engines in turn")
    add("--seconds", type=float, default=0.3, help="least length of one block")
    add(
        "--threads", type=_positive, default=2, help="of every engine, pinned to as many processors"
    )
    add(
        "--python-peers",
        default=os.environ.get("MINICNN_PYTHON_PEERS", sys.executable),
        help="interpreter with the peers' packages; default $MINICNN_PYTHON_PEERS, or this one",
    )
    add_out(parser)
    add("--summary", action="store_true", help="measure nothing; print what --out has")
    return parser.parse_args(arguments)


def _positive(text: str) -> int:
    if (value := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1; got {value}")
    return value


if __name__ == "__main__":
    sys.exit(main())
