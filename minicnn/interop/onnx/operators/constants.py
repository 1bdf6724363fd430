"""Constants, shapes, dtypes, and what does nothing at inference."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn import ops
from minicnn.errors import SizeLimitError
from minicnn.interop.onnx.batch import Batch, lengths, objects, sizes_of
from minicnn.interop.onnx.nodes import Node
from minicnn.interop.onnx.operators.elementwise import each
from minicnn.interop.onnx.operators.registry import operator
from minicnn.interop.onnx.tensors import numpy_dtype
from minicnn.interop.onnx.values import MOST_FILLED, Value
from minicnn.layers import Dropout


@operator("Constant", same_dtype=False)
def constant(node: Node) -> Value:
    """Return the array or the numbers of an attribute."""
    for name, dtype in (
        ("value", None),
        ("value_float", np.float32),
        ("value_floats", np.float32),
        ("value_int", np.int64),
        ("value_ints", np.int64),
    ):
        if node.has(name):
            return Value(np.asarray(node.attributes[name], dtype))
    raise node.refused("only arrays and numbers can be constants")


@operator("ConstantOfShape", same_dtype=False)
def constant_of_shape(node: Node, shape: Value) -> Value:
    """Return an array of one value."""
    wanted: list[Any] = lengths(node.constant(shape, "the shape"))
    value = np.asarray(node.attributes.get("value", np.zeros(1, np.float32)))
    if None in wanted or min(wanted, default=0) < 0 or value.size != 1:
        raise node.refused(f"an array of shape {wanted}, filled with {value.size} values")
    if math.prod(wanted) * value.itemsize > MOST_FILLED:
        raise SizeLimitError(f"an array of more than {MOST_FILLED >> 30} GiB that repeats a value")
    # Without memory of its own: whoever uses it makes a copy, or reads the one value.
    return Value(np.broadcast_to(value.reshape(()), wanted))


@operator("Shape", same_dtype=False)
def shape(node: Node, x: Value) -> Value:
    """Return the lengths of the axes, or of some of them."""
    first, last, _ = slice(node.integer("start", 0), _end(node), 1).indices(x.rank)
    part = x.shape[first : max(last, first)]
    if None in part[1 if first == 0 else 0 :]:
        raise node.refused("images of a known size are needed")
    return Value(sizes_of(part))


def _end(node: Node) -> int | None:
    return node.integer("end") if node.has("end") else None


@operator("Size", same_dtype=False)
def size(node: Node, x: Value) -> Value:
    """Return the number of values."""
    if not x.known:
        raise node.refused("it counts the values of a batch")
    return Value(np.asarray(x.data.size, np.int64))


@operator("Range", same_dtype=False)
def range_(node: Node, start: Value, limit: Value, delta: Value) -> Value:
    """Return numbers in equal steps."""
    first, last, step = (node.constant(v, "the ends") for v in (start, limit, delta))
    first, last, step = (one.reshape(()) for one in (first, last, step))
    count = max(int(np.ceil((last - first) / step)), 0) if step else -1
    if count < 0:
        raise node.refused("a step of 0")
    node.limit((count,), 8)
    return Value((first + np.arange(count) * step).astype(first.dtype))


@operator("EyeLike", same_dtype=False)
def eye_like(node: Node, x: Value) -> Value:
    """Return a matrix with ones on a diagonal."""
    if x.rank != 2 or None in x.shape:
        raise node.refused(f"a matrix like a tensor {x.shape}")
    node.limit(x.shape, 8)
    dtype = numpy_dtype(node.integer("dtype"), node.path) if node.has("dtype") else x.dtype
    rows, columns = x.shape
    return Value(np.eye(rows, columns, k=node.integer("k", 0), dtype=dtype))


@operator("Identity", "StopGradient")
def identity(node: Node, x: Any) -> Any:
    """Return the value, which may be a list of arrays, or None."""
    return [x]


@operator("Cast", same_dtype=False)
def cast(node: Node, x: Value) -> Value:
    """Return the values in another dtype; a network has float32, int32, uint8 and bool."""
    if node.integer("to") == BFLOAT16 and not node.context.building:
        raise node.refused("NumPy has no bfloat16")
    return _in_dtype(node, x, numpy_dtype(node.integer("to"), node.path))


@operator("CastLike", same_dtype=False)
def cast_like(node: Node, x: Value, target: Value) -> Value:
    """Return the values in the dtype of another value."""
    return _in_dtype(node, x, np.dtype(target.dtype))


BFLOAT16 = 16  # which a network computes in float32
IN_NETWORKS = {
    "float16": "float32", "float32": "float32", "float64": "float32",
    "int8": "int32", "int16": "int32", "int32": "int32", "int64": "int32",
    "uint8": "uint8", "uint16": "int32", "uint32": "int32", "uint64": "int32",
    "bool": "bool",
}  # fmt: skip


def _in_dtype(node: Node, x: Value, dtype: np.dtype) -> Value:
    if x.known:
        with np.errstate(invalid="ignore", over="ignore"):
            return x.with_data(x.data.astype(dtype))
    wanted = IN_NETWORKS[dtype.name]
    return x if x.dtype == wanted else each(lambda t: ops.cast(t, wanted), x)


@operator("Dropout")
def dropout(
    node: Node, x: Value, ratio: Value | None = None, training: Value | None = None
) -> list[Value]:
    """Return x; training of the network sets a fraction of the values to 0."""
    rate = node.number("ratio", 0.5) if node.opset < 12 else _number(node, ratio, 0.5)
    if x.known and training is not None and bool(_number(node, training, 0.0)) and rate:
        return _dropped(node, x, rate)
    mask = Value(np.ones(x.shape, bool)) if x.known else None
    if x.known or not 0 <= rate < 1:
        return [x, mask] if mask is not None else [x]
    return [each(node.layer(Dropout, rate), x)]


def _number(node: Node, value: Value | None, default: float) -> float:
    found = node.numbers(value, "an argument")
    return float(found[0]) if found else default


def _dropped(node: Node, x: Value, rate: float) -> list[Value]:
    """Return what training would do, with NumPy's numbers for the seed of the file."""
    data = x.data
    seed = node.attributes.get("seed")
    if not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise node.refused("training_mode is set, but no seed")
    drawn = np.random.RandomState(seed).uniform(0, 1.0, data.shape)
    mask = drawn >= rate
    return [Value(mask * data / (1 - rate)), Value(mask)]


def sizes_operator(node: Node, values: list[Value]) -> Value:
    """Compute with sizes of which one is the batch's, which no array of numbers can hold."""
    if node.op not in ON_SIZES:
        raise node.refused("it computes with the number of images in a batch")
    result = ON_SIZES[node.op](node, *(value.logical() for value in values))
    flat = objects(list(np.atleast_1d(result).ravel()))
    return Value(flat.reshape(np.shape(result)))


def _gather(node: Node, x: np.ndarray, indices: np.ndarray) -> Any:
    return np.take(x, indices.astype(np.int64), 0)


def _slice(node: Node, x: np.ndarray, *arguments: np.ndarray) -> Any:
    if node.opset < 10:
        return x[node.integers("starts")[0] : node.integers("ends")[0]]
    step = int(arguments[3][0]) if len(arguments) > 3 else 1
    return x[int(arguments[0].flat[0]) : int(arguments[1].flat[0]) : step]


def _concat(node: Node, *parts: np.ndarray) -> Any:
    return np.concatenate([part.astype(object) for part in parts])


def _product(node: Node, a: np.ndarray, b: np.ndarray) -> Any:
    return _integers(a) * _integers(b)


def _quotient(node: Node, a: np.ndarray, b: np.ndarray) -> Any:
    return _integers(a) // _integers(b)


def _integers(a: np.ndarray) -> np.ndarray:
    return np.array([n if isinstance(n, Batch) else int(n) for n in a.flat], object).reshape(
        a.shape
    )


def _equal(node: Node, a: np.ndarray, b: np.ndarray) -> Any:
    return np.array([bool(p == q) for p, q in np.broadcast(a, b)], bool)


ON_SIZES: dict[str, Callable[..., Any]] = {
    "Cast": lambda node, x: x,
    "Concat": _concat,
    "Div": _quotient,
    "Equal": _equal,
    "Gather": _gather,
    "Identity": lambda node, x: x,
    "Mul": _product,
    "Reshape": lambda node, x, shape: x.reshape(shape.astype(np.int64)),
    "Slice": _slice,
    "Squeeze": lambda node, x, *axes: x.reshape(()) if x.size == 1 else x,
    "Unsqueeze": lambda node, x, *axes: x.reshape(1) if x.ndim == 0 else x,
    "Where": lambda node, c, a, b: np.where(c, a.astype(object), b.astype(object)),
}
