"""Values by their numbers: tables of vectors, the largest values, classes as vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn import ops
from minicnn.interop.onnx.nodes import Node
from minicnn.interop.onnx.operators.registry import operator
from minicnn.interop.onnx.values import Value


@operator("Gather")
def gather(node: Node, x: Value, indices: Value) -> Value:
    """Return the parts of x with these numbers along an axis."""
    axis = node.axis(node.integer("axis", 0), x.rank)
    if x.shape[axis] is None:
        raise node.refused("it chooses images of a batch; samples are independent here")
    if x.known and indices.known:
        node.limit((*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]), 8)
        return Value(np.take(x.logical(), _counted(node, indices.logical(), x.shape[axis]), axis))
    data, numbers = x.logical(), indices.logical()
    if indices.known:
        numbers = _counted(node, numbers, x.shape[axis])
        return Value(ops.take(data, numbers.astype(np.int32), axis))
    if not x.known or axis:
        raise node.refused("computed numbers choose from a table, along its first axis")
    numbers = ops.cast(numbers, "int32")
    return Value(ops.take(np.asarray(data, np.float32), numbers, 0))


def _counted(node: Node, numbers: np.ndarray, length: int) -> np.ndarray:
    """Return numbers that do not count from behind."""
    if np.any((numbers < -length) | (numbers >= length)):
        raise node.refused(f"a number outside of {length} values")
    return np.where(numbers < 0, numbers + length, numbers).astype(np.int64)


@operator("GatherElements")
def gather_elements(node: Node, x: Value, indices: Value) -> Value:
    """Return, for each place of `indices`, the value of x with that number along an axis."""
    axis = node.axis(node.integer("axis", 0), x.rank)
    if x.known and indices.known:
        numbers = _counted(node, indices.logical(), x.shape[axis])
        return Value(np.take_along_axis(x.logical(), numbers, axis))
    return Value(ops.take_along_axis(x.logical(), indices.logical(), axis))


@operator("OneHot", same_dtype=False)
def one_hot(node: Node, indices: Value, depth: Value, values: Value) -> Value:
    """Return one value at the class of each integer, and the other one elsewhere."""
    classes = int((node.numbers(depth, "depth") or [0])[0])
    off, on = node.numbers(values, "the values") or [0, 1]
    axis = node.axis(node.integer("axis", -1), indices.rank + 1)
    if indices.known:
        node.limit((*indices.shape, classes), 8)
    numbers = indices.logical()
    if not indices.known:
        numbers = ops.cast(numbers, "int32")
    hot = ops.one_hot(ops.mod(numbers, classes), classes, axis)
    if indices.known:
        inside = (numbers >= -classes) & (numbers < classes)
        hot = np.asarray(hot) * np.expand_dims(inside, axis)
        return Value(np.where(hot > 0, on, off).astype(values.dtype))
    return Value(ops.add(ops.multiply(hot, float(on - off)), float(off)))


@operator("TopK")
def top_k(node: Node, x: Value, k: Value | None = None) -> list[Value]:
    """Return the k largest, or smallest, values along an axis and their places."""
    count = node.integer("k") if node.opset < 10 else int((node.numbers(k, "k") or [0])[0])
    axis = node.axis(node.integer("axis", -1), x.rank)
    data = node.constant(x, "the input")
    if not 0 <= count <= data.shape[axis]:
        raise node.refused(f"{count} of {data.shape[axis]} values")
    largest = bool(node.integer("largest", 1))
    places = _ordered(data, axis, largest=largest)
    places = np.take(places, np.arange(count), axis)
    return [Value(np.take_along_axis(data, places, axis)), Value(places)]


def _ordered(data: np.ndarray, axis: int, *, largest: bool) -> np.ndarray:
    """Return the places of the values in order; among equal ones the first place is first."""
    if not largest:
        return np.argsort(data, axis, kind="stable")
    turned = np.flip(data, axis)
    places = np.flip(np.argsort(turned, axis, kind="stable"), axis)
    return np.asarray(data.shape[axis] - 1 - places)


@operator("Trilu")
def trilu(node: Node, x: Value, k: Value | None = None) -> Value:
    """Return the upper or the lower triangle of matrices, with zeros elsewhere."""
    offset = int((node.numbers(k, "k") or [0])[0])
    rows, columns = x.shape[-2:]
    mask = np.tri(rows, columns, offset - 1 if node.integer("upper", 1) else offset, bool)
    mask = ~mask if node.integer("upper", 1) else mask
    data: Any = x.logical()
    if x.known:
        return Value(np.where(mask, data, np.zeros((), data.dtype)))
    return Value(ops.multiply(data, mask.astype(np.float32)))
