"""What families work on, and what they answer with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from minicnn.apps.explorer.recording import Step
from minicnn.contracts import Shape

MINUS = "−"
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")  # of powers of ten
NOWHERE = -1  # the indices of a place in the padding

# The kinds of explanations.
SUM_OF_PRODUCTS, MAXIMUM, MEAN, FUNCTION = "sum_of_products", "maximum", "mean", "function"
NORMALIZATION, SOFTMAX, CROSS_ENTROPY = "normalization", "softmax", "cross_entropy"
COPY, SUM = "copy", "sum"


@dataclass(frozen=True)
class Applied:
    """One step of a pass with the arrays that it read and wrote, as the engine has them.

    `arrays` has what it reads, by the names of its contract, and its further results, such as the
    `argmax` of a pooling. Results of steps have a batch axis of length 1.
    """

    step: Step
    arrays: Mapping[str, np.ndarray]
    result: np.ndarray

    @property
    def attributes(self) -> dict[str, Any]:
        """The attributes of its kernels."""
        return self.step.attributes

    def image(self, name: str = "x") -> np.ndarray:
        """Return what it reads by this name without the batch axis."""
        return self.arrays[name][0]


class Terms(NamedTuple):
    """The rows of a sum: what was read, from where, times what; -1 is a place in the padding.

    Sums are made of `product`, which is float64; pages get float32.
    """

    input_place: np.ndarray  # (n, axes) of the input
    input: np.ndarray  # (n,)
    product: np.ndarray  # (n,) float64
    weight_place: np.ndarray | None = None  # (n, axes) of the parameter
    weight: np.ndarray | None = None  # (n,)
    reads: tuple[str, ...] = ("x",)  # the names of what was read
    of_read: np.ndarray | None = None  # (n,) which one of `reads` each row is from; None: the first

    @property
    def total(self) -> float:
        """The sum of the products."""
        return float(self.product.sum())


@dataclass(frozen=True)
class Explanation:
    """How a value was computed.

    `total` is the value in float64, from the same arrays; `details` are numbers for a formula and
    further fields of the answer, such as the window.
    """

    kind: str
    total: float
    text: str
    terms: Terms
    formula: dict[str, Any] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)


class Influence(NamedTuple):
    """Where a value goes: places of the step's result, and the derivative of each by the value."""

    places: np.ndarray  # (n, axes) of the result
    factors: np.ndarray  # (n,) float64
    other_place: np.ndarray | None = None  # (n, axes): of the factors, in what else was read
    text: str = "the derivative"  # what the factors are


class Family(NamedTuple):
    """The two questions that a family of operations answers."""

    explain: Callable[[Applied, Shape], Explanation]
    influence: Callable[[Applied, str, Shape], Influence]


def full(array: np.ndarray, place: Shape) -> Shape:
    """Return a place with the index of the batch, if it lacks that."""
    return place if len(place) == array.ndim else (0, *place)


def where(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the places at which an array is not 0, without the index of the batch; the values.

    >>> where(np.array([[0, 5, 7]]))
    (array([[1],
           [2]], dtype=int32), array([5, 7]))
    """
    found = np.flatnonzero(array)
    return places_at(found, array.shape), array.ravel()[found]


def places_at(numbers: np.ndarray, shape: Shape) -> np.ndarray:
    """Return the places of values by their numbers in memory, without the index of the batch."""
    if not shape:
        return np.zeros((len(numbers), 0), np.int32)
    rows = np.stack(np.unravel_index(numbers, shape), -1).astype(np.int32)
    return rows[:, 1:] if shape[0] == 1 else rows


def places(*columns: Any) -> np.ndarray:
    """Return columns of indices, or single indices, as rows: int32 (n, columns).

    >>> places(np.array([1, 2]), 7).tolist()
    [[1, 7], [2, 7]]
    """
    return np.stack(np.broadcast_arrays(*map(np.ravel, columns)), -1).astype(np.int32)


def shown(value: float) -> str:
    """Return a number as sentences have it, written as the page writes numbers.

    >>> shown(0.123456), shown(-2), shown(-1.2e-7)
    ('0.1235', '−2', '−1.2·10⁻⁷')
    """
    number, _, exponent = f"{float(value):.4g}".partition("e")
    power = f"·10{str(int(exponent)).translate(SUPERSCRIPTS)}" if exponent else ""
    return number.replace("-", MINUS) + power


def counted(count: int, what: str) -> str:
    """Return a number of things in words.

    >>> counted(1, "place"), counted(1250, "place")
    ('1 place', '1,250 places')
    """
    return f"{count:,} {what}{'' if count == 1 else 's'}"
