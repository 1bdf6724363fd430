"""`minicnn data rename`: rename images to class and number, and undo it."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from minicnn.apps.cli import options, output
from minicnn.apps.cli.command import cli_command
from minicnn.apps.cli.options import typed
from minicnn.data.folder_layouts import find_splits
from minicnn.data.folders import list_folder
from minicnn.data.tools import rename as renaming
from minicnn.support.text import printable

SCREEN = 20  # files listed by default, where there may be thousands


@cli_command(
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
        _show(plan, len(plan) if show_all else SCREEN, as_json)
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


def _show(plan: list[renaming.Rename], most: int, as_json: bool) -> None:
    """Print the first new names, and how many files would be renamed."""
    lines = [printable(f"{old} -> {new.name}") for old, new in plan[:most]]
    if len(plan) > most:
        lines.append(f"and {len(plan) - most:,} more (--all lists them)")
    if plan or as_json:
        output.either(as_json, "\n".join(lines), applied=False, renames=plan)
    output.note(f"{len(plan):,} files would be renamed; rename them with --apply.")


def _beside(directory: Path, ending: str) -> Path:
    """Return the path of a file beside the folder, named after it; `.` has a name too."""
    named = directory if directory.name else directory.resolve()
    return named.with_name(named.name + ending)
