"""A sheet of the pictures that a search found: for people who look rather than read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

from minicnn.data.images import load_img
from minicnn.support.text import shortened

COLUMNS = 5
SIDE = 180  # pixels of a picture
MARGIN, TEXT_HEIGHT, BAR_HEIGHT = 10, 18, 8  # pixels
LETTERS = 28  # of a caption
# One for each part of a score; people with any color vision can tell them apart (Okabe, Ito 2008).
COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000")
EMPTY = "#e6e6e6"


class Tile(NamedTuple):
    """One picture of the sheet."""

    source: Path | bytes | None  # None if its file is gone
    title: str
    score: float | None  # None for the query
    parts: dict[str, float]


def hit_sheet(tiles: Sequence[Tile]) -> Image.Image:
    """Draw pictures with their scores, and below each the parts of its score as a bar.

    A bar is as long as the picture is wide for a score of 1.
    """
    names = list(dict.fromkeys(name for tile in tiles for name in tile.parts))
    colors = {name: COLORS[i % len(COLORS)] for i, name in enumerate(names)}
    rows = -(-len(tiles) // COLUMNS)
    step = SIDE + MARGIN, SIDE + 2 * TEXT_HEIGHT + BAR_HEIGHT + MARGIN
    size = MARGIN + COLUMNS * step[0], MARGIN + rows * step[1] + TEXT_HEIGHT + MARGIN
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    for i, tile in enumerate(tiles):
        row, column = divmod(i, COLUMNS)
        corner = MARGIN + column * step[0], MARGIN + row * step[1]
        sheet.paste(_picture(tile.source), corner)
        _write(draw, tile, corner[0], corner[1] + SIDE, colors)
    _legend(draw, colors, MARGIN + rows * step[1])
    return sheet


def _picture(source: Path | bytes | None) -> Image.Image:
    """Return the picture, whole and centered on a light square."""
    square = Image.new("RGB", (SIDE, SIDE), EMPTY)
    if source is None:
        return square
    try:
        image = load_img(source, target_size=None)
    except OSError:
        return square
    image.thumbnail((SIDE, SIDE))
    square.paste(image, ((SIDE - image.width) // 2, (SIDE - image.height) // 2))
    return square


def _write(
    draw: ImageDraw.ImageDraw, tile: Tile, left: int, top: int, colors: dict[str, str]
) -> None:
    """Write the captions of a picture, and draw the bar of its parts between them."""
    font = ImageFont.load_default(12)
    if tile.score is not None:
        draw.rectangle((left, top + 2, left + SIDE, top + 2 + BAR_HEIGHT), EMPTY)
        x = float(left)
        for name, value in tile.parts.items():
            width = SIDE * max(0.0, value)
            draw.rectangle((x, top + 2, x + width, top + 2 + BAR_HEIGHT), colors[name])
            x += width
        draw.text((left, top + BAR_HEIGHT + 4), f"{tile.score:.3f}", "black", font)
    line = top + BAR_HEIGHT + 4 + TEXT_HEIGHT
    draw.text((left, line), shortened(tile.title, LETTERS), "black", font)


def _legend(draw: ImageDraw.ImageDraw, colors: dict[str, str], top: int) -> None:
    font, x = ImageFont.load_default(12), float(MARGIN)
    for name, color in colors.items():
        draw.rectangle((x, top + 3, x + 10, top + 13), color)
        draw.text((x + 15, top), name, "black", font)
        x += 15 + font.getlength(name) + 2 * MARGIN
