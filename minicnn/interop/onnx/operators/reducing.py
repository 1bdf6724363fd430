"""Sums, means, extremes and norms along axes, and where the extremes are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn import ops
from minicnn.interop.onnx.nodes import Node
from minicnn.interop.onnx.operators.registry import operator
from minicnn.interop.onnx.values import Value, without_axes


def _l1(x: Any, axes: Any, keep: Any) -> Any:
    return ops.sum(ops.absolute(x), axes, keep)


def _l2(x: Any, axes: Any, keep: Any) -> Any:
    return ops.sqrt(ops.sum(ops.square(x), axes, keep))


def _log_sum(x: Any, axes: Any, keep: Any) -> Any:
    return ops.log(ops.sum(x, axes, keep))


def _sum_square(x: Any, axes: Any, keep: Any) -> Any:
    return ops.sum(ops.square(x), axes, keep)


REDUCTIONS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "ReduceL1": _l1,
    "ReduceL2": _l2,
    "ReduceLogSum": _log_sum,
    "ReduceLogSumExp": ops.logsumexp,
    "ReduceMax": ops.max,
    "ReduceMean": ops.mean,
    "ReduceMin": ops.min,
    "ReduceProd": ops.prod,
    "ReduceSum": ops.sum,
    "ReduceSumSquare": _sum_square,
}
# Of an empty set of values; of others it is what their formula gives.
OF_NOTHING = {"ReduceMax": -np.inf, "ReduceMin": np.inf, "ReduceProd": 1}


@operator(*REDUCTIONS)
def reduce(node: Node, x: Value, axes: Value | None = None) -> Value:
    """Return a sum, mean, extreme or norm along axes."""
    given = node.numbers(axes, "axes")
    if given is None and node.has("axes"):
        given = node.integers("axes")
    if not given and node.integer("noop_with_empty_axes", 0):
        return x
    named = sorted({node.axis(axis, x.rank) for axis in given or range(x.rank)})
    if not x.known and x.shape[0] is None and 0 in named:
        raise node.refused("it sums over a batch of images; samples are independent here")
    places, keep = sorted(x.place(axis) for axis in named), bool(node.integer("keepdims", 1))
    y = _reduced(node.op, x.data, places, keep)
    return x.with_data(y) if keep else Value(y, without_axes(x.order, tuple(named)))


def _reduced(op: str, data: Any, places: list[int], keep: bool) -> Any:
    empty = isinstance(data, np.ndarray) and any(data.shape[place] == 0 for place in places)
    if empty and op in OF_NOTHING:
        shape = [1 if i in places else n for i, n in enumerate(data.shape)]
        shape = [n for i, n in enumerate(shape) if keep or i not in places]
        return np.full(shape, _nothing(op, data.dtype), data.dtype)
    return REDUCTIONS[op](data, places, keep)


def _nothing(op: str, dtype: np.dtype) -> Any:
    value = OF_NOTHING[op]
    if dtype.kind == "b":
        return value > 0
    if dtype.kind in "iu" and not np.isfinite(value):
        return np.iinfo(dtype).min if value < 0 else np.iinfo(dtype).max
    return value


@operator("ArgMax", "ArgMin", same_dtype=False)
def arg_extreme(node: Node, x: Value) -> Value:
    """Return the first place of the extreme along an axis, or the last one."""
    axis, keep = node.axis(node.integer("axis", 0), x.rank), bool(node.integer("keepdims", 1))
    if x.shape[axis] is None:
        raise node.refused("it compares the images of a batch")
    place, last = x.place(axis), bool(node.integer("select_last_index", 0))
    function = ops.argmax if node.op == "ArgMax" else ops.argmin
    data = ops.flip(x.data, [place]) if last else x.data
    y = function(data, place, keep)
    if last:
        y = ops.subtract(x.shape[axis] - 1, y)
    y = y.astype(np.int64) if isinstance(y, np.ndarray) else y
    return x.with_data(y) if keep else Value(y, without_axes(x.order, (axis,)))


@operator("CumSum")
def cumsum(node: Node, x: Value, axis: Value) -> Value:
    """Return the sums of all values up to each place along an axis."""
    numbers = node.numbers(axis, "the axis") or [0]
    place = x.place(node.axis(numbers[0], x.rank))
    backwards, data = bool(node.integer("reverse", 0)), x.data
    data = ops.flip(data, [place]) if backwards else data
    y = ops.cumsum(data, place)
    y = ops.subtract(y, data) if node.integer("exclusive", 0) else y
    return x.with_data(ops.flip(y, [place]) if backwards else y)
