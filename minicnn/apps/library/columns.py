"""Similarities of one part each, brought into the same order of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Column(NamedTuple):
    """The similarities that one part of a search gives."""

    part: str
    pictures: np.ndarray  # int64 (n,)
    values: np.ndarray  # float32 (n,)


def aligned(columns: Sequence[Column]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return all pictures, and the similarities of each part in their order.

    A picture that a part does not know has 0 there, as one that has been indexed by one of two
    networks so far. Columns of the same part are added.

    Examples
    --------
    >>> a = Column("a", np.array([3, 5]), np.array([0.5, 1.0], np.float32))
    >>> b = Column("b", np.array([5]), np.array([0.25], np.float32))
    >>> pictures, parts = aligned([a, b])
    >>> pictures.tolist(), parts["a"].tolist(), parts["b"].tolist()
    ([3, 5], [0.5, 1.0], [0.0, 0.25])
    """
    pictures = columns[0].pictures
    if not all(_equal(one.pictures, pictures) for one in columns):
        pictures = np.unique(np.concatenate([one.pictures for one in columns]))
    parts: dict[str, np.ndarray] = {}
    for one in columns:
        values = _placed(one, pictures)
        parts[one.part] = parts[one.part] + values if one.part in parts else values
    return pictures, parts


def _placed(column: Column, pictures: np.ndarray) -> np.ndarray:
    if _equal(column.pictures, pictures):
        return column.values
    values = np.zeros(len(pictures), np.float32)
    values[np.searchsorted(pictures, column.pictures)] = column.values
    return values


def _equal(a: np.ndarray, b: np.ndarray) -> bool:
    return a is b or np.array_equal(a, b)
