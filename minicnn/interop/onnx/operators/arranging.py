"""Operators that move, repeat, join and cut: they follow the axes wherever they lie."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn import ops
from minicnn.interop.onnx.batch import lengths
from minicnn.interop.onnx.nodes import Node
from minicnn.interop.onnx.operators.registry import operator
from minicnn.interop.onnx.values import Value, aligned, reshaped, without_axes
from minicnn.layers import Concatenate


@operator("Transpose")
def transpose(node: Node, x: Value) -> Value:
    """Return the value with other names for its axes; nothing is moved."""
    perm = node.integers("perm", list(range(x.rank))[::-1])
    if sorted(perm) != list(range(x.rank)):
        raise node.refused(f"perm {perm} of a tensor with {x.rank} axes")
    return Value(x.data, tuple(perm.index(axis) for axis in x.order))


def _axes(node: Node, given: Value | None, rank: int) -> list[int] | None:
    """Return the axes that an attribute, or from opset 13 on an input, names."""
    axes = node.numbers(given, "axes")
    if axes is None and node.has("axes"):
        axes = node.integers("axes")
    if axes is None:
        return None
    found = [node.axis(axis, rank) for axis in axes]
    if len(set(found)) < len(found):
        raise node.refused(f"axes {axes} name an axis twice")
    return found


@operator("Squeeze")
def squeeze(node: Node, x: Value, axes: Value | None = None) -> Value:
    """Return the value without these axes of length 1, or without all of them."""
    named = _axes(node, axes, x.rank)
    if named is None:
        named = [axis for axis, n in enumerate(x.shape) if n == 1]
    if any(x.shape[axis] != 1 for axis in named):
        raise node.refused(f"axes {named} of a tensor {x.shape}, which must have length 1")
    kept = tuple(axis for axis in x.order if axis not in named)
    shape = x.shape
    data = reshaped(x.data, tuple(shape[axis] for axis in kept))
    return Value(data, without_axes(x.order, tuple(named)))


@operator("Unsqueeze")
def unsqueeze(node: Node, x: Value, axes: Value | None = None) -> Value:
    """Return the value with new axes of length 1 at these places of the result."""
    given = node.numbers(axes, "axes") if axes is not None else node.integers("axes")
    rank = x.rank + len(given or ())
    new = [node.axis(axis, rank) for axis in given or ()]
    if len(set(new)) < len(new):
        raise node.refused(f"axes {given} name an axis twice")
    old = [axis for axis in range(rank) if axis not in new]
    data = reshaped(x.data, (*x.data.shape, *[1] * len(new)))
    return Value(data, (*(old[axis] for axis in x.order), *new))


@operator("Concat")
def concat(node: Node, *values: Value) -> Value:
    """Return the values one after the other along an axis."""
    ranks = {value.rank for value in values}
    if len(ranks) != 1:
        raise node.refused(f"tensors of {sorted(ranks)} axes")
    axis = node.axis(node.integer("axis", 1 if node.opset < 4 else None), ranks.pop())
    data, order = aligned(*values)
    place = order.index(axis)
    if all(value.known for value in values):
        node.limit((sum(one.size for one in data),), 8)
        return Value(np.concatenate(data, place), order)
    if place == 0:
        raise node.refused("it joins batches of images; samples are independent here")
    if len(values) > 1 and not any(value.known for value in values):
        return Value(node.layer(Concatenate, place)(data), order)
    return Value(ops.concatenate(data, place), order)


@operator("Split")
def split(node: Node, x: Value, sizes: Value | None = None) -> list[Value]:
    """Return parts along an axis, of the given lengths or of equal ones."""
    axis = node.axis(node.integer("axis", 0), x.rank)
    place, length = x.place(axis), x.shape[axis]
    given = node.numbers(sizes, "the lengths")
    if given is None and node.has("split"):
        given = node.integers("split")
    if length is None:
        raise node.refused("it divides a batch of images; samples are independent here")
    parts = given if given is not None else _equal(node, length)
    if sum(parts) != length or min(parts, default=0) < 0:
        raise node.refused(f"parts of lengths {parts} for an axis of {length}")
    ends = np.cumsum(parts)[:-1].tolist()
    if x.known:
        return [x.with_data(part) for part in np.split(x.data, ends, place)]
    return [x.with_data(part) for part in ops.split(x.data, ends, place)]


def _equal(node: Node, length: int) -> list[int]:
    count = node.integer("num_outputs", len(node.outputs))
    if count != len(node.outputs) or count < 1:
        raise node.refused(f"{count} parts for {len(node.outputs)} outputs")
    size = -(-length // count)
    return [max(min(size, length - i * size), 0) for i in range(count)]


@operator("Slice")
def slice_(
    node: Node,
    x: Value,
    starts: Value | None = None,
    ends: Value | None = None,
    axes: Value | None = None,
    steps: Value | None = None,
) -> Value:
    """Return a part of the value, as Python's slices choose it."""
    if node.opset < 10:
        first, last = node.integers("starts"), node.integers("ends")
        along, by = node.integers("axes", list(range(len(first)))), [1] * len(first)
    else:
        first, last = node.numbers(starts, "starts") or [], node.numbers(ends, "ends") or []
        along = node.numbers(axes, "axes") or list(range(len(first)))
        by = node.numbers(steps, "steps") or [1] * len(first)
    keys = [slice(None)] * x.rank
    for axis, begin, end, step in zip(along, first, last, by, strict=True):
        number = node.axis(axis, x.rank)
        if step == 0:
            raise node.refused("a step of 0")
        if x.shape[number] is None and ((begin, step) != (0, 1) or end < WITHOUT_END):
            raise node.refused("it chooses images of a batch; samples are independent here")
        if x.shape[number] is not None:
            keys[x.place(number)] = slice(*_ends(begin, end, step, x.shape[number]))
    if x.known:
        return x.with_data(x.data[tuple(keys)])
    return x.with_data(ops.get_item(x.data, tuple(keys)))


WITHOUT_END = 2**31 - 1  # what exporters write for a slice that goes to the end


def _ends(begin: int, end: int, step: int, length: int) -> tuple[int, int | None, int]:
    """Return a slice that does not count from behind, with None for an end before the first."""
    first, last, step = slice(begin, end, step).indices(length)
    return first, None if last < 0 else last, step


@operator("Pad")
def pad(
    node: Node,
    x: Value,
    pads: Value | None = None,
    value: Value | None = None,
    axes: Value | None = None,
) -> Value:
    """Return the value with a border; negative numbers cut off instead."""
    if node.opset < 11:
        given = node.integers("pads" if node.has("pads") else "paddings")
        fill = node.number("value", 0.0)
    else:
        given = node.numbers(pads, "pads") or []
        number = node.numbers(value, "the value")
        fill = number[0] if number else 0
    along = node.numbers(axes, "axes")
    along = list(range(x.rank)) if along is None else [node.axis(one, x.rank) for one in along]
    if len(given) != 2 * len(along):
        raise node.refused(f"{len(given)} numbers for {len(along)} axes")
    widths = [(0, 0)] * x.rank
    for i, axis in enumerate(along):
        widths[x.place(axis)] = int(given[i]), int(given[i + len(along)])
    if x.shape[0] is None and any(widths[x.place(0)]):
        raise node.refused("it adds images to a batch")
    return x.with_data(_bordered(node, x.data, widths, fill))


def _bordered(node: Node, data: Any, widths: list[tuple[int, int]], fill: Any) -> Any:
    mode = node.text("mode", "constant")
    if any(n < 0 for pair in widths for n in pair):
        data = _cropped(data, widths)
        widths = [(max(before, 0), max(after, 0)) for before, after in widths]
    if isinstance(data, np.ndarray):
        node.limit([n + sum(pair) for n, pair in zip(data.shape, widths, strict=True)], 8)
        options = {"constant_values": fill} if mode == "constant" else {}
        return np.pad(data, widths, mode, **options)  # type: ignore[call-overload]
    if mode == "constant":
        return ops.pad(data, widths, "constant", float(fill))
    if mode != "wrap":
        return ops.pad(data, widths, mode)
    for axis, pair in enumerate(widths):
        if any(pair):
            data = ops.take(data, np.pad(np.arange(data.shape[axis]), pair, "wrap"), axis)
    return data


def _cropped(data: Any, widths: list[tuple[int, int]]) -> Any:
    keys = [slice(max(-before, 0), min(after, 0) or None) for before, after in widths]
    return data[tuple(keys)] if isinstance(data, np.ndarray) else ops.get_item(data, tuple(keys))


@operator("Expand")
def expand(node: Node, x: Value, shape: Value) -> Value:
    """Return the values repeated to a shape, which NumPy's rules make of both."""
    wanted: list[Any] = lengths(node.constant(shape, "the shape"))
    if x.known and None not in wanted:
        full = np.broadcast_shapes(x.shape, tuple(wanted))
        node.limit(full, 8)
        return Value(np.broadcast_to(x.logical(), full))
    if x.known or len(wanted) > x.rank:
        raise node.refused(f"{x.shape} cannot be repeated to {wanted} in a network")
    wanted = [1] * (x.rank - len(wanted)) + wanted
    whole = [m if n in (1, None) else n for n, m in zip(wanted, x.shape, strict=True)]
    if whole[0] not in (None, node.context.batch):
        raise node.refused(f"a shape {wanted}, which fixes the number of images in a batch")
    whole[0] = x.shape[0]
    target = [-1 if whole[axis] is None else whole[axis] for axis in x.order]
    return x.with_data(ops.broadcast_to(x.data, target))


@operator("Tile")
def tile(node: Node, x: Value, repeats: Value, axis: Value | None = None) -> Value:
    """Return the value repeated so many times along each axis."""
    times = node.numbers(repeats, "repeats") or []
    if node.opset < 6:
        along = node.numbers(axis, "axis") or [0]
        times = [times[0] if i == along[0] else 1 for i in range(x.rank)]
    if len(times) != x.rank or min(times, default=0) < 0:
        raise node.refused(f"repeats {times} for {x.rank} axes")
    times = [times[axis] for axis in x.order]
    if x.known:
        node.limit([n * k for n, k in zip(x.data.shape, times, strict=True)], 8)
        return x.with_data(np.tile(x.data, times))
    if times[x.place(0)] != 1:
        raise node.refused("it repeats a batch of images")
    return x.with_data(ops.tile(x.data, times))


@operator("ReverseSequence", "ScatterND", "ScatterElements", "NonZero", "Unique", same_dtype=False)
def not_in_a_network(node: Node, *values: Value | None) -> Value:
    """Refuse operators whose results have sizes that only the values tell, or that write."""
    raise node.refused("minicnn has no such operation")
