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
from PIL import Image

from minicnn.apps.runs.answers import Answers
from minicnn.plots import new_figure

RIGHT, WRONG, QUIET = "#1d6f42", "#b3261e", "#666666"
COLUMNS = 6
DPI = 110
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
    figure = new_figure(2.1 * columns, 2.6 * rows + 0.6, DPI)
    figure.suptitle(title, fontsize=14)
    places = np.ravel(figure.subplots(rows, columns, squeeze=False))
    for place in places:
        place.set_axis_off()
    for place, card in zip(places, shown, strict=False):
        grey = card.image.shape[-1] == 1
        place.imshow(card.image[..., 0] if grey else card.image, cmap="gray" if grey else None)
        colour = RIGHT if card.right else WRONG
        place.set_title(f"{card.says} {card.sure:.0%}", fontsize=11, color=colour)
        if not card.right:
            below = {"ha": "center", "va": "top", "transform": place.transAxes}
            place.text(0.5, -0.03, f"is {card.truth}", fontsize=10, color=QUIET, **below)
    return figure


def as_image(pixels: np.ndarray) -> Image.Image:
    """A PIL image of uint8 (H, W, C), C being 1 or 3."""
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def data_url(pixels: np.ndarray) -> str:
    """The image as a text that a page can hold, small enough for a gallery."""
    picture = as_image(pixels)
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
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"
