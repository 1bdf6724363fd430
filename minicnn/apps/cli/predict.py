"""`minicnn predict`: classify images."""

from __future__ import annotations

import glob
import itertools
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from minicnn.apps.cli import options, output
from minicnn.apps.cli.command import cli_command
from minicnn.apps.cli.exit_codes import BadDataFound
from minicnn.apps.cli.model_file import load_classifier
from minicnn.apps.cli.predict_table import PredictionTable, count_rows, predict
from minicnn.apps.cli.shared_work import check_table
from minicnn.data.folders import is_image, walk
from minicnn.distributed.launch import place
from minicnn.models.images import ImagePrediction
from minicnn.support.files import open_regular
from minicnn.support.text import printable

CHUNK = 64  # images that are classified before their results are printed


@cli_command("minicnn predict runs/scene-1 *.jpg", "minicnn predict best.mcnn photos --csv out.csv")
@click.argument("model", type=options.PATH)
@click.argument("paths", nargs=-1)
@click.option(
    "--files-from",
    type=options.FILE,
    metavar="LIST",
    help="Text file with one more path per line.",
)
@click.option(
    "--top",
    type=click.IntRange(1),
    default=5,
    show_default=True,
    help="Number of classes to print per image.",
)
@click.option(
    "--csv",
    "csv_file",
    type=options.FILE,
    help="Write a table instead: path,label,probability,top1,...",
)
@options.force()
@options.as_json(help="Print one JSON object per image and line.")
def command(
    model: Path,
    paths: tuple[str, ...],
    files_from: Path | None,
    top: int,
    csv_file: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Print the most likely classes of images. MODEL is a .mcnn file or a run folder.

    PATHS are image files, folders with all images below them, patterns such as 'a/*.jpg', or - to
    read a list of paths from standard input. The exit code is 3 if some files cannot be read.

    With --csv, several processes share the work, on one machine or many: mpirun -n 4 minicnn
    predict ..., or the same command in several terminals. If it is interrupted, repeat it, and it
    goes on.
    """
    if not paths and files_from is None:
        raise click.UsageError("which images? Give their paths, folders, or --files-from LIST")
    if "-" in paths and place().size > 1:
        raise click.UsageError("mpirun gives - to one process only; use --files-from LIST")
    check_table(csv_file, force=force, command="predict")
    if csv_file is not None:
        table = PredictionTable(model, lambda: all_images(paths, files_from), top)
        write_table(table, csv_file, force=force)
    else:
        print_predictions(model, all_images(paths, files_from), top, as_json=as_json)


def print_predictions(model: Path, files: Sequence[str], top: int, *, as_json: bool) -> None:
    """Classify images and print what is on them, as soon as it is known."""
    network = load_classifier(model).model
    failures = []
    for start in range(0, len(files), CHUNK):
        found = predict(network, files[start : start + CHUNK], top)
        failures += found.failures
        show(found, as_json=as_json)
    report(failures, len(files))


def write_table(table: PredictionTable, csv_file: Path, *, force: bool) -> None:
    """Classify images, together with other processes, and report what this one has written."""
    if place().rank == 0:
        _ = table.model  # before the search for images, as it may be the wrong file
    if table.write(csv_file, force=force):
        output.note(f"Written: {csv_file}, {table.rows} rows")
        report(table.failures, table.rows + len(table.failures))
    elif place().rank == 0:
        rows = count_rows(csv_file)
        output.note(f"Written by another process: {csv_file}, {rows} rows")
        if rows < len(table.files):
            lost = f"{len(table.files) - rows} of {len(table.files)} files cannot be read"
            raise BadDataFound(f"{lost}; that process names them")


def report(failures: Sequence[tuple[object, str]], total: int) -> None:
    """Name the files that cannot be read, and end with the exit code for them."""
    for path, reason in failures:
        output.warn(f"{path} cannot be read ({reason}) and is left out")
    if failures:
        raise BadDataFound(f"{len(failures)} of {total} files cannot be read")


def all_images(paths: Sequence[str], files_from: Path | None) -> list[str]:
    """Return the image files that the arguments and the list name, each once."""
    listed = lines_of(files_from) if files_from is not None else ()
    files = list(dict.fromkeys(itertools.chain(find_images(paths), find_images(listed))))
    if not files:
        names = [*paths, *([str(files_from)] if files_from is not None else [])]
        raise FileNotFoundError(f"no images in {', '.join(names)}")
    return files


def lines_of(path: Path) -> Iterator[str]:
    """Yield the lines of a list of paths, which may be long."""
    with open_regular(path) as file:
        for line in file:
            if line.strip():
                yield os.fsdecode(line.strip())


def find_images(paths: Iterable[str]) -> Iterator[str]:
    """Yield the image files that the arguments name, in order."""
    for text in paths:
        if text == "-":
            yield from find_images([line.strip() for line in sys.stdin if line.strip()])
        elif Path(text).is_dir():
            yield from (str(path) for path in walk(text) if is_image(path))
        elif Path(text).exists() or not glob.has_magic(text):
            yield text  # a file that does not exist will be among the failures
        else:
            yield from find_images(sorted(glob.glob(text, recursive=True)))


def show(rows: Sequence[ImagePrediction], *, as_json: bool) -> None:
    """Print one line per image."""
    for row in rows:
        if as_json:
            output.json_line(as_object(row))
        else:
            words = "  ".join(f"{name} {share:.1%}" for share, name in row.top)
            output.result(printable(f"{row.path}: {words}"))


def as_object(row: ImagePrediction) -> dict[str, Any]:
    """Return the fields of an image's JSON object."""
    return {
        "path": str(row.path),
        "label": row.label,
        "probability": row.probability,
        "top": [{"label": name, "probability": share} for share, name in row.top],
    }
