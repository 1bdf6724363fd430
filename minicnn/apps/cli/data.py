"""`minicnn data ...`: pictures made ready for training."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from minicnn.apps.cli import options, output
from minicnn.apps.cli.command import verb_group, verb_of
from minicnn.apps.cli.data_check import check
from minicnn.apps.cli.data_preview import preview
from minicnn.apps.cli.exit_codes import BadDataFound
from minicnn.apps.cli.options import typed
from minicnn.apps.cli.progress import counting
from minicnn.data.folder_layouts import find_splits, list_splits
from minicnn.data.folders import ImageList, found_text, list_folder
from minicnn.data.tools import rename as renaming
from minicnn.data.tools.fetch import FetchLimits, Transport, fetch_images, read_links, write_report
from minicnn.data.tools.split import count_table, parse_parts, plan_split
from minicnn.data.tools.split_copy import copy_split
from minicnn.data.tools.stats import ClassStats, FolderStats, folder_stats, paper_text
from minicnn.errors import ArgumentError
from minicnn.support.text import printable

FEW = 3  # files that are named in a warning
SCREEN = 20  # that are named where there may be thousands

folder = click.argument("directory", type=options.PATH)


@verb_group(
    "minicnn data check photos",
    "minicnn data split photos sets --parts 70/20/10",
)
def command() -> None:
    """Split, check, count, preview, rename and fetch folders of images.

    A folder of images has a folder for each class: photos/cats/, photos/dogs/, ...
    """


@verb_of(
    command,
    "minicnn data split photos sets --parts 70/20/10",
    "minicnn data split scans sets --parts 80/20 --group-by 'patient_([0-9]+)'",
)
@folder
@click.argument("destination", type=options.FOLDER)
@click.option("--parts", default="70/20/10", show_default=True,
              help="Shares: train/test, train/val/test, or NAME=SHARE/...")  # fmt: skip
@click.option("--group-by", metavar="REGEX", help="Files with the same match stay together.")
@click.option("--follow-links", is_flag=True, help="Also copy what links lead to elsewhere.")
@options.as_json()
def split(
    directory: Path,
    destination: Path,
    parts: str,
    group_by: str | None,
    follow_links: bool,
    as_json: bool,
) -> None:
    """Copy the images in DIRECTORY into DESTINATION/train, val and test.

    Each class is divided in the same proportions; files keep their names and times. The exit code
    is 3 if some could not be copied.
    """
    shares = typed("--parts", parse_parts, parts)
    if there := find_splits(directory):
        raise ArgumentError(
            f"{directory} is split already, into {', '.join(there)}; give a folder with a folder "
            "for each class"
        )
    images = list_folder(directory)
    output.note(found_text(images))
    plan = typed("--group-by", plan_split, images, shares, group_by=group_by)
    with counting("copying") as progress:
        failures = copy_split(
            images, plan, destination, follow_links=follow_links, progress=progress
        )
    counts = count_table(images, plan, [path for path, _ in failures])
    if as_json:
        output.print_json(
            destination=destination,
            counts={part.name: dict(zip(images.class_names, column, strict=True))
                    for part, column in zip(plan, counts.T.tolist(), strict=True)},
            failures=failures,
        )  # fmt: skip
    else:
        rows = [[n, *c] for n, c in zip(images.class_names, counts.tolist(), strict=True)]
        rows.append(["all", *counts.sum(axis=0).tolist()])
        output.result(output.table(["class", *(part.name for part in plan)], rows))
    _report_failures(failures, "copied")
    if failures:
        raise BadDataFound(f"{len(failures):,} of {len(images.paths):,} images were not copied")


@verb_of(command, "minicnn data stats photos", "minicnn data stats scenes/train --paper forest")
@folder
@click.option("--paper", metavar="CLASS", help="Only this class, as paper 2 prints it.")
@click.option("--pixels", is_flag=True, help="Also each color's mean and standard deviation.")
@options.as_json()
def stats(directory: Path, paper: str | None, pixels: bool, as_json: bool) -> None:
    """Images, heights, widths and kinds of files of each class in DIRECTORY.

    DIRECTORY has a folder for each class, or train, val, test with a folder for each class.
    """
    sets = list_splits(directory, None if paper is None else [paper])
    found = {part: _looked_at(part, images, pixels) for part, images in sets.items()}
    failures = [pair for one in found.values() for pair in one.failures]
    if as_json:
        rows = [
            {"part": part, **_stats_fields(row)} for part, one in found.items() for row in one.rows
        ]
        output.print_json(classes=rows, failures=failures)
    else:
        texts = [
            (f"{part}:\n" if len(found) > 1 else "")
            + (_stats_text(one, pixels) if paper is None else paper_text(one.classes[0]))
            for part, one in found.items()
        ]
        output.result("\n\n".join(texts))
    _report_failures(failures, "read")


@verb_of(
    command,
    "minicnn data rename photos",
    "minicnn data rename photos --apply --journal renamed.csv",
)
@click.argument("directory", type=options.PATH, required=False)
@click.option("--pattern", default=renaming.PATTERN, show_default=True)
@click.option("--apply", "really", is_flag=True, help="Rename; else only say what would be done.")
@click.option(
    "--journal", type=options.FILE, help="Where old names are kept; default: DIRECTORY-renamed.csv"
)
@click.option("--undo", type=options.FILE, metavar="JOURNAL", help="Take a renaming back.")
@click.option("--all", "show_all", is_flag=True, help=f"Name every file, not {SCREEN} of them.")
@options.as_json()
def rename(directory: Path | None, pattern: str, really: bool, journal: Path | None,
           undo: Path | None, show_all: bool, as_json: bool) -> None:  # fmt: skip
    """Name the images in DIRECTORY by class and number: cats/cats_0001.jpg, ...

    What was done is taken back with --undo JOURNAL, without DIRECTORY.
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
            lines.append(f"and {len(plan) - len(shown):,} more (--all names them)")
        if plan or as_json:
            output.either(as_json, "\n".join(lines), applied=False, renames=plan)
        output.note(f"{len(plan):,} files would be renamed; --apply does it.")
        return
    journal = journal or _beside(directory, "-renamed.csv")
    said = f"{len(plan):,} files renamed"
    if plan:
        renaming.apply_renames(plan, journal)
        said += f"; back: {shlex.join(['minicnn', 'data', 'rename', '--undo', str(journal)])}"
    output.either(as_json, said, applied=True, renames=plan, journal=journal if plan else None)


def _renames(directory: Path, pattern: str) -> list[renaming.Rename]:
    """Of a folder of classes, or of each of its parts."""
    folders = find_splits(directory).values() or [directory]
    return [one for part in folders for one in renaming.plan_renames(list_folder(part), pattern)]


def _beside(directory: Path, ending: str) -> Path:
    """A file named after the folder, next to it; also of `.`, which is called something, too."""
    named = directory if directory.name else directory.resolve()
    return named.with_name(named.name + ending)


@verb_of(
    command,
    "minicnn data fetch cats.csv --to photos",
    "minicnn data fetch cats.csv dogs.csv --to photos --most-mb 5",
)
@click.argument("lists", nargs=-1, required=True, type=options.FILE)
@click.option(
    "--to", type=options.FOLDER, required=True, help="Each list fills a folder in this one."
)
@click.option("--most-mb", type=click.FloatRange(0, min_open=True), default=10.0, show_default=True)
@click.option("--seconds", type=click.FloatRange(0, min_open=True), default=8.0, show_default=True,
              help="For a whole download.")  # fmt: skip
@click.option("--allow-private", is_flag=True, help="Also addresses of the local network.")
@options.as_json()
def fetch(
    lists: Sequence[Path],
    to: Path,
    most_mb: float,
    seconds: float,
    allow_private: bool,
    as_json: bool,
) -> None:
    """Download the links in each csv of LISTS into a class folder of the csv's name.

    Links must be http or https and lead to the public internet. What cannot be had is named in
    NAME.fetched.csv beside the folder. Run again, it goes on where it was. The exit code is 3 if
    no link of a list is an image.
    """
    _check_different(lists)
    limits = FetchLimits(
        max_bytes=round(most_mb * 1e6), total_seconds=seconds, allow_private=allow_private
    )
    transport, summary = Transport(), {}
    for file in lists:
        links, target = read_links(file), to / file.stem
        with counting(file.stem) as progress:
            results = fetch_images(
                links, target, limits=limits, transport=transport, progress=progress
            )
        write_report(results, to / f"{file.stem}.fetched.csv")
        got = sum(one.path is not None for one in results)
        summary[file.stem] = {"links": len(links), "images": got}
        if not as_json:
            report = f"; why not the others: {target}.fetched.csv" if got < len(links) else ""
            output.result(f"{target}: {got:,} of {len(links):,} links are images{report}")
    if as_json:
        output.print_json(classes=summary)
    without = [name for name, counts in summary.items() if not counts["images"]]
    if without:
        raise BadDataFound(f"no link is an image in {', '.join(without)}")


def _check_different(lists: Sequence[Path]) -> None:
    """Each list fills a folder of its own: pictures are named by their line in it."""
    first: dict[str, Path] = {}
    for file in lists:
        other = first.setdefault(file.stem, file)
        if other is not file:
            raise click.UsageError(
                f"{other} and {file} would both fill the folder {file.stem}; give one of them "
                "another name, or put all links into one list"
            )


def _report_failures(failures: Sequence[tuple[Path, str]], what: str) -> None:
    for path, reason in failures[:FEW]:
        output.warn(f"{path} could not be {what} ({reason})")
    if len(failures) > FEW:
        output.warn(f"{len(failures) - FEW} more like it. List: minicnn data check")


def _looked_at(part: str, images: ImageList, pixels: bool) -> FolderStats:
    output.note(f"{part}: {found_text(images)}")
    with counting("reading") as progress:
        return folder_stats(images, pixels=pixels, progress=progress)


def _stats_text(found: FolderStats, pixels: bool) -> str:
    """The table of a part; colors have one of their own, so that 80 columns hold both."""
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
command.add_command(preview)
