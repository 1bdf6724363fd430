"""Sizes that are known up to the number of images in a batch.

An exported network may compute the shape of a reshape from the shape of a tensor, whose batch size
is not known. Such sizes are held in arrays of objects, with a `Batch` in the place of that number.
"""

from __future__ import annotations

from typing import Any

import numpy as np


class Batch:
    """The number of images in a batch, times an integer."""

    def __init__(self, factor: int = 1) -> None:
        self.factor = factor

    def __mul__(self, other: Any) -> Batch:
        return Batch(self.factor * int(other))

    __rmul__ = __mul__

    def __floordiv__(self, other: Any) -> Any:
        if isinstance(other, Batch):
            return self.factor // other.factor
        if self.factor % int(other):
            raise ValueError("the batch size cannot be divided")
        return Batch(self.factor // int(other))

    __truediv__ = __floordiv__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Batch) and other.factor == self.factor

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return "batch" if self.factor == 1 else f"{self.factor} * batch"


def sizes_of(shape: tuple[Any, ...]) -> np.ndarray:
    """Return a shape as ONNX has it, an array of int64; of objects if the batch is in it."""
    if None not in shape:
        return np.array(shape, np.int64)
    return objects([Batch() if n is None else int(n) for n in shape])


def objects(values: list[Any]) -> np.ndarray:
    """Return an array of objects, or of int64 if all of them are integers."""
    if not any(isinstance(one, Batch) for one in values):
        return np.array(values, np.int64)
    array = np.empty(len(values), object)
    array[:] = values
    return array


def settled(array: np.ndarray) -> np.ndarray:
    """Return an array of objects as int64 if no batch is left in it."""
    if array.dtype != object or any(isinstance(one, Batch) for one in array.flat):
        return array
    return array.astype(np.int64)


def lengths(array: np.ndarray) -> list[int | None]:
    """Return sizes as a list, with None for the batch.

    Raises
    ------
    ValueError : one is a multiple of the batch size
    """
    found: list[int | None] = []
    for one in np.atleast_1d(array).tolist():
        if isinstance(one, Batch) and one.factor != 1:
            raise ValueError(f"a length of {one} images; a network's samples are independent")
        found.append(None if isinstance(one, Batch) else int(one))
    return found
