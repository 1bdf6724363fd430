"""Measure each kernel call of a training step, and compare it with the machine's peak.

    python benchmarks/roofline.py --network scene --table     # the table alone, in seconds
    python benchmarks/roofline.py                             # all networks, with a figure of each

GFLOP/s count the operations of the formula ("dense-equivalent"). A kernel that reads only the
maxima of a max pooling, or that multiplies less, as Winograd's does, may show more than the peak.
The ceilings are measured in the same run: NumPy's copy, and the faster of NumPy's matrix product
and the engine's best convolution.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import ceilings
import numpy as np
from ceilings import Ceilings
from output import add_out, draw
from peers import machine
from peers.networks import NETWORKS
from rich.console import Console
from rich.table import Table
from steps import StepTime, measure

import minicnn as mc
from minicnn import _core
from minicnn.support.plots import new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Markers of the passes, by the ending of their kernels' names.
PASSES = {"forward": "o", "backward_input": "^", "backward_weights": "s"}
SMALL = 0.002  # share of the step's time below which kernel calls are summed up in one row


def main(arguments: list[str] | None = None) -> int:
    """Measure the networks, then print, draw and write the results."""
    options = _options(arguments)
    mc.set_backend("native")
    if options.threads:
        mc.config.set_threads(options.threads)
    about = machine.describe(_core.num_threads(), machine.available())
    roof = None if options.table else ceilings.measure()
    for name in options.network:
        steps = measure(name, options.batch, options.rounds)
        print_table(name, steps, options.all)
        if roof is not None:
            options.out.mkdir(parents=True, exist_ok=True)
            stem = options.out / f"roofline-{name}"
            write(stem.with_suffix(".json"), steps, roof, about)
            draw(plot, stem.with_suffix(".png"), name, steps, roof)
    return 0


def print_table(name: str, steps: list[StepTime], everything: bool) -> None:
    """Print one row per kernel call in the program's order, then the sums by kernel."""
    total = sum(step.seconds for step in steps)
    title = f"{name}, {_core.isa()}, {_core.num_threads()} threads: {total * 1e3:.2f} ms per step"
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


def write(path: Path, steps: list[StepTime], roof: Ceilings, about: dict) -> None:
    """Write the ceilings and all kernel calls as JSON."""
    rows = [{**step._asdict(), "gflops": step.gflops, "gbytes": step.gbytes} for step in steps]
    document = {**about, "isa": _core.isa(), "ceilings": roof._asdict(), "steps": rows}
    path.write_text(json.dumps(document, indent=1) + "\n")


def plot(path: Path, name: str, steps: list[StepTime], roof: Ceilings) -> None:
    """Draw every convolution and dense layer below the ceilings; areas are shares of the time."""
    figure = new_figure(7.5, 4.8)
    axes = figure.subplots()
    worked = [step for step in steps if step.flop]
    intensities = np.geomspace(0.25, 2 * max(step.intensity for step in worked), 200)
    axes.loglog(intensities, [roof.at(i) for i in intensities], color="black", linewidth=1)
    axes.axhline(roof.sgemm_gflops, color="black", linewidth=0.7, linestyle=":")
    axes.text(0.3, roof.sgemm_gflops, "NumPy's matrix product", fontsize=7, va="bottom")
    axes.text(1.0, roof.at(0.75), f"NumPy's copy, {roof.copy_gbytes:.0f} GB/s", fontsize=7)
    total = sum(step.seconds for step in steps)
    for ending, mark in PASSES.items():
        group = [step for step in worked if step.kernel.endswith(ending)]
        _scatter(axes, group, mark, ending.replace("_", " "), total)
    axes.set_xlabel("operations per byte (formula, every array once)")
    axes.set_ylabel("GFLOP/s (formula)")
    axes.legend(fontsize=8, loc="lower right")
    axes.set_title(f"{name}: {_core.isa()}, {_core.num_threads()} threads", fontsize=10)
    figure.savefig(path, dpi=130)


def _scatter(axes: Axes, steps: list[StepTime], mark: str, label: str, total: float) -> None:
    """Draw one pass; kernels fused with a max pooling, which read only its maxima, are hollow."""
    for fused in (False, True):
        group = [step for step in steps if ("pool" in step.kernel) == fused]
        axes.scatter(
            [step.intensity for step in group],
            [step.gflops for step in group],
            s=[12 + 600 * step.seconds / total for step in group],
            marker=mark,
            facecolors="none" if fused else "#d62728",
            edgecolors="#d62728",
            alpha=0.8,
            label=f"{label}, pooled" if fused else label,
        )


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--network", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    add("--table", action="store_true", help="only the table: no ceilings, no figure")
    add("--all", action="store_true", help="also the calls that take almost no time")
    add("--batch", type=int, help="default: the batch that compare.py trains with")
    add("--rounds", type=int, default=7, help="number of rounds, of which the fastest counts")
    add("--threads", type=int, help="default: minicnn's own default")
    add_out(parser)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
