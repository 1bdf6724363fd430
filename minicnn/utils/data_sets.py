"""Splitting data sets, and batches as x, y and weights."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minicnn import random
from minicnn.checks import quoted
from minicnn.data.dataset import Dataset
from minicnn.data.elements import as_element, picked, row_count, stacked
from minicnn.errors import ArgumentError, DTypeError

Size = int | float | None


def split_dataset(
    dataset: Any,
    left_size: Size = None,
    right_size: Size = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: str | None = None,
) -> tuple[Dataset, Dataset]:
    """Split a data set into its first elements and the others.

    Parameters
    ----------
    dataset : Dataset; an array, whose rows are the elements; a tuple of arrays with as many rows
        each; or a list of samples
    left_size, right_size : a number of elements, or a fraction of them; at least one is given
    shuffle : split the elements in a random order, by `seed` or that of `set_random_seed`
    preferred_backend : accepted if it is "tensorflow" or None; changes nothing

    Returns
    -------
    (Dataset, Dataset), both kept in memory

    Raises
    ------
    ArgumentError : the sizes do not fit, or a part would be empty

    Examples
    --------
    >>> left, right = split_dataset(np.arange(10), left_size=0.8)
    >>> len(left), [int(one) for one in right]
    (8, [8, 9])
    """
    if preferred_backend not in (None, "tensorflow"):
        raise ArgumentError(
            f"minicnn has one kind of data set; got {quoted(preferred_backend, 40)}"
        )
    rows = _rows_of(dataset)
    total = row_count(rows)
    left, right = _sizes(left_size, right_size, total)
    order = np.arange(total)
    if shuffle:
        order = random.generator("split dataset", seed=seed).permutation(total)
    parts = order[:left], order[total - right :] if left + right == total else order[left:][:right]
    first, second = (Dataset.from_tensor_slices(picked(rows, part)) for part in parts)
    return first, second


def _rows_of(dataset: Any) -> Any:
    """Return the elements of a data set as one element, with a row for each."""
    if isinstance(dataset, Dataset):
        elements = list(dataset)
        if not elements:
            raise ArgumentError("the data set has no elements")
        return stacked(elements)
    if isinstance(dataset, (np.ndarray, tuple)):
        return as_element(dataset)
    if isinstance(dataset, list) and dataset:
        if isinstance(dataset[0], np.ndarray) and len({np.shape(one) for one in dataset}) > 1:
            return as_element(tuple(dataset))
        return stacked([as_element(one) for one in dataset])
    raise DTypeError(
        f"split_dataset takes a Dataset, arrays or a list of samples; got {type(dataset).__name__}"
    )


def _sizes(left: Size, right: Size, total: int) -> tuple[int, int]:
    """Return the numbers of elements of both parts."""
    if left is None and right is None:
        raise ArgumentError("give left_size or right_size: a number of elements, or a fraction")
    a, b = _count(left, "left_size", total), _count(right, "right_size", total)
    a = total - b if a is None and b is not None else a
    b = total - a if b is None and a is not None else b
    if a is None or b is None or a < 1 or b < 1 or a + b > total:
        raise ArgumentError(
            f"of {total} elements the parts would have {a} and {b}; both need at least one, and "
            f"together no more than {total}"
        )
    return a, b


def _count(size: Size, name: str, total: int) -> int | None:
    if size is None:
        return None
    if isinstance(size, (bool, np.bool_)) or not isinstance(size, (int, float, np.number)):
        raise DTypeError(
            f"{name} must be a number of elements, or a fraction; got {quoted(size, 40)}"
        )
    if isinstance(size, (int, np.integer)):
        return int(size)
    if not 0 < size < 1 or math.isnan(size):
        raise ArgumentError(
            f"{name} must be a fraction above 0 and below 1; got {quoted(size, 40)}"
        )
    return round(size * total)


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """Return x, y and sample weights of a batch, None for what it lacks.

    >>> unpack_x_y_sample_weight((1, 2))
    (1, 2, None)
    """
    parts = tuple(data) if isinstance(data, (tuple, list)) else (data,)
    if not 1 <= len(parts) <= 3:
        raise ArgumentError(f"a batch is x, (x, y) or (x, y, weights); got {len(parts)} parts")
    x, y, weights = (*parts, None, None)[:3]
    return x, y, weights


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """Return x, (x, y) or (x, y, weights), without what is None.

    >>> pack_x_y_sample_weight(1, 2)
    (1, 2)
    """
    if y is None:
        return x if not isinstance(x, (tuple, list)) else (x,)
    return (x, y) if sample_weight is None else (x, y, sample_weight)
