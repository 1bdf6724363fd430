"""Normalization: of batches, of channels, of groups and layers, of neighboring channels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minicnn import ops
from minicnn.interop.onnx.nodes import Node, filled
from minicnn.interop.onnx.operators.elementwise import each
from minicnn.interop.onnx.operators.registry import operator
from minicnn.interop.onnx.values import FlatValue, Value, channels_last, reshaped
from minicnn.layers import (
    Activation,
    BatchNormalization,
    GroupNormalization,
    LayerNormalization,
    LocalResponseNormalization,
)


@operator("BatchNormalization")
def batch_normalization(
    node: Node, x: Value, scale: Value, bias: Value, mean: Value, variance: Value
) -> Any:
    """Return each channel with its mean and standard deviation taken out."""
    epsilon, momentum = node.number("epsilon", 1e-5), node.number("momentum", 0.9)
    weights = [scale, bias, mean, variance]
    data, order = x.channels_last(), channels_last(x.rank)
    if any(w.shape != (x.shape[1],) for w in weights):
        raise node.refused(f"{x.shape[1]} channels with weights {[w.shape for w in weights]}")
    if node.integer("training_mode", 0) or (node.opset < 7 and not node.integer("is_test", 0)):
        return _of_a_batch(node, x, weights, epsilon, momentum)
    if all(w.known for w in weights) and epsilon > 0:
        layer = node.layer(BatchNormalization, momentum=momentum, epsilon=epsilon)
        names = ("gamma", "beta", "moving_mean", "moving_variance")
        values = {name: w.logical() for name, w in zip(names, weights, strict=True)}
        return Value(filled(layer, data, **values), order)
    arrays = [w.logical() for w in weights]
    y = ops.batch_normalization(data, arrays[2], arrays[3], -1, arrays[1], arrays[0], epsilon)
    return Value(y, order)


def _of_a_batch(
    node: Node, x: Value, weights: list[Value], epsilon: float, momentum: float
) -> list[Value]:
    """Return the batch with its own mean and variance taken out, and the new moving averages."""
    if not x.known:
        raise node.refused(
            "training_mode is set, so it computes with the batch's own mean; export the network "
            "for inference: it can be trained here all the same"
        )
    data = x.channels_last()
    axes = list(range(x.rank - 1))
    scale, bias, old_mean, old_variance = (w.logical() for w in weights)
    mean, variance = ops.moments(data, axes)
    y = ops.batch_normalization(data, mean, variance, -1, bias, scale, epsilon)
    averages = [
        Value(np.asarray(old * momentum + new * (1 - momentum), np.float32))
        for old, new in ((old_mean, mean), (old_variance, variance))
    ]
    return [Value(y, channels_last(x.rank)), *averages]


MOST_NEIGHBORS = 256  # each makes a step of the network


@operator("LRN")
def local_response_normalization(node: Node, x: Value) -> Value:
    """Return each value divided by a measure of its neighbor channels."""
    size, alpha = node.integer("size"), node.number("alpha", 1e-4)
    beta, k = node.number("beta", 0.75), node.number("bias", 1.0)
    data = x.channels_last()
    if x.rank == 4 and size % 2 and k > 0:
        layer = node.layer(LocalResponseNormalization, size, alpha, beta, k)
        return Value(layer(data), channels_last(4))
    if not 1 <= size <= MOST_NEIGHBORS:
        raise node.refused(f"a neighborhood of {size} channels")
    before, after = (size - 1) // 2, size // 2
    squares = ops.pad(ops.square(data), [(0, 0)] * (x.rank - 1) + [(before, after)])
    channels, total = x.shape[1], None
    for first in range(size):
        part = ops.get_item(squares, (..., slice(first, first + channels)))
        total = part if total is None else ops.add(total, part)
    scale = ops.add(ops.multiply(total, alpha / size), k)
    return Value(ops.multiply(data, ops.power(scale, -beta)), channels_last(x.rank))


@operator("InstanceNormalization")
def instance_normalization(node: Node, x: Value, scale: Value, bias: Value) -> Value:
    """Return each channel of each image with its own mean and deviation taken out."""
    data, axes = x.channels_last(), list(range(1, x.rank - 1))
    epsilon = node.number("epsilon", 1e-5)
    if scale.known and bias.known and epsilon > 0:
        layer = node.layer(GroupNormalization, -1, epsilon=epsilon)
        y = filled(layer, data, gamma=scale.logical(), beta=bias.logical())
        return Value(y, channels_last(x.rank))
    y = _normalized(data, axes, epsilon)
    y = ops.add(ops.multiply(y, scale.logical()), bias.logical())
    return Value(y, channels_last(x.rank))


def _normalized(x: Any, axes: list[int], epsilon: float) -> Any:
    """Return the values with mean 0 and variance 1 along the axes."""
    centered = ops.subtract(x, ops.mean(x, axes, True))
    variance = ops.mean(ops.square(centered), axes, True)
    return ops.multiply(centered, ops.rsqrt(ops.add(variance, epsilon)))


@operator("GroupNormalization")
def group_normalization(node: Node, x: Value, scale: Value, bias: Value) -> Value:
    """Return groups of channels of each image with their mean and deviation taken out."""
    groups, epsilon = node.integer("num_groups"), node.number("epsilon", 1e-5)
    channels = x.shape[1]
    if groups < 1 or channels % groups:
        raise node.refused(f"{groups} groups of {channels} channels")
    weights = [scale, bias]
    if node.opset < 21:  # one for each group
        weights = [_per_channel(w, channels // groups) for w in weights]
    gamma, beta = weights
    if not (gamma.known and beta.known) or epsilon <= 0:
        raise node.refused("scale and bias must be constants, and epsilon above 0")
    layer = node.layer(GroupNormalization, groups, epsilon=epsilon)
    y = filled(layer, x.channels_last(), gamma=gamma.logical(), beta=beta.logical())
    return Value(y, channels_last(x.rank))


def _per_channel(weight: Value, times: int) -> Value:
    return Value(ops.repeat(weight.logical(), times, 0))


@operator("LayerNormalization", "RMSNormalization")
def layer_normalization(node: Node, x: Value, scale: Value, bias: Value | None = None) -> Any:
    """Return the last axes with their mean and deviation taken out, or their mean square."""
    axis, epsilon = node.axis(node.integer("axis", -1), x.rank), node.number("epsilon", 1e-5)
    axes, data = list(range(axis, x.rank)), x.logical()
    if node.op == "RMSNormalization":
        square = ops.mean(ops.square(data), axes, True)
        return Value(ops.multiply(ops.multiply(data, _root(square, epsilon)), scale.logical()))
    if _fits_layer(node, x, axis, scale, bias) and epsilon > 0:
        layer = node.layer(LayerNormalization, axis=axes, epsilon=epsilon, center=bias is not None)
        beta = None if bias is None else bias.logical()
        return Value(filled(layer, data, gamma=scale.logical(), beta=beta))
    mean = ops.mean(data, axes, True)
    centered = ops.subtract(data, mean)
    root = _root(ops.mean(ops.square(centered), axes, True), epsilon)
    y = ops.multiply(ops.multiply(centered, root), scale.logical())
    y = y if bias is None else ops.add(y, bias.logical())
    return [Value(y), Value(mean), Value(root)]


def _root(square: Any, epsilon: float) -> Any:
    return ops.rsqrt(ops.add(square, epsilon))


def _fits_layer(node: Node, x: Value, axis: int, scale: Value, bias: Value | None) -> bool:
    """Return whether the layer of Keras does it: constant weights, and only one result."""
    shape = x.shape[axis:]
    known = scale.known and scale.shape == shape
    known = known and (bias is None or (bias.known and bias.shape == shape))
    return known and axis > 0 and sum(map(bool, node.outputs)) == 1


@operator("MeanVarianceNormalization")
def mean_variance_normalization(node: Node, x: Value) -> Value:
    """Return the values with mean 0 and variance 1 along the axes."""
    axes = [x.place(node.axis(axis, x.rank)) for axis in node.integers("axes", [0, 2, 3])]
    if not x.known and x.place(0) in axes:
        raise node.refused("it normalizes a batch of images together; only along their axes")
    mean = ops.mean(x.data, axes, True)
    deviation = ops.sqrt(ops.subtract(ops.mean(ops.square(x.data), axes, True), ops.square(mean)))
    return x.with_data(ops.divide(ops.subtract(x.data, mean), ops.add(deviation, 1e-9)))


@operator("LpNormalization")
def lp_normalization(node: Node, x: Value) -> Value:
    """Return the vectors along an axis divided by their norms; vectors of zeros stay."""
    axis, p = x.place(node.axis(node.integer("axis", -1), x.rank)), node.integer("p", 2)
    norm = ops.norm(x.data, p, axis, True)
    return x.with_data(ops.divide_no_nan(*_broadcast(x.data, norm)))


def _broadcast(x: Any, norm: Any) -> tuple[Any, Any]:
    return x, ops.add(ops.multiply(x, 0.0), norm)


@operator("Softmax", "LogSoftmax", "Hardmax")
def softmax(node: Node, x: Value) -> Value:
    """Return positive values with the sum 1 along an axis, their logarithms, or 1 at the largest.

    Before opset 13 all axes from this one on are one axis.
    """
    axis = node.axis(node.integer("axis", 1 if node.opset < 13 else -1), max(x.rank, 1))
    lengths = x.shape[axis:]
    if node.opset >= 13 or math.prod(n or 0 for n in lengths) == lengths[0]:
        place = x.place(axis)
        if node.op == "Softmax" and not x.known and place == x.rank - 1 and x.rank > 1:
            return Value(node.layer(Activation, "softmax")(x.data), x.order)
        return each(lambda t: _softmax(node, t, -1 if isinstance(x, FlatValue) else place), x)
    if None in lengths:
        raise node.refused(f"all axes from {axis} on must be known; the input is {x.shape}")
    shape = x.shape
    rows = reshaped(x.logical(), (None if axis else 1, math.prod(lengths)))
    return Value(reshaped(_softmax(node, rows, -1), shape))


def _softmax(node: Node, x: Any, axis: int) -> Any:
    if node.op == "Softmax":
        return ops.softmax(x, axis)
    if node.op == "LogSoftmax":
        return ops.log_softmax(x, axis)
    return ops.one_hot(ops.argmax(x, axis), x.shape[axis], axis)
