"""The run's pictures: curves, confusions, and galleries of single images.

matplotlib is imported when a figure is made; `drawable` says whether it is there.
"""

from __future__ import annotations

import base64
import importlib.util
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minicnn.apps.runs.predictions import Answers
from minicnn.data.image_writing import array_to_img
from minicnn.explain.tiles import empty_figure, show_tiles
from minicnn.support.files import read_whole
from minicnn.support.plots import QUIET, RIGHT, WRONG

COLUMNS = 6
MAX_BYTES = 64 << 20  # of a figure on the page
THUMBNAIL = 150  # pixels of a picture's longer side on the page


class Card(NamedTuple):
    """One image of a gallery with what is said about it."""

    image: np.ndarray  # uint8 (H, W, C)
    says: str  # the network's class
    sure: float  # and its probability
    truth: str  # the right class; "" if nobody knows it
    file: str = ""  # where the image comes from

    @property
    def right(self) -> bool:
        """Is the network's class the right one, as far as anybody knows?"""
        return self.truth in ("", self.says)


def cards(
    images: np.ndarray, files: Sequence[str], answers: Answers, numbers: Sequence[int]
) -> list[Card]:
    """A card for each of the images of these numbers."""
    names = answers.names
    return [
        Card(
            images[i],
            names[answers.predictions[i]],
            float(answers.confidence[i]),
            names[answers.labels[i]],
            files[i] if len(files) else f"image {i}",
        )
        for i in numbers
    ]


def drawable() -> bool:
    """Is matplotlib installed?"""
    return importlib.util.find_spec("matplotlib") is not None


def gallery_figure(shown: Sequence[Card], title: str) -> Any:
    """The images in rows: above each what the network says and how sure it is, below the truth."""
    columns = max(1, min(COLUMNS, len(shown)))
    rows = max(1, math.ceil(len(shown) / columns))
    figure = empty_figure(2.1 * columns, 2.7 * rows + 0.6)
    figure.suptitle(title, fontsize=14)
    images = np.array([card.image for card in shown] or np.zeros((0, 1, 1)))
    positions = show_tiles(figure.subplots(), images, columns, above=0.14, below=0.12, cmap="gray")
    for position, card in zip(positions, shown, strict=True):
        color = RIGHT if card.right else WRONG
        position.above(f"{card.says} {card.sure:.0%}", color=color, fontsize=11)
        if not card.right:
            position.below(f"is {card.truth}", color=QUIET, fontsize=10)
    return figure


def data_url(pixels: np.ndarray) -> str:
    """The image as a text that a page can hold, small enough for a gallery."""
    picture = array_to_img(pixels, scale=False)
    small = max(picture.size) < THUMBNAIL / 2
    if small:  # digits: whole steps, so that every pixel stays a square
        times = THUMBNAIL // max(picture.size)
        picture = picture.resize((picture.width * times, picture.height * times), 0)
    else:
        picture.thumbnail((THUMBNAIL, THUMBNAIL))
    stream = io.BytesIO()
    kind = "PNG" if small else "JPEG"
    picture.save(stream, kind, quality=85)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(stream.getvalue()).decode()}"


def file_url(path: Path) -> str:
    """A PNG file as a text that a page can hold."""
    return f"data:image/png;base64,{base64.b64encode(read_whole(path, MAX_BYTES)).decode()}"
