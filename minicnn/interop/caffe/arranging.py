"""Caffe's layers that move values: Concat, Slice, Flatten, Reshape, Crop, Permute, Tile, ArgMax."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

from minicnn import ops
from minicnn.interop.caffe.item import Item
from minicnn.interop.caffe.values import Value, flat, of_plain
from minicnn.layers import Concatenate, Flatten, Permute, Reshape
from minicnn.shapes import MAX_INT32


def concat(item: Item, values: list[Value]) -> list[Value]:
    """Return the inputs joined along an axis, by default the channels."""
    p = item.concat_param
    axis = p.concat_dim if p.HasField("concat_dim") else p.axis
    values = [value.settled() for value in values]
    if len(values) == 1:
        return values
    place, first = values[0].axis(axis), values[0].shape
    at = axis % (len(first) + 1) - 1
    others = {value.shape[:at] + value.shape[at + 1 :] for value in values}
    if len(others) > 1 or any(len(value.shape) != len(first) for value in values):
        item.refuse(f"joins inputs that do not fit: {[value.shape for value in values]}")
    last = place == len(first)
    layer = Concatenate(-1 if last else place, name=item.name)
    length = sum(value.shape[at] for value in values)
    shape = (*first[:at], length, *first[at + 1 :])
    return [Value(layer([value.tensor for value in values]), shape)]


def slices(item: Item, values: list[Value]) -> list[Value]:
    """Return the parts of the input along an axis, by default the channels."""
    p, value, count = item.slice_param, values[0].settled(), len(item.layer.top)
    axis = p.slice_dim if p.HasField("slice_dim") else p.axis
    place, at = value.axis(axis), axis % (len(value.shape) + 1) - 1
    length = value.shape[at]
    points = list(p.slice_point) or [length // count * i for i in range(1, count)]
    ends = [0, *points, length]
    fits = len(points) == count - 1 and all(a < b for a, b in pairwise(ends))
    if not fits or (not p.slice_point and length % count):
        item.refuse(f"cuts {length} values into {count} parts at {points}, which does not fit")
    return [_part(value, place, at, start, end) for start, end in pairwise(ends)]


def _part(value: Value, place: int, at: int, start: int, end: int) -> Value:
    key = tuple(slice(start, end) if i == place else slice(None)
                for i in range(len(value.shape) + 1))  # fmt: skip
    shape = (*value.shape[:at], end - start, *value.shape[at + 1 :])
    return Value(value.tensor[key], shape)


def crop(item: Item, values: list[Value]) -> list[Value]:
    """Return the part of the first input that has the size of the second from an axis on."""
    p, value, wanted = item.crop_param, values[0].settled(), values[1]
    if len(wanted.shape) != len(value.shape):
        item.refuse(f"crops {value.shape} to {wanted.shape}, which has other axes")
    first = p.axis % (len(value.shape) + 1)
    axes = range(first, len(value.shape) + 1)
    offsets = list(p.offset) or [0]
    offsets = offsets * len(axes) if len(offsets) == 1 else offsets
    if first == 0 or len(offsets) != len(axes):
        item.refuse(f"has {len(offsets)} offsets for {len(axes)} axes from axis {p.axis} on")
    for axis, start in zip(axes, offsets, strict=True):
        end = start + wanted.shape[axis - 1]
        if end > value.shape[axis - 1]:
            item.refuse(f"crops {start}...{end} of {value.shape[axis - 1]} values of axis {axis}")
        if end - start < value.shape[axis - 1]:
            value = _part(value, value.axis(axis), axis - 1, start, end)
    return [value]


def flatten(item: Item, values: list[Value]) -> list[Value]:
    """Return the axes from one to another, by default all but the batch, as one."""
    p, value = item.flatten_param, values[0]
    rank = len(value.shape) + 1
    first, last = p.axis % rank, p.end_axis % rank
    if first == 1 and last == rank - 1:
        return [flat(value)]
    if not 1 <= first <= last:
        item.refuse(f"flattens from axis {p.axis} to {p.end_axis}, which is not supported")
    middle = math.prod(value.shape[first - 1 : last])
    return [_reshaped(value, (*value.shape[: first - 1], middle, *value.shape[last:]))]


def reshape(item: Item, values: list[Value]) -> list[Value]:
    """Return the values in another shape: 0 keeps an axis, and -1 is what is left."""
    p, value = item.reshape_param, values[0]
    rank = len(value.shape) + 1
    start = p.axis % rank if p.axis >= 0 else p.axis % (rank + 1)
    end = rank if p.num_axes == -1 else start + p.num_axes
    given = list(p.shape.dim)
    if start == 0:
        if not given or given[0] != 0:
            item.refuse(f"changes the batch to {given[:1]}; its first dim must be 0")
        start, given = 1, given[1:]
    if end > rank or end < start:
        item.refuse(f"reshapes the axes {start}...{end} of {rank}")
    return [_reshaped(value, _filled(item, value, given, start, end))]


def _filled(item: Item, value: Value, given: list[int], start: int, end: int) -> tuple[int, ...]:
    """Return the whole shape with its axes start...end replaced, 0 and -1 worked out."""
    old = value.shape
    middle = []
    for i, n in enumerate(given):
        if n < -1 or n > MAX_INT32 or (n == 0 and start - 1 + i >= len(old)):
            item.refuse(f"has the dim {n}, which does not fit {old}")
        middle.append(old[start - 1 + i] if n == 0 else n)
    total = math.prod(old[start - 1 : end - 1])
    known = math.prod(n for n in middle if n != -1)
    if middle.count(-1) > 1 or known == 0 or total % known:
        item.refuse(f"cannot give {old} the dims {given}")
    middle = [total // known if n == -1 else n for n in middle]
    if math.prod(middle) != total:
        item.refuse(f"gives {total} values the dims {given}, which have {math.prod(middle)}")
    return (*old[: start - 1], *middle, *old[end - 1 :])


def _reshaped(value: Value, shape: tuple[int, ...]) -> Value:
    if shape == value.shape:
        return value
    if math.prod(shape) == shape[0] == math.prod(value.shape) and len(shape) == 1:
        return flat(value)
    return of_plain(Reshape(shape)(value.plain()), shape)


def permute(item: Item, values: list[Value]) -> list[Value]:
    """Return the axes in another order; the batch stays the first."""
    value, order = values[0], list(item.permute_param.order)
    rank = len(value.shape) + 1
    order += [axis for axis in range(rank) if axis not in order]
    if order[0] != 0 or sorted(order) != list(range(rank)):
        item.refuse(f"has the order {order}; 0 must be first, and each axis there once")
    shape = tuple(value.shape[axis - 1] for axis in order[1:])
    return [of_plain(Permute(order[1:])(value.plain()), shape)]


def tile(item: Item, values: list[Value]) -> list[Value]:
    """Return the input several times along an axis."""
    p, value = item.tile_param, values[0].settled()
    place, at = value.axis(p.axis), p.axis % (len(value.shape) + 1) - 1
    if not 1 <= p.tiles <= 1000:
        item.refuse(f"repeats its input {p.tiles} times; 1 to 1000 are supported")
    shape = (*value.shape[:at], value.shape[at] * p.tiles, *value.shape[at + 1 :])
    if p.tiles == 1:
        return [value]
    return [Value(Concatenate(place, name=item.name)([value.tensor] * p.tiles), shape)]


def arg_max(item: Item, values: list[Value]) -> list[Value]:
    """Return the number of the largest value along an axis, or of each sample, as float32."""
    p, value = item.argmax_param, values[0]
    if p.top_k != 1 or p.out_max_val:
        item.refuse("gives several numbers, or the largest value; only the number is supported")
    if p.HasField("axis"):
        value = value.settled()
        at = p.axis % (len(value.shape) + 1) - 1
        found: Any = ops.argmax(value.tensor, value.axis(p.axis), keepdims=True)
        shape = (*value.shape[:at], 1, *value.shape[at + 1 :])
        return [Value(ops.cast(found, "float32"), shape)]
    found = ops.argmax(Value(value.plain(), value.shape).tensor if len(value.shape) == 1
                       else Flatten()(value.plain()), 1, keepdims=True)  # fmt: skip
    return [Value(Reshape((1, 1))(ops.cast(found, "float32")), (1, 1))]


def reduction(item: Item, values: list[Value]) -> list[Value]:
    """Return the sum or mean of the values, their absolutes or squares, of all axes from one on."""
    p, value = item.reduction_param, values[0].settled()
    first = p.axis % (len(value.shape) + 1)
    if first in (0, 1):
        item.refuse(f"reduces from axis {p.axis} on; only axes after the channels are supported")
    axes: tuple[int, ...] = tuple(map(value.axis, range(first, len(value.shape) + 1)))
    x = value.tensor
    if value.is_image and first == 3:
        x, axes = value.plain(), (3,)
    x = ops.abs(x) if p.operation == 2 else ops.square(x) if p.operation == 3 else x
    y = (ops.mean if p.operation == 4 else ops.sum)(x, axes)
    y = y if p.coeff == 1 else y * p.coeff
    return [Value(y, value.shape[: first - 1])]
