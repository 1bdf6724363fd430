"""Galleries of single images with their predictions, and images encoded for an HTML page.

matplotlib is imported when a figure is drawn; `can_draw` says whether it is installed.
"""

from __future__ import annotations

import base64
import importlib.util
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minicnn.apps.runs.image_splits import Split
from minicnn.apps.runs.predictions import Predictions
from minicnn.data.image_writing import array_to_img
from minicnn.explain.predictions import CaptionedImage, captioned_figure
from minicnn.support.files import read_whole

MAX_BYTES = 64 << 20  # of a figure on the page
THUMBNAIL = 150  # pixels along the longer side of an image on the page


class GalleryImage(NamedTuple):
    """One image of a gallery, with its prediction."""

    image: np.ndarray  # uint8 (H, W, C)
    predicted: str  # name of the predicted class
    confidence: float  # probability of the predicted class
    actual: str  # name of the true class; "" if it is unknown
    file: str = ""  # the file that the image comes from

    @property
    def is_right(self) -> bool:
        """Whether the prediction is right, or the true class is unknown."""
        return self.actual in ("", self.predicted)


def gallery_images(
    split: Split, predictions: Predictions, indices: Sequence[int]
) -> list[GalleryImage]:
    """Return the images at these indices of a split, with their predictions."""
    names = predictions.class_names
    return [
        GalleryImage(
            split.images[i],
            names[predictions.predicted[i]],
            float(predictions.confidence[i]),
            names[predictions.labels[i]],
            split.files[i] if len(split.files) else f"image {i}",
        )
        for i in indices
    ]


def can_draw() -> bool:
    """Return whether matplotlib is installed."""
    return importlib.util.find_spec("matplotlib") is not None


def gallery_figure(shown: Sequence[GalleryImage], title: str) -> Any:
    """Draw the images in rows: the prediction above each, and below it the class if it is wrong."""
    captioned = [
        CaptionedImage(
            one.image,
            f"{one.predicted} {one.confidence:.0%}",
            "" if one.is_right else f"is {one.actual}",
        )
        for one in shown
    ]
    return captioned_figure(captioned, title)


def data_url(pixels: np.ndarray) -> str:
    """Encode an image as a data URL of gallery size."""
    image = array_to_img(pixels, scale=False)
    small = max(image.size) < THUMBNAIL / 2
    if small:  # enlarge digits by a whole factor, so that pixels stay squares
        times = THUMBNAIL // max(image.size)
        image = image.resize((image.width * times, image.height * times), 0)
    else:
        image.thumbnail((THUMBNAIL, THUMBNAIL))
    stream = io.BytesIO()
    kind = "PNG" if small else "JPEG"
    image.save(stream, kind, quality=85)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(stream.getvalue()).decode()}"


def file_url(path: Path) -> str:
    """Encode a PNG or JPEG file as a data URL."""
    kind = "jpeg" if path.suffix == ".jpg" else "png"
    return f"data:image/{kind};base64,{base64.b64encode(read_whole(path, MAX_BYTES)).decode()}"
