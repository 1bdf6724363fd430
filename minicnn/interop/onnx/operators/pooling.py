"""Pooling: layers where Keras has the window, otherwise sums and extremes of shifted tensors."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn import ops
from minicnn.interop.onnx.nodes import Node
from minicnn.interop.onnx.operators.registry import operator
from minicnn.interop.onnx.operators.windows import (
    Window,
    kernel_shape,
    padding_of,
    results,
    window_of,
)
from minicnn.interop.onnx.values import Value, channels_last
from minicnn.layers import (
    AveragePooling1D,
    AveragePooling2D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    MaxPooling1D,
    MaxPooling2D,
)

MAX = {1: MaxPooling1D, 2: MaxPooling2D}
AVERAGE = {1: AveragePooling1D, 2: AveragePooling2D}
GLOBAL_MAX = {1: GlobalMaxPooling1D, 2: GlobalMaxPooling2D}
GLOBAL_AVERAGE = {1: GlobalAveragePooling1D, 2: GlobalAveragePooling2D}


@operator("MaxPool")
def max_pool(node: Node, x: Value) -> Any:
    """Return the largest value of each window, and its place if that is asked for."""
    window, ceil = _window(node, x), bool(node.integer("ceil_mode", 0))
    data = x.channels_last()
    if len(node.outputs) > 1 and node.outputs[1]:
        return _with_places(node, x, window, ceil=ceil)
    if _has_layer(x, window):
        y = _pooled(node, MAX, data, window, ceil=ceil)
    else:
        y = _over_windows(node, ops.maximum, data, window, _least(data), ceil=ceil)
    return Value(y, channels_last(x.rank))


@operator("AveragePool")
def average_pool(node: Node, x: Value) -> Value:
    """Return the mean of each window; `count_include_pad` counts the zeros of the padding."""
    window, ceil = _window(node, x), bool(node.integer("ceil_mode", 0))
    data, padded = x.channels_last(), bool(node.integer("count_include_pad", 0))
    zeros = window.pads != "same" and any(map(any, window.pads))
    if _has_layer(x, window) and not (padded and zeros):
        return Value(_pooled(node, AVERAGE, data, window, ceil=ceil), channels_last(x.rank))
    total = _over_windows(node, ops.add, data, window, 0.0, ceil=ceil)
    counts = _counts(window, data.shape[1:-1], padded=padded, ceil=ceil)
    return Value(ops.divide(total, counts), channels_last(x.rank))


@operator("LpPool")
def lp_pool(node: Node, x: Value) -> Value:
    """Return the p-norm of each window."""
    p, window = node.integer("p", 2), _window(node, x)
    powers = ops.power(ops.absolute(x.channels_last()), float(p))
    ceil = bool(node.integer("ceil_mode", 0))
    total = _over_windows(node, ops.add, powers, window, 0.0, ceil=ceil)
    return Value(ops.power(total, 1 / p), channels_last(x.rank))


def _window(node: Node, x: Value) -> Window:
    if x.rank < 3:
        raise node.refused(f"windows over a tensor {x.shape}")
    return window_of(node, kernel_shape(node, x.rank - 2), x.shape[2:])


def _has_layer(x: Value, window: Window) -> bool:
    """Return whether a layer of Keras does it: floats, 1 or 2 axes, no gaps, little padding."""
    if x.rank > 4 or max(window.dilations) > 1 or np.dtype(x.dtype).kind != "f":
        return False
    return window.pads == "same" or all(
        max(pads) < k for pads, k in zip(window.pads, window.size, strict=True)
    )


def _pooled(node: Node, layers: Any, x: Any, window: Window, *, ceil: bool) -> Any:
    padding = padding_of(window, x.shape[1:-1])
    if len(window.size) == 1:
        padding = padding if isinstance(padding, str) else ((0, 0), *padding)
        sizes = window.size[0], window.strides[0]
    else:
        sizes = tuple(window.size), tuple(window.strides)  # type: ignore[assignment]
    layer = node.layer(layers[len(window.size)], *sizes, padding=padding, ceil_mode=ceil)
    return layer(x)


def _least(x: Any) -> float:
    """Return what is never the largest value."""
    kind = np.dtype(x.dtype)
    if kind.kind in "iu":
        return float(np.iinfo(kind).min)
    return -np.inf if isinstance(x, np.ndarray) else float(np.finfo(np.float32).min)


def _over_windows(
    node: Node, function: Callable[[Any, Any], Any], x: Any, window: Window, fill: float, *,
    ceil: bool,
) -> Any:  # fmt: skip
    """Return a function of all cells of each window, computed along one axis after the other."""
    x, counts = _padded(node, x, window, fill, ceil=ceil)
    if sum(window.size) > MOST_CELLS:
        raise node.refused(f"a window of {window.size} cells")
    for axis, cells in enumerate(window.size):
        parts = [_seen(x, window, axis, i, counts[axis]) for i in range(cells)]
        x = functools.reduce(function, parts)
    return x


MOST_CELLS = 1024  # each makes a step of the network


def _padded(
    node: Node, x: Any, window: Window, fill: float, *, ceil: bool
) -> tuple[Any, list[int]]:
    """Return the images with all cells that windows see, and the number of windows."""
    image = x.shape[1:-1]
    if isinstance(window.pads, str) or None in image:
        raise node.refused("images of a known size are needed for this pooling")
    counts = results(window, image, ceil=ceil)
    if min(counts) < 1:
        raise node.refused(f"a window of {window.extent} does not fit an image of {image}")
    pads = [(0, 0), *_filled_pads(window, image, counts), (0, 0)]
    if isinstance(x, np.ndarray):
        node.limit([n + sum(pair) for n, pair in zip(x.shape, pads, strict=True)], 8)
        return np.pad(x, pads, constant_values=x.dtype.type(fill)), counts
    return ops.pad(x, pads, "constant", fill), counts


def _seen(x: Any, window: Window, axis: int, cell: int, count: int) -> Any:
    """Return what all windows see in their cell of this number along an axis."""
    first, stride = cell * window.dilations[axis], window.strides[axis]
    part = slice(first, first + (count - 1) * stride + 1, stride)
    return ops.get_item(x, (*[slice(None)] * (axis + 1), part))


def _parts(node: Node, x: Any, window: Window, fill: float, *, ceil: bool) -> list[Any]:
    """Return one tensor for each cell of the window: what all windows see there."""
    x, counts = _padded(node, x, window, fill, ceil=ceil)
    parts = []
    for cells in itertools.product(*map(range, window.size)):
        part = x
        for axis, cell in enumerate(cells):
            part = _seen(part, window, axis, cell, counts[axis])
        parts.append(part)
    return parts


def _filled_pads(window: Window, image: Any, counts: list[int]) -> list[tuple[int, int]]:
    """Return the padding that the last windows need."""
    pads = []
    for n, count, extent, stride, (before, after) in zip(
        image, counts, window.extent, window.strides, window.pads, strict=True
    ):
        pads.append((before, max(after, (count - 1) * stride + extent - n - before)))
    return pads


def _counts(window: Window, image: Any, *, padded: bool, ceil: bool) -> np.ndarray:
    """Return how many cells each window counts, with a last axis of length 1."""
    counts = results(window, image, ceil=ceil)
    total: Any = np.ones((), np.float32)
    for n, count, stride, gap, k, (before, after) in zip(
        image, counts, window.strides, window.dilations, window.size, window.pads, strict=True
    ):
        places = np.arange(count)[:, None] * stride + np.arange(k) * gap - before
        low, high = (-before, n + after) if padded else (0, n)
        inside = ((places >= low) & (places < high)).sum(1).astype(np.float32)
        total = total[..., None] * inside
    return np.asarray(np.maximum(total, 1)[..., None])


def _with_places(node: Node, x: Value, window: Window, *, ceil: bool) -> list[Value]:
    """Return the largest values, and their places in the whole tensor, as ONNX counts them."""
    data = x.channels_last()
    if not x.known:
        raise node.refused("the places of the largest values cannot be part of a network")
    numbers: Any = np.arange(data.size, dtype=np.int64).reshape(x.shape)
    if node.integer("storage_order", 0) and x.rank == 4:
        n, c, h, w = x.shape
        numbers = numbers.reshape(n, c, w, h).transpose(0, 1, 3, 2)
    places = Value(numbers).channels_last()
    values = _parts(node, data, window, _least(data), ceil=ceil)
    numbered = _parts(node, places, window, -1.0, ceil=ceil)
    best, at = values[0], numbered[0]
    for value, number in zip(values[1:], numbered[1:], strict=True):
        better = ops.logical_or(ops.greater(value, best), ops.less(at, 0))
        best, at = ops.where(better, value, best), np.where(better, number, at)
    order = channels_last(x.rank)
    return [Value(best, order), Value(np.asarray(at, np.int64), order)]


@operator("MaxUnpool")
def max_unpool(node: Node, x: Value, places: Value, shape: Value | None = None) -> Value:
    """Return a tensor of zeros with the values at their places."""
    values, at = node.constant(x, "the input"), node.constant(places, "the places")
    window = window_of(node, kernel_shape(node, x.rank - 2), x.shape[2:])
    sizes = [
        (n - 1) * stride + extent - before - after
        for n, stride, extent, (before, after) in zip(
            x.shape[2:], window.strides, window.extent, window.pads, strict=True
        )
    ]
    small = [*x.shape[:2], *sizes]
    wanted = node.numbers(shape, "the output's shape") or small
    node.limit(wanted, 8)
    if at.shape != values.shape or at.min(initial=0) < 0 or at.max(initial=-1) >= math.prod(small):
        raise node.refused("places outside of the output")
    y = np.zeros(wanted, values.dtype)
    where = np.unravel_index(at.ravel(), small)
    y[tuple(where)] = values.ravel()
    return Value(y)


GLOBAL: dict[str, tuple[Any, Callable[..., Any]]] = {
    "GlobalAveragePool": (GLOBAL_AVERAGE, ops.mean),
    "GlobalMaxPool": (GLOBAL_MAX, ops.max),
}


@operator(*GLOBAL)
def global_pool(node: Node, x: Value) -> Value:
    """Return one value for each channel: the mean, or the largest one."""
    layers, function = GLOBAL[node.op]
    data = x.channels_last()
    if x.rank in (3, 4):
        y = node.layer(layers[x.rank - 2], keepdims=True)(data)
    else:
        y = function(data, list(range(1, x.rank - 1)), True)
    return Value(y, channels_last(x.rank))


@operator("GlobalLpPool")
def global_lp_pool(node: Node, x: Value) -> Value:
    """Return the p-norm of each channel."""
    p, data = node.integer("p", 2), x.channels_last()
    powers = ops.power(ops.absolute(data), float(p))
    total = ops.sum(powers, list(range(1, x.rank - 1)), True)
    return Value(ops.power(total, 1 / p), channels_last(x.rank))
