"""Operators that compute each value by itself: functions, sums and products, comparisons."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn import ops
from minicnn.interop.onnx.nodes import Node, filled
from minicnn.interop.onnx.operators.registry import operator
from minicnn.interop.onnx.values import FlatValue, Value, aligned, reshaped
from minicnn.layers import Activation, Add, BatchNormalization, Multiply, PReLU

UNARY: dict[str, Callable[[Any], Any]] = {
    "Ceil": ops.ceil,
    "Cos": ops.cos,
    "Erf": ops.erf,
    "Exp": ops.exp,
    "Floor": ops.floor,
    "HardSwish": ops.hard_swish,
    "Log": ops.log,
    "Mish": ops.mish,
    "Reciprocal": ops.reciprocal,
    "Relu": ops.relu,
    "Round": ops.round,
    "Sigmoid": ops.sigmoid,
    "Sign": ops.sign,
    "Sin": ops.sin,
    "Softplus": ops.softplus,
    "Softsign": ops.softsign,
    "Sqrt": ops.sqrt,
    "Tan": ops.tan,
    "Tanh": ops.tanh,
}


def each(function: Callable[[Any], Any], x: Value) -> Value:
    """Return function(x) of each value; the axes, and a pending reordering, stay as they are."""
    if isinstance(x, FlatValue):
        return FlatValue(each(function, x.source))
    return x.with_data(function(x.data))


# Those that are a layer with a name of its own in a network.
LAYERS = {
    "HardSwish": "hard_swish",
    "Mish": "mish",
    "Relu": "relu",
    "Sigmoid": "sigmoid",
    "Softplus": "softplus",
    "Softsign": "softsign",
    "Tanh": "tanh",
}


@operator(*UNARY)
def unary(node: Node, x: Value) -> Value:
    """Return a function of each value."""
    if node.op in LAYERS and not x.known:
        return each(node.layer(Activation, LAYERS[node.op]), x)
    return each(UNARY[node.op], x)


@operator("Abs")
def absolute(node: Node, x: Value) -> Value:
    """Return |x|."""
    return each(ops.absolute, x)


@operator("Neg")
def negative(node: Node, x: Value) -> Value:
    """Return -x."""
    return each(ops.negative, x)


@operator("LeakyRelu")
def leaky_relu(node: Node, x: Value) -> Value:
    """Return x, or alpha * x where it is negative."""
    alpha = node.number("alpha", 0.01)
    return each(lambda t: ops.leaky_relu(t, alpha), x)


@operator("Elu")
def elu(node: Node, x: Value) -> Value:
    """Return x, or alpha * (exp(x) - 1) where it is negative."""
    alpha = node.number("alpha", 1.0)
    return each(lambda t: ops.elu(t, alpha), x)


@operator("Celu")
def celu(node: Node, x: Value) -> Value:
    """Return x, or alpha * (exp(x / alpha) - 1) where it is negative."""
    alpha = node.number("alpha", 1.0)
    return each(lambda t: ops.celu(t, alpha), x)


SELU_ALPHA, SELU_GAMMA = 1.67326319217681884765625, 1.05070102214813232421875


@operator("Selu")
def selu(node: Node, x: Value) -> Value:
    """Return gamma * x, or gamma * alpha * (exp(x) - 1) where x is negative."""
    alpha, gamma = node.number("alpha", SELU_ALPHA), node.number("gamma", SELU_GAMMA)
    if math.isclose(alpha, SELU_ALPHA, rel_tol=1e-6) and math.isclose(
        gamma, SELU_GAMMA, rel_tol=1e-6
    ):
        return each(ops.selu, x)
    return each(lambda t: ops.multiply(ops.elu(t, alpha), gamma), x)


@operator("HardSigmoid")
def hard_sigmoid(node: Node, x: Value) -> Value:
    """Return min(max(alpha * x + beta, 0), 1)."""
    alpha, beta = node.number("alpha", 0.2), node.number("beta", 0.5)
    if math.isclose(alpha, 1 / 6, rel_tol=1e-6) and beta == 0.5:
        return each(ops.hard_sigmoid, x)
    return each(lambda t: ops.clip(ops.add(ops.multiply(t, alpha), beta), 0.0, 1.0), x)


@operator("Gelu")
def gelu(node: Node, x: Value) -> Value:
    """Return x times the probability that a normal variable is below x, or its approximation."""
    approximate = node.text("approximate", "none") == "tanh"
    return each(lambda t: ops.gelu(t, approximate), x)


@operator("Swish")
def swish(node: Node, x: Value) -> Value:
    """Return x * sigmoid(alpha * x)."""
    alpha = node.number("alpha", 1.0)
    if alpha == 1:
        return each(ops.silu, x)
    return each(lambda t: ops.multiply(t, ops.sigmoid(ops.multiply(t, alpha))), x)


@operator("ThresholdedRelu")
def thresholded_relu(node: Node, x: Value) -> Value:
    """Return x where it is above alpha, 0 elsewhere."""
    alpha = node.number("alpha", 1.0)
    return each(lambda t: ops.threshold(t, alpha, 0.0), x)


@operator("Shrink")
def shrink(node: Node, x: Value) -> Value:
    """Return x + bias below -lambd, x - bias above lambd, 0 between."""
    bias, lambd = node.number("bias", 0.0), node.number("lambd", 0.5)

    def shrunk(t: Any) -> Any:
        below = ops.where(ops.less(t, -lambd), ops.add(t, bias), 0.0)
        return ops.where(ops.greater(t, lambd), ops.subtract(t, bias), below)

    return each(shrunk, x)


@operator("IsNaN", same_dtype=False)
def is_nan(node: Node, x: Value) -> Value:
    """Return where x is not a number."""
    return each(ops.isnan, x)


@operator("Not", same_dtype=False)
def logical_not(node: Node, x: Value) -> Value:
    """Return where x is false."""
    return each(ops.logical_not, x)


BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "Add": ops.add,
    "Mul": ops.multiply,
    "Sub": ops.subtract,
    "Pow": ops.power,
}
COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "Equal": ops.equal,
    "Greater": ops.greater,
    "GreaterOrEqual": ops.greater_equal,
    "Less": ops.less,
    "LessOrEqual": ops.less_equal,
    "And": ops.logical_and,
    "Or": ops.logical_or,
    "Xor": ops.logical_xor,
}


IN_FLOAT64: dict[Any, Callable[..., Any]] = {
    ops.add: np.add,
    ops.multiply: np.multiply,
    ops.subtract: np.subtract,
    ops.divide: np.divide,
    ops.power: np.power,
}


def combined(node: Node, function: Callable[..., Any], *values: Value) -> Value:
    """Return a function of values that are broadcast to each other."""
    if len(values) == 2 and node.opset < 7:
        values = (values[0], _placed(node, *values))
    if all(value.known for value in values):
        shape = np.broadcast_shapes(*(value.shape for value in values))
        node.limit(shape, 8)
    data, order = aligned(*values)
    if all(one.dtype == "float64" for one in data):  # the engines compute in float32
        function = IN_FLOAT64.get(function, function)
    result = function(*data)
    return Value(result, order if len(result.shape) == len(order) else None)


def _placed(node: Node, a: Value, b: Value) -> Value:
    """Return b with axes of length 1 behind, as `axis` of the first opsets says."""
    axis = node.attributes.get("axis")
    if not isinstance(axis, int) or b.rank == 0 or a.rank < b.rank:
        return b
    behind = a.rank - b.rank - node.axis(axis, a.rank)
    return Value(reshaped(b.logical(), b.shape + (1,) * behind)) if behind > 0 else b


MERGES = {"Add": Add, "Sum": Add, "Mul": Multiply}


def _can_merge(node: Node, *values: Value) -> bool:
    """Return whether a layer does it: several tensors of floats, of one shape."""
    alike = len(values) > 1 and len({(value.shape, value.dtype) for value in values}) == 1
    tensors = not any(value.known for value in values) and values[0].dtype == "float32"
    return node.op in MERGES and alike and tensors


def _merged(node: Node, *values: Value) -> Value:
    """Return a layer of tensors of one shape."""
    data, order = aligned(*values)
    return Value(node.layer(MERGES[node.op])(data), order)


def _in_batch_norm(node: Node, x: Value, factor: Value, place: int = 0) -> Value | None:
    """Return x with a product or sum per channel taken into the batch normalization before it.

    Caffe has scale and bias of batch normalization in a layer of their own. None: it is not that.
    """
    if node.op not in ("Add", "Mul") or x.known or not factor.known or node.opset < 7:
        return None
    layer: Any = x.data.layer
    axis = x.order[-1]
    alone = node.context.uses[node.inputs[place]] == 1
    ours = isinstance(layer, BatchNormalization) and layer.name not in node.context.twice
    if not ours or not alone or factor.rank > x.rank:
        return None
    lengths = (1,) * (x.rank - factor.rank) + factor.shape
    if any(n != (x.shape[axis] if i == axis else 1) for i, n in enumerate(lengths)):
        return None
    values = factor.logical().ravel()
    shared = node.context.shared
    node.context.shared = {key: one for key, one in shared.items() if one is not layer}
    gamma: Any = layer.gamma
    beta: Any = layer.beta
    if node.op == "Mul":
        gamma.assign(gamma.value * values)
    beta.assign(beta.value * values if node.op == "Mul" else beta.value + values)
    return x


@operator(*BINARY)
def binary(node: Node, a: Value, b: Value) -> Value:
    """Return a sum, difference, product or power."""
    scaled = _in_batch_norm(node, a, b) or _in_batch_norm(node, b, a, 1)
    if scaled is not None:
        return scaled
    if _can_merge(node, a, b):
        return _merged(node, a, b)
    return combined(node, BINARY[node.op], a, b)


@operator(*COMPARISONS, same_dtype=False)
def compared(node: Node, a: Value, b: Value) -> Value:
    """Return where a comparison holds."""
    return combined(node, COMPARISONS[node.op], a, b)


@operator("Div")
def divide(node: Node, a: Value, b: Value) -> Value:
    """Return a / b, without the fraction if both are integers."""
    whole = np.dtype(a.dtype).kind in "iu"
    return combined(node, _whole_quotient if whole else ops.divide, a, b)


def _whole_quotient(a: Any, b: Any) -> Any:
    """Return a / b of integers, cut toward 0."""
    low, rest = ops.floor_divide(a, b), ops.mod(a, b)
    below = ops.logical_and(ops.less(low, 0), ops.not_equal(rest, 0))
    return ops.add(low, ops.cast(below, np.dtype(low.dtype).name))


@operator("Mod")
def modulo(node: Node, a: Value, b: Value) -> Value:
    """Return what a division leaves, with the sign of b, or with that of a if `fmod` is set."""
    if not node.integer("fmod", 0):
        return combined(node, np.mod if a.known and b.known else ops.mod, a, b)

    def remainder(x: Any, y: Any) -> Any:
        size = ops.mod(ops.absolute(x), ops.absolute(y))
        return ops.where(ops.less(x, 0), ops.negative(size), size)

    return combined(node, remainder, a, b)


MANY: dict[str, Callable[[Any, Any], Any]] = {
    "Sum": ops.add,
    "Mean": ops.add,
    "Max": ops.maximum,
    "Min": ops.minimum,
}


@operator(*MANY)
def of_many(node: Node, *values: Value) -> Value:
    """Return the sum, mean or extreme of any number of tensors."""
    if _can_merge(node, *values):
        return _merged(node, *values)
    total = functools.reduce(lambda a, b: combined(node, MANY[node.op], a, b), values)
    if node.op == "Mean" and len(values) > 1:
        return each(lambda t: ops.divide(t, float(len(values))), total)
    return total


@operator("Clip")
def clip(node: Node, x: Value, low: Value | None = None, high: Value | None = None) -> Value:
    """Return x, but not less than `low` nor more than `high`."""
    if node.opset < 11:
        bounds = [node.attributes.get(name) for name in ("min", "max")]
        low, high = (None if one is None else Value(np.float32(one)) for one in bounds)
    if all(bound is None or bound.known for bound in (low, high)):
        return each(lambda t: _clipped(t, low, high), x)
    for bound, function in ((low, ops.maximum), (high, ops.minimum)):
        x = x if bound is None else combined(node, function, x, bound)
    return x


def _clipped(t: Any, low: Value | None, high: Value | None) -> Any:
    least, most = (None if one is None else one.data.reshape(()).item() for one in (low, high))
    if (least, most) == (0.0, 6.0) and np.dtype(t.dtype).kind == "f":
        return ops.relu6(t)
    if least is not None:
        t = ops.maximum(t, least)
    return t if most is None else ops.minimum(t, most)


@operator("Where", same_dtype=False)
def where(node: Node, condition: Value, a: Value, b: Value) -> Value:
    """Return a where the condition holds, b elsewhere."""
    return combined(node, ops.where, condition, a, b)


@operator("PRelu")
def prelu(node: Node, x: Value, slope: Value) -> Value:
    """Return x, or slope * x where it is negative."""
    slope = _slope_per_channel(node, x, slope)
    if slope.known and x.rank > 1 and slope.shape[:1] in ((1,), ()):
        data, order = aligned(x, slope)
        lengths = data[1].reshape((1,) * (x.rank - data[1].ndim) + data[1].shape)[0].shape
        shared = [axis for axis, n in enumerate(lengths, 1) if n == 1]
        layer = node.layer(PReLU, shared_axes=shared or None, weights_lie=order)
        return Value(filled(layer, data[0], alpha=data[1].reshape(lengths)), order)

    def sloped(t: Any, alpha: Any) -> Any:
        below = ops.multiply(alpha, ops.relu(ops.negative(t)))
        return ops.subtract(ops.relu(t), below)

    return combined(node, sloped, x, slope)


def _slope_per_channel(node: Node, x: Value, slope: Value) -> Value:
    """Return slopes that NumPy's rules broadcast; one per channel is on axis 1 in old files."""
    if node.opset < 7 and slope.rank == 1 and x.rank > 2:
        return Value(reshaped(slope.logical(), slope.shape + (1,) * (x.rank - 2)))
    if slope.known and slope.rank < x.rank:
        return Value(slope.data.reshape((1,) * (x.rank - slope.rank) + slope.data.shape))
    return slope
