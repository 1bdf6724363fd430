"""Caffe's layers that normalize, and those with weights: InnerProduct, BatchNorm, Scale, Bias."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn import ops
from minicnn.interop.caffe.item import Item
from minicnn.interop.caffe.values import Value, flat
from minicnn.layers import Add, BatchNormalization, Dense, DepthwiseConv2D, Multiply, Reshape


def inner_product(item: Item, values: list[Value]) -> list[Value]:
    """Return x @ weights + bias; of an image, the rows of the weights get our order."""
    p, value = item.inner_product_param, values[0]
    if p.axis not in (1, -len(value.shape)):
        item.refuse(f"has axis {p.axis}; only axis 1, all values of a sample, is supported")
    vector = flat(value)
    (size,), units = vector.shape, p.num_output
    layer = Dense(units, use_bias=p.bias_term, name=item.name)
    y = layer(vector.tensor)
    weights = item.blob(0, (size, units) if p.transpose else (units, size))
    if weights is not None:
        weights = weights if p.transpose else weights.T
        item.assign(layer.kernel, in_our_order(weights, vector.pixels))
        item.assign(layer.bias, item.blob(1, (units,)) if p.bias_term else None)
    return [Value(y, (units,))]


def in_our_order(weights: np.ndarray, pixels: tuple[int, int, int] | None) -> np.ndarray:
    """Return weights (features, units), whose features come from (C, H, W), for (H, W, C)."""
    if pixels is None:
        return weights
    return weights.reshape(*pixels, -1).transpose(1, 2, 0, 3).reshape(weights.shape)


def batch_norm(item: Item, values: list[Value], scale: Item | None = None) -> list[Value]:
    """Return x by the running statistics; `scale` is a Scale layer that follows it at once."""
    p, value = item.batch_norm_param, values[0].settled()
    channels = value.shape[0]
    _check_channels_last(item, value)
    learned = scale is not None
    layer = BatchNormalization(
        momentum=p.moving_average_fraction, epsilon=p.eps, scale=learned,
        center=scale is not None and scale.scale_param.bias_term, name=item.name,
    )  # fmt: skip
    y = layer(value.tensor)
    mean, variance = item.blob(0, (channels,)), item.blob(1, (channels,))
    if mean is not None and variance is not None:
        total = item.blob(2, (1,))
        share = 0.0 if total is None or total[0] == 0 else 1 / float(total[0])
        item.assign(layer.moving_mean, mean * np.float32(share))
        item.assign(layer.moving_variance, variance * np.float32(share))
    if scale is not None:
        scale.assign(layer.gamma, scale.blob(0, (channels,)))
        if scale.scale_param.bias_term:
            scale.assign(layer.beta, scale.blob(1, (channels,)))
    return [value.with_tensor(y)]


def scale(item: Item, values: list[Value]) -> list[Value]:
    """Return x times a weight per channel, or times a second input."""
    p, value = item.scale_param, values[0].settled()
    if len(values) == 2:
        if p.bias_term:
            item.refuse("adds a bias to a product of two inputs, which is not supported")
        other = _spread(item, values[1], value, p.axis)
        return [value.with_tensor(Multiply(name=item.name)([value.tensor, other]))]
    _check_per_channel(item, p, value)
    weights = item.blob(0, (value.shape[0],))
    bias = item.blob(1, (value.shape[0],)) if p.bias_term else None
    return [_per_channel(item, value, weights, bias, use_bias=p.bias_term)]


def bias(item: Item, values: list[Value]) -> list[Value]:
    """Return x plus a weight per channel, or plus a second input."""
    p, value = item.bias_param, values[0].settled()
    if len(values) == 2:
        other = _spread(item, values[1], value, p.axis)
        return [value.with_tensor(Add(name=item.name)([value.tensor, other]))]
    _check_per_channel(item, p, value)
    ones = np.ones(value.shape[0], np.float32)
    return [_per_channel(item, value, ones, item.blob(0, ones.shape), use_bias=True)]


def _per_channel(item: Item, value: Value, weights: Any, biases: Any, *, use_bias: bool) -> Value:
    """Return x * weights + biases, a depthwise convolution of one pixel."""
    channels = value.shape[0]
    x = value.tensor if value.is_image else Reshape((1, 1, channels))(value.tensor)
    layer = DepthwiseConv2D(1, use_bias=use_bias, depthwise_initializer="ones", name=item.name)
    y = layer(x)
    if weights is not None:
        item.assign(layer.kernel, weights.reshape(layer.kernel.shape))
    item.assign(layer.bias, biases)
    return value.with_tensor(y if value.is_image else Reshape((channels,))(y))


def _check_per_channel(item: Item, p: Any, value: Value) -> None:
    _check_channels_last(item, value)
    if p.num_axes != 1 or p.axis not in (1, -len(value.shape)):
        item.refuse(
            f"has axis {p.axis} and num_axes {p.num_axes}; only one weight per channel, axis 1 and "
            "num_axes 1, is supported"
        )


def _check_channels_last(item: Item, value: Value) -> None:
    if len(value.shape) not in (1, 3):
        item.refuse(f"has an input (N, {', '.join(map(str, value.shape))}); images or vectors only")


def _spread(item: Item, other: Value, value: Value, axis: int) -> Any:
    """Return the second input of Scale or Bias with axes of length 1 where it has none."""
    other, rank = other.settled(), len(value.shape)
    start = axis - 1 if axis > 0 else axis + rank
    if axis == 0:
        start = 0
        if other.shape != value.shape[: len(other.shape)]:
            item.refuse(f"combines {value.shape} with {other.shape}, which does not fit")
    if start < 0 or value.shape[start : start + len(other.shape)] != other.shape:
        item.refuse(f"combines {value.shape} with {other.shape} at axis {axis}, which do not fit")
    if len(other.shape) == rank:
        return other.tensor
    if start != 0 or len(other.shape) != 1 or not value.is_image:
        item.refuse(f"combines {value.shape} with {other.shape}; only one number per channel fits")
    return Reshape((1, 1, other.shape[0]))(other.tensor)


def mvn(item: Item, values: list[Value]) -> list[Value]:
    """Return each image's channels, or each image, with mean 0 and perhaps variance 1."""
    p, value = item.mvn_param, values[0]
    axes = (1, 2, 3) if p.across_channels else (1, 2)
    x = value.image()
    y = x - ops.mean(x, axes, keepdims=True)
    if p.normalize_variance:
        deviation = ops.sqrt(ops.mean(ops.square(y), axes, keepdims=True))
        y = y / (deviation + p.eps)
    return [value.with_tensor(y)]
