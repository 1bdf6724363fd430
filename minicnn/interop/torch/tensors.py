"""Tensors of PyTorch before their values are read: where they lie in which storage."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from minicnn.shapes import MAX_INT32, is_int

# The classes of storages: the dtype of their values, as stored.
STORAGES = {
    "FloatStorage": "<f4", "DoubleStorage": "<f8", "HalfStorage": "<f2", "BFloat16Storage": "<u2",
    "LongStorage": "<i8", "IntStorage": "<i4", "ShortStorage": "<i2", "CharStorage": "<i1",
    "ByteStorage": "<u1", "BoolStorage": "?",
}  # fmt: skip
MAX_AXES = 32


class Storage(NamedTuple):
    """A run of numbers in the file: its class in PyTorch, its key and its length."""

    kind: str
    key: str
    size: int

    @property
    def dtype(self) -> np.dtype:
        """The dtype of the numbers in the file."""
        return np.dtype(STORAGES[self.kind])


class Tensor(NamedTuple):
    """A tensor: from which number of which storage on, its shape, and its steps."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def array(self, values: np.ndarray) -> np.ndarray:
        """Return the values of the tensor, a copy, from those of its storage.

        bfloat16 becomes float32, which has all of its values.
        """
        steps = tuple(step * values.itemsize for step in self.strides)
        view = np.lib.stride_tricks.as_strided(values[self.offset :], self.shape, steps)
        array = np.array(view, order="C")
        if self.storage.kind == "BFloat16Storage":
            return (array.astype(np.uint32) << 16).view(np.float32)
        return array


def tensor(arguments: tuple[Any, ...]) -> Tensor:
    """Return the tensor that `_rebuild_tensor_v2` is asked for; ValueError if it is impossible."""
    storage, offset, shape, strides = arguments[:4]
    if not isinstance(storage, Storage) or not _are_lengths((offset,)):
        raise ValueError("a tensor has no storage, or does not say where it begins")
    if not _are_lengths(shape) or not _are_lengths(strides) or len(shape) != len(strides):
        raise ValueError("the shape or the strides of a tensor are not tuples of integers >= 0")
    if len(shape) > MAX_AXES or math.prod(shape) > storage.size:
        raise ValueError(f"a tensor of shape {shape} is larger than its storage, {storage.size:,}")
    last = offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    if math.prod(shape) and last >= storage.size:
        raise ValueError(f"a tensor reaches number {last:,} of a storage of {storage.size:,}")
    return Tensor(storage, offset, shape, strides)


def _are_lengths(values: Any) -> bool:
    return isinstance(values, tuple) and all(is_int(n) and 0 <= n <= MAX_INT32 for n in values)
