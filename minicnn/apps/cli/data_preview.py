"""`minicnn data preview`: draw what an augmentation does to an image."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from minicnn.apps.cli import options, output
from minicnn.apps.cli.command import cli_command
from minicnn.apps.cli.options import typed
from minicnn.checks import nearest
from minicnn.data.folders import list_folder
from minicnn.data.image_writing import write_image
from minicnn.data.images import check_size, decode
from minicnn.data.tools.preview import COLUMNS, EFFECTS, FILLING, idle_parameters, preview_sheet
from minicnn.support.text import printable

ENDINGS = (".png", ".jpg", ".jpeg")
# The augmentation of paper 2, which is shown by default.
PAPER_SETTINGS = {"shear_range": 0.2, "zoom_range": 0.2, "horizontal_flip": True}


@cli_command(
    "minicnn data preview photos --out sheet.png",
    "minicnn data preview cat.jpg shear_range=11.5 zoom_range=[0.8,1.2] --out sheet.png",
    short_help="Draw the effects of an augmentation.",
)
@click.argument("image", type=options.PATH)
@click.argument("settings", nargs=-1, metavar="[NAME=VALUE]...")
@click.option(
    "--out",
    type=options.FILE,
    required=True,
    help="PNG or JPEG file to write.",
)
@options.force()
@click.option(
    "--size", default=150, show_default=True, help="Height and width of each image, in pixels."
)
@click.option(
    "--examples",
    type=click.IntRange(1, 20),
    default=COLUMNS,
    show_default=True,
    help="Images per parameter.",
)
@options.as_json()
def preview(image: Path, settings: Sequence[str], out: Path, force: bool, size: int, examples: int,
            as_json: bool) -> None:  # fmt: skip
    """Draw what each parameter of an augmentation does to IMAGE, one by one and all together.

    The parameters are those of ImageDataGenerator; by default, those of paper 2. If IMAGE is a
    folder, its first image is used. A warning names values that are too small to have an effect.
    """
    output.check_target(out, force=force, endings=ENDINGS)
    path = list_folder(image).paths[0] if image.is_dir() else image
    chosen = _settings(settings) or PAPER_SETTINGS
    pixels = decode(path, typed("--size", check_size, size))
    sheet = typed("NAME=VALUE", preview_sheet, pixels, chosen, examples)
    idle = idle_parameters(chosen, (size, size))
    for text in idle:
        output.warn(text)
    write_image(sheet, out)
    output.either(as_json, printable(out), written=out, image=path, settings=chosen, idle=idle)


def _settings(words: Sequence[str]) -> dict[str, Any]:
    """Parse ["zoom_range=0.2"] into {"zoom_range": 0.2}."""
    known = (*EFFECTS, *FILLING)
    settings = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not sign or name not in known:
            raise click.UsageError(f"{word!r} is not NAME=VALUE{nearest(name, known)}")
        try:
            settings[name] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            settings[name] = value  # a string: fill_mode=wrap
    return settings
