"""`minicnn data preview`: what an augmentation does to a picture."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from minicnn.apps.cli import options, output
from minicnn.apps.cli.command import verb
from minicnn.apps.cli.options import typed
from minicnn.checks import nearest
from minicnn.data.folders import list_folder
from minicnn.data.image_writing import write_image
from minicnn.data.images import check_size, decode
from minicnn.data.tools.preview import COLUMNS, EFFECTS, FILLING, idle_parameters, preview_sheet
from minicnn.support.text import printable

ENDINGS = (".png", ".jpg", ".jpeg")
# Of paper 2; what is shown when nothing else is asked for.
PAPER_SETTINGS = {"shear_range": 0.2, "zoom_range": 0.2, "horizontal_flip": True}


@verb(
    "minicnn data preview photos --out sheet.png",
    "minicnn data preview cat.jpg shear_range=11.5 zoom_range=[0.8,1.2] --out sheet.png",
)
@click.argument("image", type=options.PATH)
@click.argument("settings", nargs=-1, metavar="[NAME=VALUE]...")
@click.option(
    "--out",
    type=options.FILE,
    required=True,
    help="The sheet, a PNG or JPEG file.",
)
@options.force()
@click.option("--size", default=150, show_default=True, help="Height and width of each picture.")
@click.option("--examples", type=click.IntRange(1, 20), default=COLUMNS, show_default=True)
@options.as_json()
def preview(image: Path, settings: Sequence[str], out: Path, force: bool, size: int, examples: int,
            as_json: bool) -> None:  # fmt: skip
    """Draw what each parameter of an augmentation does to IMAGE, alone and all together.

    Parameters are those of ImageDataGenerator; without any, paper 2's are shown. Of a folder the
    first image is taken. Values too small to see are named.
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
    """{"zoom_range": 0.2} from ["zoom_range=0.2"]."""
    known = (*EFFECTS, *FILLING)
    settings = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not sign or name not in known:
            raise click.UsageError(f"{word!r} is no NAME=VALUE{nearest(name, known)}")
        try:
            settings[name] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            settings[name] = value  # a word: fill_mode=wrap
    return settings
