"""`minicnn predict`: classify images."""

from __future__ import annotations

import glob
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from minicnn.apps.cli import options, output
from minicnn.apps.cli.command import cli_command
from minicnn.apps.cli.exit_codes import BadDataFound
from minicnn.apps.cli.model_file import load_classifier
from minicnn.data.folders import is_image, walk
from minicnn.models import Model
from minicnn.models.images import ImagePrediction, ImagePredictions
from minicnn.support.csv_files import write_csv
from minicnn.support.text import printable

CHUNK = 64  # images that are classified before their results are printed


@cli_command("minicnn predict runs/scene-1 *.jpg", "minicnn predict best.mcnn photos --csv out.csv")
@click.argument("model", type=options.PATH)
@click.argument("paths", nargs=-1, required=True)
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
    top: int,
    csv_file: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Print the most likely classes of images. MODEL is a .mcnn file or a run folder.

    PATHS are image files, folders with all images below them, patterns such as 'a/*.jpg', or - to
    read a list of paths from standard input. The exit code is 3 if some files cannot be read.
    """
    output.check_target(csv_file, force=force)
    network = load_classifier(model).model
    files = list(dict.fromkeys(find_images(paths)))
    if not files:
        raise FileNotFoundError(f"no images in {', '.join(paths)}")
    done = ImagePredictions([])
    for start in range(0, len(files), CHUNK):
        found = predict(network, files[start : start + CHUNK], top)
        done.extend(found)
        done.failures += found.failures
        if csv_file is None:
            show(found, as_json=as_json)
    if csv_file is not None:
        write_csv(csv_file, *as_table(done))
        output.note(f"Written: {csv_file}, {len(done)} rows")
    for path, reason in done.failures:
        output.warn(f"{path} cannot be read ({reason}) and is left out")
    if done.failures:
        raise BadDataFound(f"{len(done.failures)} of {len(files)} files cannot be read")


def find_images(paths: Sequence[str]) -> Iterator[str]:
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


def predict(model: Model, files: Sequence[str], top: int) -> ImagePredictions:
    """Classify files without the warnings about unreadable ones, which `command` prints itself."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*cannot be read")
        return model.predict_images(files, top)


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


def as_table(rows: Sequence[ImagePrediction]) -> tuple[list[str], list[list[Any]]]:
    """Return the headings path,label,probability,top1,top1_probability,... and the rows."""
    width = max((len(row.top) for row in rows), default=0)
    columns = [f"top{i}{what}" for i in range(1, width + 1) for what in ("", "_probability")]
    cells = [
        [row.path, row.label, f"{row.probability:.6f}",
         *(cell for share, name in row.top for cell in (name, f"{share:.6f}"))]
        for row in rows
    ]  # fmt: skip
    return ["path", "label", "probability", *columns], cells
