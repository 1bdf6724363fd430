"""Reshape and its relatives, which must count values in ONNX's order.

Where the axes lie in another order, only those that are merged with each other have to be brought
into ONNX's. If that is all of a sample's, as before a fully connected layer, the matrix of weights
is permuted instead.
"""

from __future__ import annotations

import math
from typing import Any

from minicnn import ops
from minicnn.interop.onnx.batch import lengths
from minicnn.interop.onnx.nodes import Node
from minicnn.interop.onnx.operators.registry import operator
from minicnn.interop.onnx.values import FlatValue, Order, Value, reshaped

Group = tuple[list[int], list[int]]  # old axes and the new ones that hold the same values


@operator("Reshape")
def reshape(node: Node, x: Value, shape: Value | None = None) -> Value:
    """Return the values in another shape; 0 copies a length, -1 is computed."""
    if shape is None:
        wanted: list[Any] = list(node.integers("shape"))
    else:
        wanted = lengths(node.constant(shape, "the shape"))
    if not node.integer("allowzero", 0):
        if any(n == 0 for n in wanted[x.rank :]):
            raise node.refused(f"a shape {wanted} copies an axis that {x.shape} does not have")
        wanted = [x.shape[i] if n == 0 else n for i, n in enumerate(wanted)]
    return in_shape(node, x, wanted)


@operator("Flatten")
def flatten(node: Node, x: Value) -> Value:
    """Return a matrix: the axes before `axis` are the rows, the others the columns."""
    axis = node.integer("axis", 1)
    if not -x.rank <= axis <= x.rank:
        raise node.refused(f"axis {axis} of a tensor with {x.rank} axes")
    axis = axis + x.rank if axis < 0 else axis
    if x.known:
        rows = math.prod(x.shape[:axis])
        return Value(x.logical().reshape(rows, math.prod(x.shape[axis:])))
    if axis == 1:
        return in_shape(node, x, [x.shape[0], math.prod(_known(node, x.shape[1:]))])
    if axis == 0:
        raise node.refused("it makes one row of a whole batch")
    return in_shape(node, x, [-1, math.prod(_known(node, x.shape[axis:]))])


def _known(node: Node, shape: tuple[Any, ...]) -> tuple[int, ...]:
    if None in shape:
        raise node.refused("images of a known size are needed to flatten them")
    return shape


def in_shape(node: Node, x: Value, wanted: list[Any]) -> Value:
    """Return the value in this logical shape, in which None is the batch."""
    if x.known:
        if None in wanted:
            raise node.refused("a constant cannot have the batch's length")
        return Value(x.logical().reshape(wanted))
    target = _completed(node, x.shape, wanted)
    if target is None:  # the batch is merged with another axis
        return Value(ops.reshape(x.logical(), [-1 if n is None else n for n in wanted]))
    if tuple(target) == x.shape:
        return x
    if x.order[0] != 0 or None in x.shape[1:]:
        return Value(reshaped(x.logical(), tuple(target)))
    return _regrouped(x, target)


def _completed(node: Node, shape: tuple[Any, ...], wanted: list[Any]) -> list[Any] | None:
    """Return the shape without -1, with None for the batch; None if the batch is not kept."""
    if not wanted or wanted.count(-1) > 1 or None in wanted[1:]:
        raise node.refused(f"a shape {wanted} for a tensor {shape}")
    if None in shape[1:]:
        if tuple(wanted) == shape:
            return wanted
        if [n for n in wanted if n is None] and wanted.count(None) + wanted.count(-1) == 1:
            return wanted
        raise node.refused("images of a known size are needed to reshape them")
    first, rest = wanted[0], list(wanted[1:])
    count = math.prod(shape[1:])
    if -1 in rest:
        others = math.prod(n for n in rest if n != -1)
        if others and count % others == 0:
            rest[rest.index(-1)] = count // others
    same = math.prod(rest) == count
    if same and first in (None, -1, shape[0], node.context.batch):
        return [None, *rest]
    if first not in (None, -1) and not same:
        raise node.refused(
            f"a shape {wanted} for {shape}, which fixes the number of images in a batch"
        )
    if first in (None, -1) and -1 not in rest:
        return None
    raise node.refused(f"a shape {wanted} for a tensor {shape}")


def _regrouped(x: Value, target: list[Any]) -> Value:
    groups = _groups(list(x.shape), target)
    by_place = sorted(groups, key=lambda group: _first_place(x, group[0]))
    order = tuple(axis for old, _ in by_place for axis in old)
    if len(target) == 2 and not _lies_so(x, order):
        return FlatValue(x)
    new_order = tuple(axis for _, new in by_place for axis in new)
    data = x.data if _lies_so(x, order) else x.in_order(order)
    data = reshaped(data, tuple(target[axis] for axis in new_order))
    return Value(data, new_order)


def _first_place(x: Value, axes: list[int]) -> int:
    long = [axis for axis in axes if x.shape[axis] != 1] or axes
    return min(x.place(axis) for axis in long)


def _lies_so(x: Value, order: Order) -> bool:
    """Return whether the axes lie in this order, up to those of length 1."""
    shape = x.shape
    return [a for a in x.order if shape[a] != 1] == [a for a in order if shape[a] != 1]


def _groups(old: list[Any], new: list[Any]) -> list[Group]:
    """Return which axes of the old shape hold the same values as which of the new one.

    >>> _groups([None, 6, 5, 5], [None, 2, 3, 25])
    [([0], [0]), ([1], [1, 2]), ([2, 3], [3])]
    """
    groups: list[Group] = [([0], [0])]
    i = j = 1
    while i < len(old) and j < len(new):
        first, second = [i], [j]
        a, b, i, j = old[i], new[j], i + 1, j + 1
        while a != b:
            if a < b:
                first.append(i)
                a, i = a * old[i], i + 1
            else:
                second.append(j)
                b, j = b * new[j], j + 1
        groups.append((first, second))
    groups[-1][0].extend(range(i, len(old)))  # what is left has length 1
    groups[-1][1].extend(range(j, len(new)))
    return groups


@operator("DepthToSpace", "SpaceToDepth")
def depth_to_space(node: Node, x: Value) -> Value:
    """Return images whose pixels are made of channels, or whose channels are made of pixels."""
    size, columns_first = node.integer("blocksize"), node.text("mode", "DCR") == "CRD"
    data = x.channels_last()
    if x.rank != 4 or size < 1 or None in data.shape[1:]:
        raise node.refused(f"blocks of {size} in a tensor {x.shape}")
    n, rows, columns, channels = data.shape
    if node.op == "DepthToSpace":
        left, wrong = channels // size**2, channels % size**2
        inner = (left, size, size) if columns_first else (size, size, left)
        axes = (0, 1, 4, 2, 5, 3) if columns_first else (0, 1, 3, 2, 4, 5)
        split = (n, rows, columns, *inner)
        shape = (n, rows * size, columns * size, left)
    else:
        wrong = rows % size or columns % size
        axes = (0, 1, 3, 5, 2, 4) if columns_first else (0, 1, 3, 2, 4, 5)
        split = (n, rows // size, size, columns // size, size, channels)
        shape = (n, rows // size, columns // size, channels * size**2)
    if wrong:
        raise node.refused(f"blocks of {size} in a tensor {x.shape}")
    moved = ops.transpose(reshaped(data, split), list(axes))
    return Value(reshaped(moved, shape), (0, 2, 3, 1))
