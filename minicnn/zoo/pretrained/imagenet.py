"""ImageNet's classes, and how the pixels are scaled for a network that was trained on it."""

from __future__ import annotations

from pathlib import Path

from minicnn.data.preprocess import Preprocess
from minicnn.shapes import Pair
from minicnn.support.files import read_text

# One class a line, in the order of the outputs; tools/make_imagenet_classes.py writes it.
TABLE = Path(__file__).parent / "imagenet_classes.txt"


def class_names() -> list[str]:
    """Return the names of the 1000 classes in the order of the outputs.

    A class is a set of synonyms of WordNet; its name is the first of them.

    >>> names = class_names()
    >>> len(names), names[0], names[281]
    (1000, 'tench', 'tabby')
    """
    return read_text(TABLE).splitlines()


def preprocess(size: Pair) -> Preprocess:
    """Return how EfficientNet-Lite's pixels are scaled: (x - 127) / 128, about -1 to 1.

    >>> preprocess((224, 224)).mean
    (127.0, 127.0, 127.0)
    """
    return Preprocess(size, interpolation="bicubic", scale=1.0, mean=(127.0,) * 3, std=(128.0,) * 3)
