"""The elements of data sets: arrays, and tuples and dicts of arrays, to any depth."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from minicnn.checks import quoted, shape_text
from minicnn.errors import DTypeError, ShapeError
from minicnn.support.arrays import Array, as_result
from minicnn.support.structures import leaves, replaced

# What Python's own numbers become, as in TensorFlow; arrays of NumPy keep their dtype.
NARROWED = {np.dtype(np.float64): np.float32, np.dtype(np.int64): np.int32}


class TensorSpec(NamedTuple):
    """The shape and dtype of an array of a data set's elements; None is a size that differs."""

    shape: tuple[int | None, ...]
    dtype: np.dtype

    def __repr__(self) -> str:
        return f"TensorSpec(shape={self.shape}, dtype={self.dtype.name})"


def as_element(value: Any) -> Any:
    """Return arrays, numbers, lists of numbers and strings as Arrays; tuples and dicts keep theirs.

    >>> as_element((1, {"x": [0.5, 1.5]}))
    (Array(1, dtype=int32), {'x': Array([0.5, 1.5], dtype=float32)})
    """
    if type(value) is Array:
        return value
    if isinstance(value, dict):
        return {key: as_element(one) for key, one in value.items()}
    if isinstance(value, tuple):
        elements = [as_element(one) for one in value]
        return type(value)(*elements) if hasattr(value, "_fields") else tuple(elements)
    if isinstance(value, (np.ndarray, np.generic)):
        return as_result(value)
    array = _as_array(value)
    narrow = isinstance(value, (list, int, float))
    return as_result(array.astype(NARROWED.get(array.dtype, array.dtype)) if narrow else array)


def _as_array(value: Any) -> np.ndarray:
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ShapeError(
            "a list in an element of a data set must be an array: its rows differ in length. A "
            "tuple keeps its parts apart"
        ) from error
    if array.dtype == object:
        raise DTypeError(
            "elements of a data set are arrays, numbers, strings, and tuples and dicts of these; "
            f"got {type(value).__name__}"
        )
    return array


def arrays_of(element: Any) -> list[np.ndarray]:
    """Return the arrays of an element, in order."""
    return list(leaves(element, np.ndarray))


def transformed(element: Any, function: Callable[[Any], Any]) -> Any:
    """Return the element with function(array) in place of each array, as an Array."""
    return replaced(element, np.ndarray, lambda array: as_result(function(array)))


def picked(element: Any, which: Any) -> Any:
    """Return array[which] for each array of an element: a row, or several."""
    return transformed(element, lambda array: array[which])


def row_count(element: Any) -> int:
    """Return how many rows all arrays of an element have.

    Raises
    ------
    ShapeError : there is no array, one is a single number, or they differ
    """
    arrays = arrays_of(element)
    counts = {len(array) if array.ndim else None for array in arrays}
    if len(counts) != 1 or None in counts:
        shapes = ", ".join(shape_text(array.shape) for array in arrays)
        raise ShapeError(
            f"the arrays are cut into rows, so all need the same number of them; got {shapes}"
        )
    return counts.pop()  # type: ignore[return-value]


def stacked(elements: Sequence[Any]) -> Any:
    """Return elements of the same structure as one, whose arrays have them as rows."""
    first = elements[0]
    columns = zip(*(arrays_of(one) for one in elements), strict=True)
    try:
        rows = iter([np.stack(column) for column in columns])
    except ValueError as error:
        shapes = sorted({shape_text(array.shape) for one in elements for array in arrays_of(one)})
        raise ShapeError(
            "the elements of a batch must have the same structure and shapes; got "
            f"{', '.join(shapes[:4])}. Bring them to one shape with map, or use batch_size 1"
        ) from error
    return transformed(first, lambda _: next(rows))


def spec_of(element: Any, *, batched: bool) -> Any:
    """Return the TensorSpec of each array; the number of rows is None if they are batches."""

    def spec(array: np.ndarray) -> TensorSpec:
        shape: tuple[int | None, ...] = array.shape
        return TensorSpec((None, *shape[1:]) if batched and shape else shape, array.dtype)

    return replaced(element, np.ndarray, spec)


def called(function: Callable[..., Any], element: Any) -> Any:
    """Return function(*element) for a tuple, else function(element), as an element."""
    return as_element(function(*element) if type(element) is tuple else function(element))


def as_count(value: Any, name: str) -> int:
    """Return an integer that may also be an array of one, such as another data set's cardinality.

    Raises
    ------
    DTypeError : it is something else
    """
    try:
        return operator.index(value)
    except TypeError as error:
        raise DTypeError(f"{name} must be an integer; got {quoted(value)}") from error
