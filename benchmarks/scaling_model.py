"""Predict how training scales to 1,024 machines, from messages and steps measured on one.

    python benchmarks/scaling_model.py                        # measure, compare, predict, draw
    python benchmarks/scaling_model.py --measure training     # only this again
    python benchmarks/scaling_model.py --measure              # nothing: from scaling.json in --out

It fits the parameters of the LogGOPS model of a network to messages between processes, and times
the parts of a training step of the five networks. From these it predicts the trainings that it
measures: on 1, 2 and 4 ranks in shared memory and over TCP, and on 4 ranks in network namespaces,
between which packets are delayed and limited (as root). Then it predicts the efficiency of 1 to
1,024 machines with 10 and 100 Gbit/s. Writes scaling.json and figures to --out.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from typing import Any

from output import add_out, draw
from peers import machine
from peers.networks import NETWORKS
from rich.console import Console
from rich.table import Table
from scaling import figures, measuring, namespaces
from scaling.predictions import GIGABITS, Model, Point, check

from minicnn.installed import missing_extra

PARTS = ("messages", "steps", "training")
GOOD = (0.8, 0.5)  # efficiencies up to which the tables count the ranks


def main(arguments: list[str] | None = None) -> int:
    """Measure, then print, draw and write what follows."""
    options = _options(arguments)
    path = options.out / "scaling.json"
    measured = json.loads(path.read_text()) if path.exists() else {"steps": {}, "training": []}
    options.out.mkdir(parents=True, exist_ok=True)
    for part in options.measure:
        _measure(part, measured, options.networks)
        path.write_text(json.dumps(measured) + "\n")
    model, names = Model(measured), [name for name in NETWORKS if name in measured["steps"]]
    rows = check(model, measured["training"])
    tables = [messages_table(model), check_table(rows), *(limits(model, names, s) for s in (1, 16))]
    for table in tables:
        Console(width=110).print(table)
    measured["check"] = rows
    measured["predictions"] = predictions(model, names)
    path.write_text(json.dumps(measured) + "\n")
    draw(figures.plot_check, options.out / "scaling-check.png", model, rows, model.processors)
    draw(figures.plot_predictions, options.out / "scaling.png", model, names)
    return 0


def _measure(part: str, measured: dict[str, Any], names: list[str]) -> None:
    """Measure a part of what the model needs, and keep it in `measured`."""
    if shutil.which("mpirun") is None:
        raise SystemExit(str(missing_extra("this benchmark needs mpirun", "mpi")))
    if reason := namespaces.why_not():
        print(f"no network namespaces: {reason}")
    processors = machine.available()
    measured |= {"about": machine.describe(1, processors), "processors": len(processors)}
    if part == "messages":
        measured["messages"] = measuring.messages(with_namespaces=reason is None)
    elif part == "steps":
        measured["steps"] |= {name: measuring.steps(name) for name in names}
    else:
        others = [row for row in measured["training"] if row["network"] not in names]
        measured["training"] = [*others, *_trainings(Model(measured), names, reason is None)]


def _trainings(model: Model, names: list[str], with_namespaces: bool) -> list[dict[str, Any]]:
    """Train in all places; predictions say how many steps fit into the time."""
    rows = []
    for name in names:
        rows += measuring.trainings(name, model.training(name, 1, "memory").seconds)
    if with_namespaces:
        seconds = {name: model.training(name, 4, "namespaces").seconds for name in names}
        rows += measuring.trainings_in_namespaces(seconds)
    return rows


def messages_table(model: Model) -> Table:
    """The parameters of LogGOPS."""
    table = Table("between ranks", "L µs", "o µs", "g µs", "G ns/B", "O ns/B", "S bytes")
    table.title = "LogGOPS"
    for place in model.places():
        found = model.loggops(place)
        times = [f"{1e6 * seconds:.2f}" for seconds in (found.L, found.o, found.g)]
        per_byte = [f"{1e9 * seconds:.3f}" for seconds in (found.G, found.O)]
        table.add_row(figures.PLACE_NAMES[place], *times, *per_byte, f"{found.S:,.0f}")
    return table


def check_table(rows: list[dict[str, Any]]) -> Table:
    """The measured trainings beside their predictions."""
    table = Table("network", "between ranks", "ranks", "ms", "predicted", "measured / predicted")
    table.title = "milliseconds per step"
    for row in rows:
        times = [f"{1e3 * row[key]:.2f}" for key in ("seconds", "predicted")]
        place = figures.PLACE_NAMES[row["place"]]
        table.add_row(row["network"], place, str(row["ranks"]), *times, f"{row['ratio']:.2f}")
    return table


def limits(model: Model, names: list[str], speed: float) -> Table:
    """Up to how many ranks the efficiency is good, with overlap."""
    table = Table(
        "network", title=f"most ranks at 80 % / 50 % efficiency, machines {speed} x as fast"
    )
    kinds = [(scaling, gigabits) for scaling in ("weak", "strong") for gigabits in GIGABITS]
    for scaling, gigabits in kinds:
        table.add_column(f"{scaling}, {gigabits} Gbit/s", justify="right")
    for name in names:
        cells = []
        for scaling, gigabits in kinds:
            points = getattr(model, scaling)(name, gigabits, overlap=True, speed=speed)
            cells.append(" / ".join(f"{most(points, good):,}" for good in GOOD))
        table.add_row(name, *cells)
    return table


def most(points: list[Point], good: float) -> int:
    """The largest number of ranks up to which no efficiency is below `good`."""
    ranks = 1
    for point in points:
        if point.efficiency < good:
            break
        ranks = point.ranks
    return ranks


def predictions(model: Model, names: list[str]) -> list[dict[str, Any]]:
    """All predicted steps; points are [ranks, seconds, efficiency]."""
    return [
        {"network": name, "scaling": scaling, "gigabits": gigabits, "overlap": overlap}
        | {"points": getattr(model, scaling)(name, gigabits, overlap=overlap)}
        for name in names
        for scaling in ("weak", "strong")
        for gigabits in GIGABITS
        for overlap in (True, False)
    ]


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    add("--measure", nargs="*", choices=PARTS, default=PARTS, help="default: everything")
    add_out(parser)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
