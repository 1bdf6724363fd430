"""The report: tables in the terminal, a JSON file and a figure."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from output import draw
from rich.console import Console
from rich.table import Table

from gpu_parts.parent import PartResult
from minicnn.support.plots import new_figure

SCHEMA = 1
HIDDEN = ("name", "took_seconds", "network", "mode", "precision", "engine", "runs")
MODES = ("fit", "training", "inference", "one")


def print_result(result: PartResult, console: Console) -> None:
    """Print a table of a part's results, its errors, and how many items there was no time for."""
    if result.absent:
        console.print(f"[yellow]{result.part}: {result.absent} is not installed")
        return
    rows = [row for row in result.rows if "error" not in row]
    columns = [name for name in dict.fromkeys(n for row in rows for n in row) if name not in HIDDEN]
    table = Table("", *columns, title=f"{result.part}, {result.seconds:.0f} s")
    for row in rows:
        table.add_row(row["name"], *(_text(row.get(name, "")) for name in columns))
    console.print(table)
    for row in result.failed:
        console.print(f"[red]{result.part}: {row['name']}: {row['error']}", highlight=False)
    if result.not_reached:
        console.print(f"[yellow]{result.part}: no time for {result.not_reached} more")


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return str(value)


def write(folder: Path, device: str, results: Sequence[PartResult]) -> Path:
    """Write gpu-DEVICE-DATE.json, and a figure of images per second beside it; return the path."""
    folder.mkdir(parents=True, exist_ok=True)
    today = datetime.date.today().isoformat()
    slug = re.sub(r"[^a-z0-9]+", "-", device.lower()).strip("-")
    path = folder / f"gpu-{slug}-{today}.json"
    parts = {result.part: result._asdict() for result in results}
    document = {"schema": SCHEMA, "date": today, "device": device, "parts": parts}
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    rows = [row for result in results for row in result.rows if "images_per_second" in row]
    if rows:
        draw(_plot, path.with_suffix(".png"), device, rows)
    return path


def _plot(path: Path, device: str, rows: list[dict[str, Any]]) -> None:
    """Draw images per second of every engine, one plot per mode, on a logarithmic scale."""
    modes = [mode for mode in MODES if any(row["mode"] == mode for row in rows)]
    figure = new_figure(9, 3 * len(modes))
    places = figure.subplots(len(modes), squeeze=False)[:, 0]
    ways = list(dict.fromkeys(f"{row['engine']}, {row['precision']}" for row in rows))
    names = list(dict.fromkeys(row["network"] for row in rows))
    for axes, mode in zip(places, modes, strict=True):
        for i, way in enumerate(ways):
            speeds = [_speed(rows, mode, name, way) for name in names]
            left = [n + (i - len(ways) / 2) * 0.8 / len(ways) for n in range(len(names))]
            axes.bar(left, speeds, 0.8 / len(ways), label=way, align="edge")
        axes.set_yscale("log")
        axes.set_xticks(range(len(names)), names)
        axes.set_ylabel(f"{mode}: images per second")
    places[0].legend(fontsize=7, ncols=3)
    figure.suptitle(device)
    figure.savefig(path, dpi=130)


def _speed(rows: list[dict[str, Any]], mode: str, name: str, way: str) -> float:
    found = [
        row["images_per_second"]
        for row in rows
        if (row["mode"], row["network"], f"{row['engine']}, {row['precision']}")
        == (mode, name, way)
    ]
    return max(found, default=float("nan"))
