"""Options that several verbs have, each described once: `@options.epochs(default=5)`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from minicnn.errors import ArgumentError

# Whether something is there, and what to do if not, says who reads it.
PATH = click.Path(path_type=Path)
FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)

T = TypeVar("T")
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def _shared(*names: str, **usual: Any) -> Callable[..., Decorator]:
    """An option, of which a verb may change what it needs otherwise."""

    def option(**own: Any) -> Decorator:
        return click.option(*names, **usual | own)

    return option


data = _shared(
    "--data",
    type=PATH,
    help="Folder with one folder of images a class, or with train/ and test/.",
)
epochs = _shared("--epochs", type=click.IntRange(1), help="Passes over the images.")
batch_size = _shared("--batch-size", type=click.IntRange(1), help="Images in one step.")
augment = _shared("--augment", is_flag=True, help="Turn, shift, zoom and mirror images at random.")
patience = _shared(
    "--patience", type=click.IntRange(1), help="Stop after so many epochs without a better one."
)
seed = _shared("--seed", type=click.IntRange(0), help="Of all that is random.")
allow_unreadable = _shared(
    "--allow-unreadable",
    type=float,
    is_flag=True,
    flag_value=1.0,
    default=None,
    help="Go on however many images cannot be read; else at most 1 %.",
)
runs = _shared(
    "--runs",
    type=PATH,
    default=Path("runs"),
    show_default=True,
    help="Folder for the run folders.",
)
go_on = _shared("--resume", "go_on", is_flag=True, help="Go on with the newest interrupted run.")
fail_under = _shared(
    "--fail-under",
    type=click.FloatRange(0, 1),
    help="Exit with 4 if fewer images are right, as 0.99.",
)
force = _shared("--force", is_flag=True, help="Write over a file that is there.")
as_json = _shared("--json", "as_json", is_flag=True, help="The result as one JSON object.")


def typed(option: str, read: Callable[..., T], *words: Any, **more: Any) -> T:
    """What `read` makes of words; what it refuses was typed wrongly, which is exit code 2."""
    try:
        return read(*words, **more)
    except ArgumentError as error:
        raise click.BadParameter(str(error), param_hint=option) from error


def image_size(least: int, **own: Any) -> Decorator:
    """--image-size H W, each at least so many pixels."""
    side = click.IntRange(least)
    return click.option("--image-size", type=(side, side), metavar="H W", **own)
