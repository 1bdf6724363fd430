"""Caffe's layers that compute on each number, and those that combine inputs number by number."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from minicnn import ops
from minicnn.interop.caffe.item import Item
from minicnn.interop.caffe.values import Value
from minicnn.layers import (
    ELU,
    Activation,
    Add,
    Dropout,
    LeakyReLU,
    Maximum,
    Multiply,
    PReLU,
    ReLU,
    Rescaling,
    Softmax,
    Subtract,
)

Lowering = Callable[[Item, list[Value]], list[Value]]


def of_each_number(function: Callable[[Item, Any], Any]) -> Lowering:
    """Return the function of values for a function of one tensor that keeps its shape."""

    def lowering(item: Item, values: list[Value]) -> list[Value]:
        return [values[0].with_tensor(function(item, values[0].tensor))]

    return lowering


def activation(name: str) -> Lowering:
    """Return the function for an activation by its name in minicnn."""
    return of_each_number(lambda item, x: Activation(name, name=item.name)(x))


def relu(item: Item, x: Any) -> Any:
    """Return max(x, 0), with Caffe's slope for negative values."""
    slope = item.relu_param.negative_slope
    return LeakyReLU(slope, name=item.name)(x) if slope else ReLU(name=item.name)(x)


def power(item: Item, x: Any) -> Any:
    """Return (shift + scale * x)^power."""
    p = item.power_param
    y = Rescaling(p.scale, p.shift, name=item.name)(x)
    return y if p.power == 1 else ops.power(y, p.power)


def exponential(item: Item, x: Any) -> Any:
    """Return base^(shift + scale * x)."""
    p = item.exp_param
    log = _log_of_base(item, p.base)
    return ops.exp(Rescaling(p.scale * log, p.shift * log, name=item.name)(x))


def logarithm(item: Item, x: Any) -> Any:
    """Return the logarithm of shift + scale * x."""
    p = item.log_param
    y = ops.log(Rescaling(p.scale, p.shift, name=item.name)(x))
    return y if p.base == -1 else Rescaling(1 / _log_of_base(item, p.base))(y)


def _log_of_base(item: Item, base: float) -> float:
    if base == -1:  # Caffe's way to say e
        return 1.0
    if not base > 0 or base == 1:
        item.refuse(f"has the base {base}, which must be positive and not 1")
    return math.log(base)


def threshold(item: Item, x: Any) -> Any:
    """Return 1 where x is above the threshold, and 0 elsewhere."""
    return ops.cast(ops.greater(x, item.threshold_param.threshold), "float32")


def swish(item: Item, x: Any) -> Any:
    """Return x * sigmoid(beta * x)."""
    beta = item.swish_param.beta
    return Multiply(name=item.name)([x, ops.sigmoid(x if beta == 1 else x * beta)])


def dropout(item: Item, x: Any) -> Any:
    """Return x, with random zeros in training."""
    return Dropout(item.dropout_param.dropout_ratio, name=item.name)(x)


def prelu(item: Item, values: list[Value]) -> list[Value]:
    """Return x with a learned slope per channel, or one, for negative values."""
    value = values[0].settled()
    shared = item.prelu_param.channel_shared
    axes = range(1, len(value.shape) + 1) if shared else _all_but_channels(value)
    layer = PReLU(shared_axes=list(axes) or None, name=item.name)
    y = layer(value.tensor)
    alpha = item.blob(0, (1 if shared else value.shape[0],))
    item.assign(layer.alpha, None if alpha is None else alpha.reshape(layer.alpha.shape))
    return [value.with_tensor(y)]


def _all_but_channels(value: Value) -> range:
    return range(1, 3) if value.is_image else range(2, len(value.shape) + 1)


def softmax(item: Item, values: list[Value]) -> list[Value]:
    """Return the shares of the classes, which are the channels unless the layer says else."""
    value = values[0].settled()
    axis = value.axis(item.softmax_param.axis)
    last = axis == len(value.shape)
    layer = Softmax(-1 if last else axis, name=item.name)
    return [value.with_tensor(layer(value.tensor))]


def eltwise(item: Item, values: list[Value]) -> list[Value]:
    """Return the sum, the product or the maximum of the inputs."""
    p = item.eltwise_param
    if len({value.shape for value in values}) > 1 or len(values) < 2:
        item.refuse(f"needs two inputs or more of one shape; got {[v.shape for v in values]}")
    if len({value.pixels for value in values}) > 1:
        values = [value.settled() for value in values]
    x = [value.tensor for value in values]
    if p.operation == 1:
        return [values[0].with_tensor(_sum(item, x, list(p.coeff)))]
    merge = Multiply if p.operation == 0 else Maximum
    return [values[0].with_tensor(merge(name=item.name)(x))]


def _sum(item: Item, x: list[Any], factors: list[float]) -> Any:
    if factors and len(factors) != len(x):
        item.refuse(f"has {len(factors)} coefficients for {len(x)} inputs")
    if factors == [1, -1]:
        return Subtract(name=item.name)(x)
    pairs = zip(x, factors or [1.0] * len(x), strict=True)
    return Add(name=item.name)([one if c == 1 else Rescaling(c)(one) for one, c in pairs])


def axpy(item: Item, values: list[Value]) -> list[Value]:
    """Return a * x + y with a number a per channel, of the branch for squeeze and excitation."""
    a, x, y = values
    scaled = Multiply(name=item.name)([x.image(), a.image()])
    return [y.with_tensor(Add()([scaled, y.image()]))]


TABLE: dict[str, Lowering] = {
    "ReLU": of_each_number(relu),
    "ReLU6": of_each_number(lambda item, x: ReLU(6.0, name=item.name)(x)),
    "PReLU": prelu,
    "ELU": of_each_number(lambda item, x: ELU(item.elu_param.alpha, name=item.name)(x)),
    "Sigmoid": activation("sigmoid"),
    "TanH": activation("tanh"),
    "BNLL": activation("softplus"),
    "AbsVal": of_each_number(lambda item, x: ops.abs(x)),
    "Power": of_each_number(power),
    "Exp": of_each_number(exponential),
    "Log": of_each_number(logarithm),
    "Threshold": of_each_number(threshold),
    "Swish": of_each_number(swish),
    "Clip": of_each_number(lambda item, x: ops.clip(x, item.clip_param.min, item.clip_param.max)),
    "Dropout": of_each_number(dropout),
    "Softmax": softmax,
    "Eltwise": eltwise,
    "Axpy": axpy,
}
