"""The values of an ONNX graph, each with the order in which its axes really lie.

ONNX has images as (N, C, H, W), minicnn as (N, H, W, C). A `Value` answers with ONNX's axes, the
logical ones, while its data may lie in another order. So a transposition in the graph moves
nothing, and the axes are brought into a certain order only where an operator needs it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minicnn import ops
from minicnn.layers import Flatten, Reshape

Order = tuple[int, ...]
Shape = tuple[Any, ...]  # None is the batch, or a length that may differ from batch to batch


class Value:
    """An array that is known, or a tensor of the network that is being built.

    Parameters
    ----------
    data : numpy array or symbolic tensor
    order : which logical axis lies at each place of `data`; default: they lie in their order
    """

    def __init__(self, data: Any, order: Order | None = None) -> None:
        self._data = np.asarray(data) if isinstance(data, (np.ndarray, np.generic)) else data
        self.order: Order = tuple(range(len(self._data.shape))) if order is None else tuple(order)

    @property
    def data(self) -> Any:
        """The array or tensor, with its axes as they lie."""
        return self._data

    @property
    def known(self) -> bool:
        """Whether the values are known before the network runs."""
        return isinstance(self._data, np.ndarray)

    @property
    def is_sizes(self) -> bool:
        """Whether it holds sizes of which one is that of the batch."""
        return self.known and bool(self.data.dtype == object)

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self.order)

    @property
    def shape(self) -> Shape:
        """The lengths of the logical axes."""
        lengths = dict(zip(self.order, self.data.shape, strict=True))
        return tuple(lengths[axis] for axis in range(self.rank))

    @property
    def dtype(self) -> str:
        """The name of the dtype."""
        return str(np.dtype(self.data.dtype).name)

    def place(self, axis: int) -> int:
        """Return where a logical axis lies."""
        return self.order.index(axis)

    def in_order(self, order: Order) -> Any:
        """Return the data with the logical axes in this order."""
        if tuple(order) == self.order:
            return self.data
        return arranged(self.data, tuple(self.place(axis) for axis in order))

    def logical(self) -> Any:
        """Return the data with the axes in ONNX's order."""
        return self.in_order(tuple(range(self.rank)))

    def channels_last(self) -> Any:
        """Return the data with logical axis 1 in the last place: (N, H, W, C) for images."""
        return self.in_order(channels_last(self.rank))

    def with_data(self, data: Any) -> Value:
        """Return another value whose axes lie in the same order."""
        return Value(data, self.order)

    def __repr__(self) -> str:
        return f"<Value {self.shape} {self.dtype} order {self.order}>"


class FlatValue(Value):
    """The values of a tensor in one row per sample, in ONNX's order, not yet brought into it.

    A matrix of weights that follows is permuted instead; see `permutation`.
    """

    def __init__(self, source: Value) -> None:
        self.source = source
        self.order = (0, 1)
        self._made: Any = None

    @property
    def data(self) -> Any:
        """The tensor with its values brought into ONNX's order, which costs a transposition."""
        if self._made is None:
            self._made = flattened(self.source.logical())
        return self._made

    @property
    def known(self) -> bool:
        """Whether the values are known before the network runs."""
        return self.source.known

    @property
    def shape(self) -> Shape:
        """The logical lengths."""
        lengths = self.source.shape
        return lengths[0], math.prod(lengths[1:])

    @property
    def dtype(self) -> str:
        """The name of the dtype."""
        return self.source.dtype

    def as_it_lies(self) -> Any:
        """Return (N, features) with the features in the order in which they lie."""
        return flattened(self.source.data)

    def permutation(self) -> np.ndarray:
        """Return the logical number of each feature of `as_it_lies`."""
        lengths = self.source.shape[1:]
        numbers = np.arange(math.prod(lengths)).reshape(lengths)
        return numbers.transpose([axis - 1 for axis in self.source.order[1:]]).ravel()

    def with_data(self, data: Any) -> Value:
        """Return a value with other data in ONNX's order."""
        return Value(data)


def channels_last(rank: int) -> Order:
    """Return the order (0, 2, 3, ..., 1); that of two axes or fewer stays."""
    return tuple(range(rank)) if rank < 3 else (0, *range(2, rank), 1)


def arranged(data: Any, axes: Order) -> Any:
    """Return the data with its axes in another order."""
    if isinstance(data, np.ndarray):
        turned = data.transpose(axes)
        return turned if is_fill(data) else np.ascontiguousarray(turned)
    shape = data.shape
    long = [axis for axis in axes if shape[axis] != 1]
    if long == sorted(long) and None not in shape[1:]:  # only axes of length 1 move
        return reshaped(data, tuple(shape[axis] for axis in axes))
    return ops.transpose(data, list(axes))


# Bytes of an array that repeats one value, and of all layers that get such arrays as weights: the
# networks in the package onnx come so, without their weights. It takes no memory before a layer
# has it.
MOST_FILLED = 1 << 30


def is_fill(array: np.ndarray) -> bool:
    """Return whether an array is one value that is repeated, without memory of its own."""
    return array.size > 1 and not any(array.strides)


def reshaped(data: Any, shape: Shape) -> Any:
    """Return the data in another shape; None is the batch."""
    target = tuple(-1 if n is None else int(n) for n in shape)
    if isinstance(data, np.ndarray):
        return data.reshape(target)
    if tuple(data.shape) == tuple(shape):
        return data
    if data.shape[0] is None and target.count(-1) == 1 and target[0] == -1:  # samples stay samples
        return Flatten()(data) if len(target) == 2 else Reshape(target[1:])(data)
    return ops.reshape(data, list(target))


def flattened(data: Any) -> Any:
    """Return the values of each sample in one row."""
    return reshaped(data, (data.shape[0], math.prod(data.shape[1:])))


def aligned(*values: Value) -> tuple[list[Any], Order]:
    """Return data that NumPy's rules broadcast as ONNX does, and the order of the result's axes."""
    rank = max(value.rank for value in values)
    leading = [v for v in values if v.rank == rank]
    # A tensor of the network decides: what is known is rearranged while the file is read.
    chosen = next((v for v in leading if not v.known), leading[0])
    return [_in_rank(value, rank, chosen.order) for value in values], chosen.order


def _in_rank(value: Value, rank: int, order: Order) -> Any:
    if value.rank == rank:
        return value.in_order(order)
    if value.rank == 0:
        return value.data
    data = value.logical()
    new = (1,) * (rank - value.rank)
    if isinstance(data, np.ndarray):
        return arranged(data.reshape(new + data.shape), order)
    return arranged(ops.expand_dims(data, list(range(len(new)))), order)


def without_axes(order: Order, axes: tuple[int, ...]) -> Order:
    """Return the order of the axes that are left, numbered anew.

    >>> without_axes((0, 2, 3, 1), (2, 3))
    (0, 1)
    """
    left = sorted(set(order) - set(axes))
    return tuple(left.index(axis) for axis in order if axis not in axes)
