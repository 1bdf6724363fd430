"""The results of a comparison as a table, as JSON and as a picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

OURS = ("native", "numpy")
COLOURS = {"native": "#d62728", "numpy": "#ff9896", "tensorflow": "#ff7f0e", "torch": "#7f4fc9"}


class Result(NamedTuple):
    """One way to run one engine, at one batch size."""

    network: str
    mode: str  # "training" or "inference"
    batch: int
    engine: str
    variant: str
    blocks: list[list[float]]  # seconds of every step

    @property
    def median(self) -> float:
        """Median of the blocks' medians, in seconds: a disturbed block does not move it."""
        return float(np.median([np.median(block) for block in self.blocks]))

    @property
    def p95(self) -> float:
        """95th percentile of all steps, in seconds."""
        return float(np.percentile(np.concatenate(self.blocks), 95))

    @property
    def images_per_second(self) -> float:
        """Throughput at the median."""
        return self.batch / self.median


def best(results: list[Result], engines: tuple[str, ...]) -> Result | None:
    """The fastest way that any of `engines` has; None where there is none."""
    candidates = [r for r in results if r.engine in engines]
    return min(candidates, key=lambda r: r.median, default=None)


def cases(results: list[Result]) -> dict[tuple[str, str, int], list[Result]]:
    """Results that may be compared with each other: same network, mode and batch."""
    found: dict[tuple[str, str, int], list[Result]] = {}
    for result in results:
        found.setdefault((result.network, result.mode, result.batch), []).append(result)
    return found


def _peers(results: list[Result]) -> tuple[str, ...]:
    return tuple({r.engine for r in results} - set(OURS))


def _ratio(result: Result, rival: Result | None) -> float | None:
    return None if rival is None else rival.median / result.median


def print_table(results: list[Result], network: str) -> None:
    """One row a way to run, fastest first within each case."""
    table = Table("mode", title=f"{network}; x: how many times as fast")
    for column in (
        "batch",
        "engine",
        "median ms",
        "p95 ms",
        "images/s",
        "x best peer",
        "x TensorFlow",
    ):
        table.add_column(column, justify="right", no_wrap=True)
    for (_, mode, batch), group in cases(results).items():
        rivals = best(group, _peers(group)), best(group, ("tensorflow",))
        for r in sorted(group, key=lambda r: r.median):
            ratios = (_ratio(r, rival) for rival in rivals)
            texts = ("-" if ratio is None else f"{ratio:.2f}" for ratio in ratios)
            name = r.engine if r.variant == r.engine else f"{r.engine} {r.variant}"
            figures = f"{r.median * 1e3:.3f}", f"{r.p95 * 1e3:.3f}", f"{r.images_per_second:,.0f}"
            style = "bold" if r.engine in OURS else None
            table.add_row(mode, str(batch), name, *figures, *texts, style=style)
        table.add_section()
    Console(width=max(Console().width, 110)).print(table)


def write_json(path: Path, results: list[Result], about: dict[str, Any]) -> None:
    """Everything that was measured; `schema` grows when a key changes its meaning."""
    rows = []
    for group in cases(results).values():
        for r in group:
            rows.append(
                {
                    **r._asdict(),
                    "blocks": [float(np.median(block)) for block in r.blocks],
                    "steps": sum(map(len, r.blocks)),
                    "median_ms": r.median * 1e3,
                    "p95_ms": r.p95 * 1e3,
                    "images_per_second": r.images_per_second,
                    "times_best_peer": _ratio(r, best(group, _peers(group))),
                    "times_tensorflow": _ratio(r, best(group, ("tensorflow",))),
                }
            )
    path.write_text(json.dumps({"schema": 1, **about, "results": rows}, indent=1) + "\n")


def plot(path: Path, results: list[Result], subtitle: str) -> None:
    """Each engine's best way as a bar: times as fast as the best peer, and images per second."""
    figure = Figure(figsize=(11, 4.6), layout="constrained")
    modes = sorted({r.mode for r in results}, reverse=True)  # training first
    for axes, mode in zip(figure.subplots(1, len(modes), squeeze=False)[0], modes, strict=True):
        chosen = [r for r in results if r.mode == mode]
        _bars(axes, list(cases(chosen).values()))
        axes.set_title(f"{chosen[0].network}: {mode}")
    figure.suptitle(subtitle, fontsize=9)
    figure.savefig(path, dpi=130)


def _bars(axes: Axes, groups: list[list[Result]]) -> None:
    engines = [e for e in COLOURS if best(groups[0], (e,))]
    width = 0.8 / len(engines)
    for i, engine in enumerate(engines):
        fastest = [best(group, (engine,)) for group in groups]
        rivals = [best(group, _peers(group) or OURS) for group in groups]
        heights = [_ratio(r, rival) or 0 for r, rival in zip(fastest, rivals, strict=True) if r]
        places = np.arange(len(groups)) + (i - (len(engines) - 1) / 2) * width
        bars = axes.bar(places, heights, width, label=engine, color=COLOURS[engine])
        labels = [f"{r.images_per_second:,.0f}" for r in fastest if r]
        axes.bar_label(bars, labels, fontsize=7, rotation=90, padding=3)
    axes.axhline(1, color="black", linewidth=0.8, linestyle=":")
    axes.set_ylim(top=axes.get_ylim()[1] * 1.15)  # room for the numbers
    axes.set_xticks(range(len(groups)), [f"batch {group[0].batch}" for group in groups])
    axes.set_ylabel("times as fast as the best peer (numbers: images per second)")
    axes.legend(fontsize=8)
