"""Names for layers and models that were created without one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

MAX_DIGITS = 9  # of a number at the end of a name; a longer one is part of the name
_names: Counter[str] = Counter()


def unique_name(class_name: str) -> str:
    """Return the next name of a class: conv2d, conv2d_1, conv2d_2, ...

    Names that `remember_name` was given are skipped. `clear_session` starts anew.

    >>> clear_session()
    >>> remember_name("max_pooling2d_6")
    >>> unique_name("MaxPooling2D"), unique_name("MaxPooling2D")
    ('max_pooling2d_7', 'max_pooling2d_8')
    """
    stem = snake(class_name)
    _names[stem] += 1
    return numbered(stem, _names[stem] - 1)


def remember_name(name: str) -> None:
    """Record a name that was chosen by hand or read from a file; new names continue after it."""
    stem, _, digits = name.rpartition("_")
    if not (stem and digits.isascii() and digits.isdigit() and len(digits) <= MAX_DIGITS):
        stem, digits = name, "0"
    _names[stem] = max(_names[stem], int(digits) + 1)


def snake(class_name: str) -> str:
    """Return a class's name in snake case, with the underscores that Keras gives it.

    >>> snake("MaxPooling2D"), snake("Conv2DTranspose"), snake("PReLU")
    ('max_pooling2d', 'conv2d_transpose', 'p_re_lu')
    """
    words = re.sub(r"(?<=.)(?=[A-Z][a-z]+)", "_", re.sub(r"\W+", "", class_name))
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", words).lower()


def numbered(stem: str, number: int) -> str:
    """Return dense, dense_1, dense_2, ... for number = 0, 1, 2, ..."""
    return f"{stem}_{number}" if number else stem


def clear_session() -> None:
    """Forget all automatic names: the next Conv2D is called `conv2d` again."""
    _names.clear()


@contextmanager
def fresh_names() -> Iterator[None]:
    """Count names from the start inside the block, and as before after it.

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
