"""Names for layers and models that were given none."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

MAX_DIGITS = 9  # of a number at the end of a name that is taken for one
_names: Counter[str] = Counter()


def unique_name(class_name: str) -> str:
    """conv2d, conv2d_1, conv2d_2, ...: counted per class until `clear_session`.

    Names that are known from `remember_name` are left out.

    >>> clear_session()
    >>> remember_name("max_pooling2d_6")
    >>> unique_name("MaxPooling2D"), unique_name("MaxPooling2D")
    ('max_pooling2d_7', 'max_pooling2d_8')
    """
    stem = snake(class_name)
    _names[stem] += 1
    return numbered(stem, _names[stem] - 1)


def remember_name(name: str) -> None:
    """A name that somebody gave, or that a file has: automatic names go on behind it."""
    stem, _, digits = name.rpartition("_")
    if not (stem and digits.isascii() and digits.isdigit() and len(digits) <= MAX_DIGITS):
        stem, digits = name, "0"
    _names[stem] = max(_names[stem], int(digits) + 1)


def snake(class_name: str) -> str:
    """max_pooling2d from MaxPooling2D."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", class_name).lower()


def numbered(stem: str, number: int) -> str:
    """dense, dense_1, dense_2, ... for the numbers 0, 1, 2, ..."""
    return f"{stem}_{number}" if number else stem


def clear_session() -> None:
    """Forget which names were given: the next Conv2D is `conv2d` again."""
    _names.clear()


@contextmanager
def fresh_names() -> Iterator[None]:
    """Inside the block names are counted from the start; afterwards as if it had not been.

    >>> with fresh_names():
    ...     unique_name("Conv2D")
    'conv2d'
    """
    kept = _names.copy()
    _names.clear()
    try:
        yield
    finally:
        _names.clear()
        _names.update(kept)
