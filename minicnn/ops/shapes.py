"""Axes and shapes of tensors: the same values with other axes, repeated, or joined."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn.checks import check_int, quoted, shape_text
from minicnn.errors import ArgumentError, ShapeError
from minicnn.layers.functions import tensor_function
from minicnn.layers.tracing import apply_operation
from minicnn.operations.arrange import CONCATENATE_ANY, PAD, TRANSPOSE
from minicnn.ops.operands import (
    axes_of,
    axis_of,
    broadcast_one,
    cast_to,
    dtype_of,
    elementwise,
    is_float,
    reshaped,
    tensor,
)
from minicnn.shapes import is_int


@tensor_function
def reshape(x: Any, newshape: Any) -> Any:
    """Return the same values in the same order, with other axes.

    One length may be -1, which is computed from the others. None as the first one is the batch's.

    >>> import minicnn as mc
    >>> mc.ops.reshape([[1, 2], [3, 4]], (-1,)).tolist()
    [1, 2, 3, 4]
    """
    x = tensor(x)
    return reshaped(x, _completed(newshape, tuple(x.shape)))


def _completed(newshape: Any, old: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape with its -1, or None, replaced."""
    lengths = [newshape] if is_int(newshape) else list(newshape)
    if lengths and lengths[0] is None and old:
        lengths[0] = old[0] if lengths.count(-1) or lengths.count(None) > 1 else -1
    lengths = [-1 if n is None else n for n in lengths]
    if not all(is_int(n) and n >= -1 for n in lengths) or lengths.count(-1) > 1:
        raise ArgumentError(f"newshape must be integers, one of them -1; got {quoted(newshape)}")
    known, count = math.prod(n for n in lengths if n != -1), math.prod(old)
    shape = tuple(int(n) if n != -1 else count // max(known, 1) for n in lengths)
    if math.prod(shape) != count:
        raise ShapeError(
            f"a shape {shape_text(lengths)} does not hold the {count} values of {shape_text(old)}"
        )
    return shape


def ravel(x: Any) -> Any:
    """Return all values in one axis."""
    return reshape(x, (-1,))


@tensor_function
def expand_dims(x: Any, axis: Any) -> Any:
    """Return the tensor with a new axis of length 1, or several, at these places of the result."""
    x = tensor(x)
    new = [axis] if is_int(axis) else list(axis)
    rank = len(x.shape) + len(new)
    places = axes_of(new, rank)
    lengths = iter(x.shape)
    return reshaped(x, tuple(1 if i in places else next(lengths) for i in range(rank)))


@tensor_function
def squeeze(x: Any, axis: Any = None) -> Any:
    """Return the tensor without these axes of length 1; without all of them if `axis` is None."""
    x = tensor(x)
    if axis is None:
        return reshaped(x, tuple(n for n in x.shape if n != 1))
    places = axes_of(axis, len(x.shape))
    for i in places:
        if x.shape[i] != 1:
            raise ShapeError(f"axis {i} has length {x.shape[i]}; only one of length 1 can be left")
    return reshaped(x, tuple(n for i, n in enumerate(x.shape) if i not in places))


@tensor_function
def transpose(x: Any, axes: Any = None) -> Any:
    """Return the tensor with its axes in another order; reversed if `axes` is None.

    >>> import minicnn as mc
    >>> mc.ops.transpose([[1, 2], [3, 4]]).tolist()
    [[1, 3], [2, 4]]
    """
    x = tensor(x)
    rank = len(x.shape)
    order = tuple(range(rank))[::-1] if axes is None else tuple(axis_of(i, rank) for i in axes)
    if sorted(order) != list(range(rank)):
        raise ArgumentError(f"axes must name each of the {rank} axes once; got {quoted(axes)}")
    return _permuted(x, order)


def _permuted(x: Any, order: tuple[int, ...]) -> Any:
    """Return the tensor with its axes in this order; a reshape if only axes of length 1 move."""
    long = [i for i in order if x.shape[i] != 1]
    if long == sorted(long):
        return reshaped(x, tuple(x.shape[i] for i in order))
    return apply_operation(TRANSPOSE, x, axes=order)


@tensor_function
def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    """Return the tensor with the axes `source` at the places `destination`."""
    x = tensor(x)
    rank = len(x.shape)
    sources = [axis_of(i, rank) for i in ([source] if is_int(source) else source)]
    places = [axis_of(i, rank) for i in ([destination] if is_int(destination) else destination)]
    if len(sources) != len(places):
        raise ArgumentError("source and destination must name equally many axes")
    order = [i for i in range(rank) if i not in sources]
    for place, axis in sorted(zip(places, sources, strict=True)):
        order.insert(place, axis)
    return _permuted(x, tuple(order))


@tensor_function
def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Return the tensor with two axes in each other's places."""
    x = tensor(x)
    order = list(range(len(x.shape)))
    i, j = axis_of(axis1, len(order)), axis_of(axis2, len(order))
    order[i], order[j] = j, i
    return _permuted(x, tuple(order))


@tensor_function
def broadcast_to(x: Any, shape: Any) -> Any:
    """Return the values repeated along axes of length 1, and along new axes in front."""
    x, lengths = tensor(x), tuple(shape)
    rank = len(lengths)
    old = (1,) * (rank - len(x.shape)) + tuple(x.shape)
    full = tuple(m if n in (-1, None) else n for n, m in zip(lengths, old[-rank:], strict=True))
    if len(old) > rank or any(m not in (1, n) for n, m in zip(full, old, strict=True)):
        raise ShapeError(f"{shape_text(x.shape)} cannot be repeated to {shape_text(lengths)}")
    return broadcast_one(x, full)


@tensor_function
def repeat(x: Any, repeats: Any, axis: Any = None) -> Any:
    """Return every value `repeats` times in a row along an axis; of all values if it is None.

    >>> import minicnn as mc
    >>> mc.ops.repeat([[1, 2]], 2, axis=1).tolist()
    [[1, 1, 2, 2]]
    """
    x = tensor(x)
    x, axis = (x, axis_of(axis, len(x.shape))) if axis is not None else (ravel(x), 0)
    if not is_int(repeats):
        raise ArgumentError(f"repeats must be one integer; got {quoted(repeats)}")
    times, shape = check_int(repeats, "repeats", 0), tuple(x.shape)
    single = reshaped(x, (*shape[: axis + 1], 1, *shape[axis + 1 :]))
    wide = broadcast_one(single, (*shape[: axis + 1], times, *shape[axis + 1 :]))
    return reshaped(wide, (*shape[:axis], shape[axis] * times, *shape[axis + 1 :]))


@tensor_function
def tile(x: Any, repeats: Any) -> Any:
    """Return the whole tensor, repeated so many times along each axis."""
    x = tensor(x)
    times = [check_int(n, "repeats", 0) for n in ([repeats] if is_int(repeats) else repeats)]
    rank = max(len(times), len(x.shape))
    times = [1] * (rank - len(times)) + times
    shape = (1,) * (rank - len(x.shape)) + tuple(x.shape)
    single = [length for n in shape for length in (1, n)]
    wide = [length for n, k in zip(shape, times, strict=True) for length in (k, n)]
    repeated = broadcast_one(reshaped(x, tuple(single)), tuple(wide))
    return reshaped(repeated, tuple(n * k for n, k in zip(shape, times, strict=True)))


@tensor_function
def concatenate(xs: Any, axis: int = 0) -> Any:
    """Return the tensors one after the other along an axis; their other lengths are equal.

    >>> import minicnn as mc
    >>> mc.ops.concatenate([[[1.0]], [[2.0]]], axis=-1).tolist()
    [[1.0, 2.0]]
    """
    tensors = _alike([tensor(x) for x in xs])
    axis = axis_of(axis, len(tensors[0].shape))
    others = {(*x.shape[:axis], *x.shape[axis + 1 :]) for x in tensors}
    if len(others) > 1:
        shapes = ", ".join(shape_text(x.shape) for x in tensors)
        raise ShapeError(f"tensors to concatenate may differ in axis {axis} only; got {shapes}")
    result = tensors[0]
    for x in tensors[1:]:
        result = _joined(result, x, axis)
    return result


def _alike(tensors: list[Any]) -> list[Any]:
    """Return the tensors in one dtype: that of floats, if there is one."""
    if not tensors:
        raise ArgumentError("at least one tensor is needed; got none")
    dtypes = {dtype_of(x) for x in tensors}
    if len(dtypes) == 1:
        return tensors
    dtype = "float32" if any(map(is_float, tensors)) else np.result_type(*dtypes).name
    return [cast_to(x, dtype) for x in tensors]


def _joined(a: Any, b: Any, axis: int) -> Any:
    """Return a, then b; integers and truth values are padded with zeros, and combined."""
    if is_float(a):
        return apply_operation(CONCATENATE_ANY, a, b, axis=axis)
    pads = [(0, 0)] * len(a.shape)
    left = apply_operation(PAD, a, pads=_at(pads, axis, (0, b.shape[axis])))
    right = apply_operation(PAD, b, pads=_at(pads, axis, (a.shape[axis], 0)))
    return elementwise("logical_or" if dtype_of(a) == "bool" else "add", left, right)


def _at(pads: list[tuple[int, int]], axis: int, pad: tuple[int, int]) -> tuple[Any, ...]:
    return (*pads[:axis], pad, *pads[axis + 1 :])


@tensor_function
def stack(x: Any, axis: int = 0) -> Any:
    """Return the tensors side by side along a new axis."""
    tensors = [tensor(one) for one in x]
    if len({tuple(one.shape) for one in tensors}) > 1:
        shapes = ", ".join(shape_text(one.shape) for one in tensors)
        raise ShapeError(f"tensors to stack must have the same shape; got {shapes}")
    return concatenate([expand_dims(one, axis) for one in tensors], axis)


@tensor_function
def hstack(xs: Any) -> Any:
    """Return the tensors one after the other along axis 1; along the only axis if there is one."""
    tensors = [tensor(x) for x in xs]
    return concatenate(tensors, 0 if len(tensors[0].shape) < 2 else 1)


@tensor_function
def vstack(xs: Any) -> Any:
    """Return the tensors one after the other along axis 0; tensors of one axis become rows."""
    tensors = [tensor(x) for x in xs]
    return concatenate([expand_dims(x, 0) if len(x.shape) < 2 else x for x in tensors], 0)


def shape(x: Any) -> tuple[int, ...]:
    """Return the lengths of the axes; None for one that is not known yet."""
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)


def ndim(x: Any) -> int:
    """Return the number of axes."""
    return len(shape(x))


def size(x: Any) -> int | None:
    """Return the number of values; None if it is not known yet."""
    lengths: Sequence[int | None] = shape(x)
    return None if None in lengths else math.prod(n for n in lengths if n is not None)
