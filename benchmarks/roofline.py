"""Where a training step's time goes, and how near each kernel comes to what the machine can do.

    python benchmarks/roofline.py --network scene --table     # seconds; milliseconds a kernel call
    python benchmarks/roofline.py                             # all networks, with a picture of each

GFLOP/s count the operations of the formula ("dense-equivalent"): a kernel that visits only the
winners of a max pooling, or that multiplies less, as Winograd's does, may show more than the peak.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from peers.networks import NETWORKS
from rich.console import Console
from rich.table import Table
from steps import StepTime, measure

import minicnn as mc
from minicnn import _core

SMALL = 0.002  # of the step's time: what takes less is summed up in one row


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, draw."""
    options = _options(arguments)
    mc.set_backend("native")
    if options.threads:
        mc.config.set_threads(options.threads)
    for name in options.network:
        print_table(name, measure(name, options.batch, options.rounds), options.all)
    return 0


def print_table(name: str, steps: list[StepTime], everything: bool) -> None:
    """A row a kernel call in the program's order, then the sums by kernel."""
    total = sum(step.seconds for step in steps)
    title = f"{name}, {_core.isa()}, {_core.num_threads()} threads: {total * 1e3:.2f} ms a step"
    table = Table("kernel", "writes", title=title, title_justify="left")
    for column in ("ms", "%", "GFLOP/s", "GB/s", "FLOP/byte"):
        table.add_column(column, justify="right")
    shown = [step for step in steps if everything or step.seconds >= SMALL * total]
    for step in shown:
        table.add_row(step.kernel, step.result, *_figures(step, total))
    rest = total - sum(step.seconds for step in shown)
    if len(shown) < len(steps):
        table.add_row(f"{len(steps) - len(shown)} small ones", "", *_time(rest, total), "", "", "")
    table.add_section()
    for kernel, group in sorted(_by_kernel(steps).items(), key=lambda kv: -_seconds(kv[1])):
        if _seconds(group) >= SMALL * total:
            table.add_row(kernel, f"{len(group)} calls", *_time(_seconds(group), total))
    Console(width=130).print(table)


def _figures(step: StepTime, total: float) -> list[str]:
    rate = [f"{step.gflops:.0f}"] if step.flop else [""]
    intensity = [f"{step.intensity:.1f}"] if step.flop else [""]
    return [*_time(step.seconds, total), *rate, f"{step.gbytes:.1f}", *intensity]


def _time(seconds: float, total: float) -> list[str]:
    return [f"{seconds * 1e3:.3f}", f"{seconds / total:.1%}"]


def _by_kernel(steps: list[StepTime]) -> dict[str, list[StepTime]]:
    groups: dict[str, list[StepTime]] = {}
    for step in steps:
        groups.setdefault(step.kernel, []).append(step)
    return groups


def _seconds(group: list[StepTime]) -> float:
    return sum(step.seconds for step in group)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--network", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    add("--table", action="store_true", help="the table alone: no ceilings, no picture")
    add("--all", action="store_true", help="also the calls that take next to no time")
    add("--batch", type=int, help="default: the batch that compare.py trains with")
    add("--rounds", type=int, default=7, help="the fastest of so many counts")
    add("--threads", type=int, help="default: what minicnn takes by itself")
    add("--out", type=Path, default=Path(__file__).parent / "results")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
