"""Options that several commands have, each described once: `@options.epochs(default=5)`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from minicnn.errors import ArgumentError

# Whether a path exists is checked where it is read, with an error that says what is needed.
PATH = click.Path(path_type=Path)
FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)

T = TypeVar("T")
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def _shared(*names: str, **defaults: Any) -> Callable[..., Decorator]:
    """Return a decorator for an option, whose settings each command may override."""

    def option(**overrides: Any) -> Decorator:
        return click.option(*names, **defaults | overrides)

    return option


data = _shared(
    "--data",
    type=PATH,
    help="Folder with one folder of images per class, or with train/ and test/.",
)
epochs = _shared("--epochs", type=click.IntRange(1), help="Passes over the training images.")
batch_size = _shared("--batch-size", type=click.IntRange(1), help="Images per training step.")
augment = _shared(
    "--augment", is_flag=True, help="Rotate, shift, zoom and flip training images at random."
)
patience = _shared(
    "--patience",
    type=click.IntRange(1),
    help="Stop after this many epochs without improvement.",
)
seed = _shared("--seed", type=click.IntRange(0), help="Seed of all random numbers.")
shards = _shared(
    "--shards",
    type=click.IntRange(1),
    help="Parts of each batch that are computed on their own, a power of two: the result does not "
    "depend on how many processes mpirun starts; default: 8 with mpirun, else the whole batch.",
)
allow_unreadable = _shared(
    "--allow-unreadable",
    type=float,
    is_flag=True,
    flag_value=1.0,
    default=None,
    help="Leave out any number of unreadable images, not only 1 %.",
)
runs = _shared(
    "--runs",
    type=PATH,
    default=Path("runs"),
    show_default=True,
    help="Folder that contains the run folders.",
)
resume = _shared("--resume", is_flag=True, help="Continue the newest interrupted run.")
fail_under = _shared(
    "--fail-under",
    type=click.FloatRange(0, 1),
    help="Exit with code 4 if the accuracy is below this, such as 0.99.",
)
force = _shared("--force", is_flag=True, help="Overwrite an existing file.")
as_json = _shared("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")


def typed(option: str, read: Callable[..., T], *words: Any, **more: Any) -> T:
    """Return `read(*words, **more)`; its ArgumentError becomes an error of the option, code 2."""
    try:
        return read(*words, **more)
    except ArgumentError as error:
        raise click.BadParameter(str(error), param_hint=option) from error


def image_size(least: int, **settings: Any) -> Decorator:
    """Return the option --image-size H W; both must be at least `least`."""
    side = click.IntRange(least)
    return click.option("--image-size", type=(side, side), metavar="H W", **settings)
