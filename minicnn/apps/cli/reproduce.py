"""`minicnn reproduce`: a paper's system, from its images to its report."""

from __future__ import annotations

import errno
from pathlib import Path

import click

from minicnn.apps.cli import options
from minicnn.apps.cli.command import verb
from minicnn.apps.cli.run_command import begin, resume, whole_run
from minicnn.apps.recipes import RECIPES, Recipe
from minicnn.apps.runs.load_images import is_published
from minicnn.apps.runs.settings import Settings
from minicnn.apps.runs.split_files import class_names
from minicnn.datasets.cifar10 import USUAL_NAMES
from minicnn.support import environment

OTHER_NAMES = {"cifar10": USUAL_NAMES}  # of data sets that come in several forms


@verb("minicnn reproduce lenet", "minicnn reproduce scene --data ~/images/scenes --epochs 12")
@click.argument("name", type=click.Choice(list(RECIPES)))
@options.data(help="Folder of the images, or of all data sets; default: $MINICNN_DATA, or data.")
@click.option(
    "--as-printed",
    is_flag=True,
    help="The training as the paper prints it, where the recipe's is a better one.",
)
@options.epochs()
@options.batch_size()
@options.runs()
@options.go_on()
@options.fail_under()
@options.as_json(help="The report as one JSON object.")
@options.seed()
def command(
    name: str,
    data: Path | None,
    as_printed: bool,
    epochs: int | None,
    batch_size: int | None,
    runs: Path,
    go_on: bool,
    fail_under: float | None,
    as_json: bool,
    seed: int | None,
) -> None:
    """Train one of the papers' systems, measure it, and write a run folder with its report.

    The folder holds the model, curves, confusion matrix, per-class table, worst mistakes, and
    report.html with the table "paper / here".
    """
    recipe = RECIPES[name]
    settings = wanted(recipe, as_printed=as_printed)
    if go_on:
        folder, settings = resume(settings.title, runs, epochs)
    else:
        where = find_data(name, settings.data, data)
        settings = settings.changed(data=where, epochs=epochs, batch_size=batch_size, seed=seed)
        if Path(where).is_dir() and where and not is_published(Path(where)):
            recipe.check_classes(class_names(Path(where), settings), where)
        folder, settings = begin(settings, runs)
    whole_run(folder, settings, recipe, fail_under, as_json=as_json)


def wanted(recipe: Recipe, *, as_printed: bool) -> Settings:
    """The recipe's training, or the paper's own."""
    if not as_printed:
        return recipe.settings
    if recipe.printed is None:
        raise click.UsageError(
            f"{recipe.title!r} has no other training than the paper's; leave --as-printed out"
        )
    return recipe.printed


def find_data(system: str, name: str, given: Path | None) -> str:
    """Where the images of a recipe are: `given`, or in it, or in $MINICNN_DATA or data.

    Raises
    ------
    FileNotFoundError
        They are nowhere; it says where they could be.
    """
    if not name:
        return "" if given is None else str(given.resolve())
    root = given or Path(environment.value_of("MINICNN_DATA") or "data")
    for path in (root / one for one in (name, *OTHER_NAMES.get(name, ()))):
        if path.exists():
            return str(path.resolve())
    if given is not None and given.exists():
        return str(given.resolve())
    if given is not None:
        raise FileNotFoundError(
            errno.ENOENT,
            "there is no such folder. Needed is one with train/ and test/, or with one folder of "
            "images a class",
            str(given),
        )
    raise FileNotFoundError(
        errno.ENOENT,
        f"the images of {system!r} are not there. Needed is a folder with train/ and test/, or "
        f"with one folder of images a class; name it: minicnn reproduce {system} --data DIR",
        str(root / name),
    )
