"""Print the results of a comparison as tables."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from peers.engines import ENGINES
from peers.networks import NETWORKS
from peers.results import Memory, Run, best, cases, peers_of, ratio
from peers.targets import ROWS, Row
from peers.timing import FOREIGN

DISTURBED = 0.25  # share of disturbed blocks from which the summary marks a network
COLUMNS = ("case", "engine", "median ms", "p95 ms", "images/s", "x best peer", "x TensorFlow")


def print_run(run: Run) -> None:
    """Print one row per variant, fastest first within each case; then memory."""
    table = Table(title=f"{run.network}; x: how many times as fast")
    for column in COLUMNS:
        table.add_column(column, justify="left" if column == "case" else "right", no_wrap=True)
    for case, group in cases(run.results).items():
        rivals = best(group, peers_of(group)), best(group, ("tensorflow", "keras"))
        for r in sorted(group, key=lambda r: r.median):
            figures = f"{r.median * 1e3:.3f}", f"{r.p95 * 1e3:.3f}", f"{r.images_per_second:,.0f}"
            ratios = (_text(ratio(r, rival)) for rival in rivals)
            style = "bold" if ENGINES[r.engine].is_ours else None
            table.add_row(str(case), r.name, *figures, *ratios, style=style)
        table.add_section()
    _console().print(table)
    _say_what_was_disturbed(run)
    if run.memory:
        _console().print(_memory_table(run.memory))


def print_summary(runs: list[Run]) -> None:
    """Print one row per target and one column per network: the figure, and its target."""
    table = Table("", title="minicnn native against the best peer of each case")
    runs = sorted(runs, key=lambda run: list(NETWORKS).index(run.network))
    for run in runs:
        star = " *" if run.disturbed(FOREIGN) > DISTURBED else ""
        table.add_column(run.network + star, justify="right", no_wrap=True)
    for row in ROWS:
        table.add_row(row.name, *(_cell(row, run) for run in runs))
    if any(run.disturbed(FOREIGN) > DISTURBED for run in runs):
        table.caption = f"* other programs ran during more than {DISTURBED:.0%} of the blocks"
    _console().print(table)


def _cell(row: Row, run: Run) -> str:
    figure = row.figure(run)
    if figure is None:
        return "-"
    met = row.is_met(run.network, figure)
    if met is None:
        return f"{figure:.2f}"
    sign = "<=" if row.at_most else ">="
    color = "green" if met else "red"
    return f"[{color}]{figure:.2f}[/] ({sign} {row.targets[run.network]:g})"


def _memory_table(memory: list[Memory]) -> Table:
    table = Table("engine", title="memory of training, MiB")
    for column in ("after imports", "at most", "grown by"):
        table.add_column(column, justify="right")
    for m in memory:
        sizes = (f"{size / 2**20:,.0f}" for size in (m.before, m.peak, m.grown))
        table.add_row(f"{m.engine} {m.variant}".strip(), *sizes)
    return table


def _say_what_was_disturbed(run: Run) -> None:
    if share := run.disturbed(FOREIGN):
        print(
            f"{share:.0%} of the blocks were disturbed: other programs took more than "
            f"{FOREIGN:.0%} of the CPU time, which does not slow all engines alike"
        )


def _text(figure: float | None) -> str:
    return "-" if figure is None else f"{figure:.2f}"


def _console() -> Console:
    return Console(width=max(Console().width, 120))
