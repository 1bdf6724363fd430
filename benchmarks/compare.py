"""Compare minicnn with its peers on the same networks, with the same weights and batches.

    python benchmarks/compare.py                                    # LeNet, installed engines
    python benchmarks/compare.py --all --python-peers ~/peers/bin/python
    python benchmarks/compare.py --networks scene --measure training --engines native tensorflow
    python benchmarks/compare.py --summary --out benchmarks/results # the results in the docs

Every engine runs in its own process. First all compute the same batch: if their probabilities, or
their weights after three training steps, do not agree, nothing is timed. Then they are timed in
turn, block by block, while the others are stopped, so that a busy machine slows all of them alike.
README.md in this folder explains the columns and the method.
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
from peers.engine_processes import EngineError, EngineProcesses
from peers.engines import ENGINES
from peers.networks import NETWORKS, Network
from peers.results import Case, Memory, Run, read, write
from peers.timing import Plan, measure, memory
from rich.console import Console

MEASURES = ("training", "fit", "inference", "memory", "scaling")
MEMORY_ENGINES = ("native", "torch")  # whose memory is measured
SCALING_ENGINES = ("native", "torch")  # that are timed on one thread as well
SCALING_NETWORKS = ("scene", "photo")


def main(arguments: list[str] | None = None) -> int:
    """Compare the engines; return 1 if one computes different results or none starts, else 0."""
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
    """Compare on one network, in new processes: all networks at once would fill the memory."""
    start = time.perf_counter()
    about = machine.describe(options.threads, processors)
    plan = Plan(options.blocks, options.seconds, processors)
    with EngineProcesses(_pythons(options, options.engines), options.threads) as processes:
        processes.say_what_is_absent(console)
        agreement = agree(processes, network, console)
        about |= {
            "versions": processes.versions,
            "absent": processes.absent,
            "agreement": agreement.rows,
        }
        results = []
        for case in _cases(network, options):
            ways = [way for way, modes in agreement.modes.items() if case.mode in modes]
            if case.threads < options.threads:
                ways = [way for way in ways if way.engine in SCALING_ENGINES]
            results += measure(processes, ways, case, plan, console)
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
    """The cases to time, in order."""
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
    if "scaling" in options.measure and network.name in SCALING_NETWORKS and options.threads > 1:
        found.append(Case(network.name, "training", network.batch, 1))
    return found


def _memory(network: Network, agreement: Agreement, options: argparse.Namespace) -> list[Memory]:
    """Measure the memory of each variant of MEMORY_ENGINES, each in a fresh process."""
    found = []
    for (engine, variant), modes in agreement.modes.items():
        if engine in MEMORY_ENGINES and "training" in modes:
            with EngineProcesses(_pythons(options, [engine]), options.threads) as processes:
                found.append(memory(processes, network, engine, variant))
    return found


def _pythons(options: argparse.Namespace, engines: list[str]) -> dict[str, str]:
    own, peers = sys.executable, options.python_peers
    return {engine: own if ENGINES[engine].is_ours else peers for engine in engines}


def _summarize(folder: Path) -> None:
    """Print and draw a summary of all networks with results in this folder."""
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
    add(
        "--blocks", type=_positive, default=12, help="number of blocks, each of all engines in turn"
    )
    add("--seconds", type=float, default=0.3, help="minimum length of a block")
    add("--threads", type=_positive, default=2, help="per engine, pinned to as many processors")
    add(
        "--python-peers",
        default=os.environ.get("MINICNN_PYTHON_PEERS", sys.executable),
        help="interpreter with the peers' packages; default $MINICNN_PYTHON_PEERS, or this one",
    )
    add_out(parser)
    add("--summary", action="store_true", help="only print the results in --out")
    return parser.parse_args(arguments)


def _positive(text: str) -> int:
    if (value := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1; got {value}")
    return value


if __name__ == "__main__":
    sys.exit(main())
