"""`minicnn data split`: copy a folder of images into training, validation and test folders."""

from __future__ import annotations

from pathlib import Path

import click

from minicnn.apps.cli import options, output
from minicnn.apps.cli.command import cli_command
from minicnn.apps.cli.data_failures import warn_of_failures
from minicnn.apps.cli.exit_codes import BadDataFound
from minicnn.apps.cli.options import typed
from minicnn.apps.cli.progress import counting
from minicnn.data.folder_layouts import find_splits
from minicnn.data.folders import list_folder
from minicnn.data.image_list import found_text
from minicnn.data.tools.split import count_table, parse_shares, plan_split
from minicnn.data.tools.split_copy import copy_split
from minicnn.errors import ArgumentError


@cli_command(
    "minicnn data split photos sets --parts 70/20/10",
    "minicnn data split scans sets --parts 80/20 --group-by 'patient_([0-9]+)'",
    short_help="Copy images into training, validation and test folders.",
)
@click.argument("directory", type=options.PATH)
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
    warn_of_failures(failures, "copied")
    if failures:
        raise BadDataFound(f"{len(failures):,} of {len(images.paths):,} images were not copied")
