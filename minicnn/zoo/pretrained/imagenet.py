"""ImageNet's classes, and how the pixels are scaled for a network that was trained on it."""

from __future__ import annotations

import functools
from pathlib import Path

from minicnn.data.preprocess import Preprocess
from minicnn.shapes import Pair
from minicnn.support.files import read_text

# One class a line, in the order of the outputs: the number of a set of synonyms in WordNet, and its
# words. tools/make_imagenet_synsets.py writes it.
TABLE = Path(__file__).parent / "imagenet_synsets.txt"
# Two first words occur twice; the second word, or what is meant, tells the classes apart.
TOLD_APART = {134: "crane (bird)", 517: "crane (machine)", 639: "tank suit"}


def class_names() -> list[str]:
    """Return the names of the 1000 classes in the order of the outputs.

    A class is a set of synonyms of WordNet; its name is the first of them.

    >>> names = class_names()
    >>> len(names), names[0], names[281]
    (1000, 'tench', 'tabby')
    """
    return list(_synsets())


def synset(name: str) -> str | None:
    """Return the number and all words of the class with this name; None if there is none.

    >>> synset("Persian cat"), synset("lynx"), synset("unicorn")
    ('n02123394 Persian cat', 'n02127052 lynx, catamount', None)
    """
    return _synsets().get(name)


def preprocess(size: Pair) -> Preprocess:
    """Return how EfficientNet-Lite's pixels are scaled: (x - 127) / 128, about -1 to 1.

    >>> preprocess((224, 224)).mean
    (127.0, 127.0, 127.0)
    """
    return Preprocess(size, interpolation="bicubic", scale=1.0, mean=(127.0,) * 3, std=(128.0,) * 3)


@functools.cache
def _synsets() -> dict[str, str]:
    """Return {name of a class: its line of the table}, in the order of the outputs."""
    lines = read_text(TABLE).splitlines()
    return {TOLD_APART.get(i) or _first_word(line): line for i, line in enumerate(lines)}


def _first_word(line: str) -> str:
    return line.partition(" ")[2].partition(", ")[0]
