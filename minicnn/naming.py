"""Names for layers and models that were given none."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

_names: Counter[str] = Counter()


def unique_name(class_name: str) -> str:
    """conv2d, conv2d_1, conv2d_2, ...: counted per class until `clear_session`.

    >>> clear_session()
    >>> unique_name("MaxPooling2D"), unique_name("MaxPooling2D")
    ('max_pooling2d', 'max_pooling2d_1')
    """
    stem = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", class_name).lower()
    _names[stem] += 1
    return stem if _names[stem] == 1 else f"{stem}_{_names[stem] - 1}"


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
