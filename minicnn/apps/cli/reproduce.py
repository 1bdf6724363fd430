"""`minicnn reproduce`: train a paper's system and compare the result with the paper."""

from __future__ import annotations

import errno
from pathlib import Path

import click

from minicnn.apps.cli import options, processes, run_command
from minicnn.apps.cli.command import cli_command
from minicnn.apps.recipes import RECIPES, Recipe
from minicnn.apps.runs.published import is_published
from minicnn.apps.runs.settings import Settings
from minicnn.apps.runs.split_files import class_names
from minicnn.datasets import cifar10
from minicnn.datasets.image_folders import needed_text
from minicnn.datasets.places import default_folder

# Other names of data sets that come in several forms.
OTHER_NAMES = {"cifar10": cifar10.USUAL_NAMES}


@cli_command(
    "minicnn reproduce lenet", "minicnn reproduce scene --data ~/images/scenes --epochs 12"
)
@click.argument("name", type=click.Choice(list(RECIPES)))
@options.data(help="Folder of the images, or of all data sets; default: $MINICNN_DATA or data.")
@click.option(
    "--as-printed",
    is_flag=True,
    help="Train exactly as the paper describes, where the recipe has an improved training.",
)
@options.epochs()
@options.batch_size()
@options.shards()
@options.runs()
@options.resume()
@options.fail_under()
@options.as_json(help="Print the report as one JSON object.")
@options.seed()
def command(
    name: str,
    data: Path | None,
    as_printed: bool,
    epochs: int | None,
    batch_size: int | None,
    shards: int | None,
    runs: Path,
    resume: bool,
    fail_under: float | None,
    as_json: bool,
    seed: int | None,
) -> None:
    """Train the system of a paper, test it, and write a run folder with its report.

    The folder has the model, curves, confusion matrix, scores per class, worst mistakes, and a
    report.html that compares the results with the paper's.
    """
    processes.join()
    recipe = RECIPES[name]
    settings = recipe_settings(recipe, as_printed=as_printed)
    if resume:
        title = settings.title
        run_command.resume(title, runs, epochs, recipe, fail_under=fail_under, as_json=as_json)
        return
    found = find_data(name, settings.data, data)
    settings = settings.changed(
        data=found, epochs=epochs, batch_size=batch_size, shards=shards, seed=seed
    )
    if Path(found).is_dir() and found and not is_published(Path(found)):
        recipe.check_classes(class_names(Path(found), settings), found)
    run_command.run(settings, runs, recipe, fail_under=fail_under, as_json=as_json)


def recipe_settings(recipe: Recipe, *, as_printed: bool) -> Settings:
    """Return the recipe's training, or the paper's own with `--as-printed`."""
    if not as_printed:
        return recipe.settings
    if recipe.printed is None:
        raise click.UsageError(
            f"{recipe.title!r} is trained as the paper describes already; leave out --as-printed"
        )
    return recipe.printed


def find_data(system: str, name: str, given: Path | None) -> str:
    """Return the folder of a recipe's images: `given`, or `name` in it, $MINICNN_DATA or data.

    Raises
    ------
    FileNotFoundError : there is no such folder; the error says where the images can be had
    """
    if not name:
        return "" if given is None else str(given.resolve())
    root = given or default_folder()
    for path in (root / one for one in (name, *OTHER_NAMES.get(name, ()))):
        if path.exists():
            return str(path.resolve())
    if given is not None and given.exists():
        return str(given.resolve())
    needed = f"Needed are {cifar10.WANTED}" if name == "cifar10" else needed_text(name)
    raise FileNotFoundError(
        errno.ENOENT,
        f"there is no such folder. {needed}. Nothing is downloaded: minicnn reproduce {system} "
        "--data DIR",
        str(given or root / name),
    )
