"""Compares results with the right ones, and says in words where they differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from minicnn.checks import shape_text


class Difference(NamedTuple):
    """A wrong result: its name if there are several, what came out, what is right."""

    name: str
    got: np.ndarray
    expected: np.ndarray
    wrong: np.ndarray  # which numbers are wrong; empty if the shapes differ

    @property
    def has_shape(self) -> bool:
        """Whether the shape is right."""
        return self.got.shape == self.expected.shape


def is_close(got: np.ndarray, expected: np.ndarray, tolerance: float) -> bool:
    """Return whether a result has the right shape and numbers."""
    return got.shape == expected.shape and not wrong_numbers(got, expected, tolerance).any()


def wrong_numbers(got: np.ndarray, expected: np.ndarray, tolerance: float) -> np.ndarray:
    """Return where numbers differ by more than the tolerance times the largest magnitude."""
    finite = np.abs(expected[np.isfinite(expected)]).astype(np.float64)
    allowed = tolerance * max(finite.max(initial=0.0), 1e-30)
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.abs(got.astype(np.float64) - expected.astype(np.float64)) > allowed
    special = ~(np.isfinite(got) & np.isfinite(expected))
    return np.where(special, ~same_special(got, expected), apart)


def same_special(got: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Return where both are NaN, or the same infinity."""
    return (got == expected) | (np.isnan(got) & np.isnan(expected))


def difference_words(found: Difference) -> list[str]:
    """Return the first number that differs, its place, and how large the differences are.

    >>> got, expected = np.array([1.0, 5.0, 3.5]), np.array([1.0, 2.0, 3.0])
    >>> print(*difference_words(Difference("", got, expected, got != expected)), sep="\\n")
    2 of 3 numbers differ. The first one is at [1]: expected 2, got 5.
    The largest difference is 3, at [1].
    """
    if not found.has_shape:
        shapes = (
            f"shape {shape_text(found.got.shape)} instead of {shape_text(found.expected.shape)}"
        )
        return [f"{_what(found)} has {shapes}."]
    places = np.argwhere(found.wrong)
    first = tuple(places[0])
    count = "The number is wrong" if found.got.size == 1 else _count(found, first)
    lines = [
        f"{count}: expected {_number(found.expected[first])}, got {_number(found.got[first])}."
    ]
    return [*lines, *_largest(found), *_where(places, found.wrong)] if len(places) > 1 else lines


def _what(found: Difference) -> str:
    return f"The result {found.name}" if found.name else "The result"


def _count(found: Difference, first: tuple[int, ...]) -> str:
    of = f" of {found.name}" if found.name else ""
    wrong, size = int(found.wrong.sum()), found.wrong.size
    if wrong == 1:
        return f"1 of {size:,} numbers{of} differs, at {_place(first)}"
    return f"{wrong:,} of {size:,} numbers{of} differ. The first one is at {_place(first)}"


def _where(places: np.ndarray, wrong: np.ndarray) -> list[str]:
    """Return that all wrong numbers share an index, or that the first part is right."""
    for axis, length in enumerate(wrong.shape):
        shared = set(places[:, axis])
        if len(shared) == 1 and length > 1:
            index = [*[":"] * axis, str(shared.pop()), *[":"] * (wrong.ndim - axis - 1)]
            return [f"All of them are in [{', '.join(index)}]; the rest is right."]
    if wrong.ndim > 1 and len(wrong) > 1 and not wrong[0].any():
        return ["All numbers in [0] are right."]
    return []


def _place(index: Sequence[int]) -> str:
    """Return an index as a student would write it.

    >>> _place((0, 2, 3))
    '[0, 2, 3]'
    """
    return str([int(i) for i in index])


def _largest(found: Difference) -> list[str]:
    """Return the largest difference; nothing if there is one that is not finite."""
    apart = np.abs(found.got.astype(np.float64) - found.expected.astype(np.float64))
    if not np.isfinite(apart).all():
        return []
    index = np.unravel_index(apart.argmax(), apart.shape)
    place = _place([int(i) for i in index])
    return [f"The largest difference is {_number(apart[index])}, at {place}."]


def _number(value: np.number) -> str:
    return f"{value:.7g}"
