"""`minicnn data stats`: count the images in a folder, and measure their sizes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from minicnn.apps.cli import options, output
from minicnn.apps.cli.command import cli_command
from minicnn.apps.cli.data_failures import warn_of_failures
from minicnn.apps.cli.progress import counting
from minicnn.data.folder_layouts import list_splits
from minicnn.data.image_list import ImageList, found_text
from minicnn.data.tools.stats import ClassStats, FolderStats, folder_stats, sizes_text

KINDS = 3  # kinds of files named in a row; the most frequent ones


@cli_command(
    "minicnn data stats photos",
    "minicnn data stats scenes/train --paper forest",
    short_help="Count images, and measure their sizes.",
)
@click.argument("directory", type=options.PATH)
@click.option("--paper", metavar="CLASS", help="Print only this class, in the form of paper 2.")
@click.option(
    "--pixels", is_flag=True, help="Also print the mean and standard deviation of each color."
)
@options.as_json()
def stats(directory: Path, paper: str | None, pixels: bool, as_json: bool) -> None:
    """Print the number, sizes and file types of the images of each class in DIRECTORY.

    DIRECTORY has one folder per class, or train, val and test with one folder per class each.
    """
    sets = list_splits(directory, None if paper is None else [paper])
    found = {name: _measure(name, images, pixels) for name, images in sets.items()}
    failures = [pair for one in found.values() for pair in one.failures]
    if as_json:
        rows = [
            {"part": name, **_stats_fields(row)} for name, one in found.items() for row in one.rows
        ]
        output.print_json(classes=rows, failures=failures)
    else:
        texts = [
            (f"{name}:\n" if len(found) > 1 else "")
            + (_stats_text(one, pixels) if paper is None else sizes_text(one.classes[0]))
            for name, one in found.items()
        ]
        output.result("\n\n".join(texts))
    warn_of_failures(failures, "read")


def _measure(name: str, images: ImageList, pixels: bool) -> FolderStats:
    output.note(f"{name}: {found_text(images)}")
    with counting("reading") as progress:
        return folder_stats(images, pixels=pixels, progress=progress)


def _stats_text(found: FolderStats, pixels: bool) -> str:
    """Return the table of a split; colors have a second table, so that both fit 80 columns."""
    headings = ["class", "images", "height", "min", "max", "width", "min", "max", "MB", "kinds"]
    tables = [output.table(headings, map(_stats_row, found.rows))]
    if pixels:
        colors = [[one.name, *_triple(one.mean), *_triple(one.std)] for one in found.rows]
        headings = ["class", "mean red", "green", "blue", "std red", "green", "blue"]
        tables.append(output.table(headings, colors))
    return "\n\n".join(tables)


def _stats_row(one: ClassStats) -> list[object]:
    if not one.images:
        return [one.name, 0] + ["-"] * (7 + 1)
    sizes = [
        text
        for values in (one.heights, one.widths)
        for text in (f"{values.mean():.1f}", values.min(), values.max())
    ]
    kinds = ", ".join(f"{count} {kind}" for kind, count in one.kinds.most_common(KINDS))
    return [one.name, one.images, *sizes, f"{one.size_bytes / 1e6:.1f}", kinds]


def _triple(values: Any) -> list[str]:
    return ["-"] * 3 if values is None else [f"{value:.3f}" for value in values]


def _stats_fields(one: ClassStats) -> dict[str, Any]:
    fields: dict[str, Any] = {"name": one.name, "images": one.images, "bytes": one.size_bytes}
    for name, values in (("height", one.heights), ("width", one.widths)):
        if one.images:
            low, high = int(values.min()), int(values.max())
            fields[name] = {"mean": float(values.mean()), "min": low, "max": high}
    return {**fields, "kinds": dict(one.kinds), "mean": one.mean, "std": one.std}
