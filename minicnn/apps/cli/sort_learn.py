"""`minicnn sort learn`: a model learns from pictures that a person has put right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from minicnn import zoo
from minicnn.apps.cli import options, output
from minicnn.apps.cli.command import cli_command
from minicnn.apps.cli.model_file import network_file
from minicnn.apps.runs.before_after import HEADINGS
from minicnn.apps.sorter.learning import Lesson, learn, new_path
from minicnn.models import load_model
from minicnn.support.text import printable

SHIPPED = Path("photo-small.mcnn")  # what the file of the shipped model would be called


@cli_command(
    "minicnn sort learn scene.mcnn put-right",
    "minicnn sort learn put-right --out better.mcnn",
)
@click.argument("words", type=options.PATH, nargs=-1, metavar="[MODEL] DIR")
@click.option(
    "--out",
    type=options.FILE,
    help="File for the new model; default: beside MODEL, scene-2.mcnn for scene.mcnn.",
)
@options.force()
@options.as_json()
def command(words: tuple[Path, ...], out: Path | None, force: bool, as_json: bool) -> None:
    """Let the last layer of MODEL learn the pictures in DIR, which has one folder for each class.

    MODEL is a .mcnn file or a run folder; without it, the model that comes with minicnn learns. A
    folder of a class that it does not know becomes a new class, and a folder `unsure` is left out.
    The new model is another file, and MODEL stays as it is. The table shows how many images of each
    class are right before and after, among images that were held out.
    """
    if len(words) not in (1, 2):
        raise click.UsageError("give a folder: minicnn sort learn [MODEL] DIR")
    output.check_target(out, force=force)
    given = len(words) == 2
    file = network_file(words[0]) if given else SHIPPED
    model = load_model(file, compile=False) if given else zoo.photo_small(weights="photos")
    lesson = learn(model, words[-1], say=output.note)
    target = new_path(file) if out is None else out
    lesson.model.save(target, include_optimizer=False)
    show(lesson, target, as_json=as_json)


def show(lesson: Lesson, target: Path, *, as_json: bool) -> None:
    """Print what was learned, as text or as one JSON object."""
    if as_json:
        output.print_json(**fields_of(lesson), file=target)
        return
    totals = [] if lesson.known is None else [lesson.known]
    output.result(output.table(HEADINGS, [row.cells for row in (*lesson.changes, *totals)]))
    counts = ", ".join(f"{count} of {name}" for name, count in lesson.pictures.items())
    output.result(f"\nLearned in {lesson.seconds:.1f} s from {sum(lesson.pictures.values())} "
                  f"pictures: {printable(counts)}")  # fmt: skip
    if lesson.unreadable:
        output.warn(f"{lesson.unreadable} of the pictures cannot be read; see: minicnn data check")
    output.result(f"  {printable(target)}")


def fields_of(lesson: Lesson) -> dict[str, Any]:
    """Return the fields of the JSON object."""
    return {
        "pictures": lesson.pictures,
        "new_classes": lesson.new_classes,
        "changes": [row._asdict() for row in lesson.changes],
        "known_classes": None if lesson.known is None else lesson.known._asdict(),
        "unreadable": lesson.unreadable,
        "seconds": lesson.seconds,
        "class_names": lesson.model.class_names,
    }
