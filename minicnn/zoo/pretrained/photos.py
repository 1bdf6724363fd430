"""`photo_small`, trained on six kinds of photographs: one model file that is part of minicnn.

tools/make_photo_small.py writes it from the run of `minicnn reproduce photo-small`. Its weights are
float16, so that it takes less than two megabytes.
"""

from __future__ import annotations

from pathlib import Path

from minicnn.models import Model, load_model

FILE = Path(__file__).parent / "photo_small.mcnn"


def load() -> Model:
    """Return the trained network with its class names, preprocessing and calibration.

    >>> load().class_names
    ['animals', 'architecture', 'car', 'food', 'nature', 'people']
    """
    return load_model(FILE, compile=False)
