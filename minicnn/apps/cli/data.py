"""`minicnn data`: prepare folders of images for training."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from minicnn.apps.cli import options, output
from minicnn.apps.cli.command import cli_group, subcommand
from minicnn.apps.cli.data_check import check
from minicnn.apps.cli.data_fetch import fetch
from minicnn.apps.cli.data_preview import preview
from minicnn.apps.cli.exit_codes import BadDataFound
from minicnn.apps.cli.options import typed
from minicnn.apps.cli.progress import counting
from minicnn.data.folder_layouts import find_splits, list_splits
from minicnn.data.folders import list_folder
from minicnn.data.image_list import ImageList, found_text
from minicnn.data.tools import rename as renaming
from minicnn.data.tools.split import count_table, parse_shares, plan_split
from minicnn.data.tools.split_copy import copy_split
from minicnn.data.tools.stats import ClassStats, FolderStats, folder_stats, sizes_text
from minicnn.errors import ArgumentError
from minicnn.support.text import printable

FEW = 3  # files named in a warning
SCREEN = 20  # files listed by default, where there may be thousands

folder = click.argument("directory", type=options.PATH)


@cli_group(
    "minicnn data check photos",
    "minicnn data split photos sets --parts 70/20/10",
)
def command() -> None:
    """Split, check, count, preview, rename and fetch folders of images.

    A folder of images has one folder per class: photos/cats/, photos/dogs/, ...
    """


@subcommand(
    command,
    "minicnn data split photos sets --parts 70/20/10",
    "minicnn data split scans sets --parts 80/20 --group-by 'patient_([0-9]+)'",
    short_help="Copy images into training, validation and test folders.",
)
@folder
@click.argument("destination", type=options.FOLDER)
@click.option("--parts", default="70/20/10", show_default=True,
              help="Shares: TRAIN/TEST, TRAIN/VAL/TEST, or NAME=SHARE/...")  # fmt: skip
@click.option(
    "--group-by", metavar="REGEX", help="Files with the same match go into the same split."
)
@click.option(
    "--follow-links", is_flag=True, help="Also copy files outside DIRECTORY that links point to."
)
@options.as_json()
def split(
    directory: Path,
    destination: Path,
    parts: str,
    group_by: str | None,
    follow_links: bool,
    as_json: bool,
) -> None:
    """Copy the images in DIRECTORY to DESTINATION/train, val and test.

    Each class is split in the same proportions; files keep their names and times. The exit code is
    3 if some files could not be copied.
    """
    shares = typed("--parts", parse_shares, parts)
    if there := find_splits(directory):
        raise ArgumentError(
            f"{directory} is split already, into {', '.join(there)}; give a folder with one folder "
            "per class"
        )
    images = list_folder(directory)
    output.note(found_text(images))
    plan = typed("--group-by", plan_split, images, shares, group_by=group_by)
    with counting("copying") as progress:
        failures = copy_split(
            images, plan, destination, follow_links=follow_links, progress=progress
        )
    counts = count_table(images, plan, [path for path, _ in failures])
    names = [one.name for one in plan]
    if as_json:
        columns = (dict(zip(images.class_names, c, strict=True)) for c in counts.T.tolist())
        splits = dict(zip(names, columns, strict=True))
        output.print_json(destination=destination, counts=splits, failures=failures)
    else:
        rows = [[n, *c] for n, c in zip(images.class_names, counts.tolist(), strict=True)]
        rows.append(["all", *counts.sum(axis=0).tolist()])
        output.result(output.table(["class", *names], rows))
    _report_failures(failures, "copied")
    if failures:
        raise BadDataFound(f"{len(failures):,} of {len(images.paths):,} images were not copied")


@subcommand(
    command,
    "minicnn data stats photos",
    "minicnn data stats scenes/train --paper forest",
    short_help="Count images, and measure their sizes.",
)
@folder
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
    _report_failures(failures, "read")


@subcommand(
    command,
    "minicnn data rename photos",
    "minicnn data rename photos --apply --journal renamed.csv",
    short_help="Rename images to class and number.",
)
@click.argument("directory", type=options.PATH, required=False)
@click.option(
    "--pattern", default=renaming.PATTERN, show_default=True, help="Pattern of the new names."
)
@click.option(
    "--apply", "really", is_flag=True, help="Rename the files; otherwise only print the new names."
)
@click.option(
    "--journal",
    type=options.FILE,
    help="File that records the old names; default: DIRECTORY-renamed.csv",
)
@click.option("--undo", type=options.FILE, metavar="JOURNAL", help="Restore the old names.")
@click.option("--all", "show_all", is_flag=True, help=f"List all files, not only {SCREEN}.")
@options.as_json()
def rename(directory: Path | None, pattern: str, really: bool, journal: Path | None,
           undo: Path | None, show_all: bool, as_json: bool) -> None:  # fmt: skip
    """Rename the images in DIRECTORY to class and number: cats/cats_0001.jpg, ...

    `minicnn data rename --undo JOURNAL` restores the old names.
    """
    if undo is not None:
        count = renaming.undo_renames(undo)
        said = f"{count:,} files have their old names again."
        output.either(as_json, said, undone=count, journal=undo)
        return
    if directory is None:
        raise click.UsageError("DIRECTORY is missing: minicnn data rename photos")
    plan = typed("--pattern", _renames, directory, pattern)
    if not really:
        shown = plan if show_all else plan[:SCREEN]
        lines = [printable(f"{old} -> {new.name}") for old, new in shown]
        if len(plan) > len(shown):
            lines.append(f"and {len(plan) - len(shown):,} more (--all lists them)")
        if plan or as_json:
            output.either(as_json, "\n".join(lines), applied=False, renames=plan)
        output.note(f"{len(plan):,} files would be renamed; rename them with --apply.")
        return
    journal = journal or _beside(directory, "-renamed.csv")
    said = f"{len(plan):,} files renamed"
    if plan:
        renaming.apply_renames(plan, journal)
        said += f"; to undo: {shlex.join(['minicnn', 'data', 'rename', '--undo', str(journal)])}"
    output.either(as_json, said, applied=True, renames=plan, journal=journal if plan else None)


def _renames(directory: Path, pattern: str) -> list[renaming.Rename]:
    """Plan the renaming of a folder of classes, or of each of its splits."""
    folders = find_splits(directory).values() or [directory]
    return [one for path in folders for one in renaming.plan_renames(list_folder(path), pattern)]


def _beside(directory: Path, ending: str) -> Path:
    """Return the path of a file beside the folder, named after it; `.` has a name too."""
    named = directory if directory.name else directory.resolve()
    return named.with_name(named.name + ending)


def _report_failures(failures: Sequence[tuple[Path, str]], what: str) -> None:
    for path, reason in failures[:FEW]:
        output.warn(f"{path} could not be {what} ({reason})")
    if len(failures) > FEW:
        output.warn(
            f"{len(failures) - FEW} more could not be {what}. To list them: minicnn data check"
        )


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
    kinds = ", ".join(f"{count} {kind}" for kind, count in one.kinds.most_common(FEW))
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


command.add_command(check)
command.add_command(fetch)
command.add_command(preview)
