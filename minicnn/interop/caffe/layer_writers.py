"""How each of our layers is written as layers of Caffe; one that Caffe does not have is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn import layers
from minicnn.interop.caffe.net_writer import NetWriter, Top
from minicnn.layers.activation import serialize
from minicnn.shapes import Pair, Window2D, conv_window, pool_window
from minicnn.support.text import quoted

# The types of Caffe for our activations, with the field of their parameters.
ACTIVATIONS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "relu": ("ReLU", "", {}),
    "sigmoid": ("Sigmoid", "", {}),
    "tanh": ("TanH", "", {}),
    "softplus": ("BNLL", "", {}),
    "elu": ("ELU", "elu_param", {"alpha": 1.0}),
    "silu": ("Swish", "swish_param", {"beta": 1.0}),
    "leaky_relu": ("ReLU", "relu_param", {"negative_slope": 0.2}),
    "exponential": ("Exp", "", {}),
    "softmax": ("Softmax", "", {}),
}
ELTWISE = {"Add": 1, "Multiply": 0, "Maximum": 2}


def convolution(to: NetWriter, layer: Any, tops: list[Top], tensor: Any) -> Top:
    """Write a convolution, the depthwise one as one group per channel."""
    _channels_last(to, layer)
    window = conv_window(layer.kernel_size, layer.strides, layer.padding, layer.dilation_rate,
                         _image(tensor))  # fmt: skip
    kernel = layer.kernel.value.transpose(3, 2, 0, 1)
    fields = {"num_output": kernel.shape[0], **_window(to, layer, window)}
    fields["dilation"] = list(window.dilation) if window.dilation != (1, 1) else []
    if layer.groups > 1:
        fields["group"] = layer.groups
    blobs = _with_bias(layer, kernel, fields)
    top = to.add("Convolution", layer.name, tops, "convolution_param", fields, blobs)
    return activated(to, layer, top)


def transposed_convolution(to: NetWriter, layer: Any, tops: list[Top], tensor: Any) -> Top:
    """Write a transposed convolution, whose output must have a size that Caffe's can have."""
    _channels_last(to, layer)
    axes = zip(_image(tensor), tensor.shape[1:3], layer.kernel_size, layer.strides,
               layer.dilation_rate, strict=True)  # fmt: skip
    extra = [(n - 1) * s + d * (k - 1) + 1 - out for n, out, k, s, d in axes]
    if any(one < 0 or one % 2 for one in extra):
        to.refuse(
            layer, f"pads its output by {extra}, which Caffe cannot: it pads both sides alike"
        )
    kernel = layer.kernel.value.transpose(3, 2, 0, 1)
    window = Window2D(layer.kernel_size, layer.strides, layer.dilation_rate,
                      *((one // 2, one // 2) for one in extra))  # fmt: skip
    fields = {"num_output": layer.filters, **_window(to, layer, window)}
    fields["dilation"] = list(window.dilation) if window.dilation != (1, 1) else []
    blobs = _with_bias(layer, kernel, fields)
    top = to.add("Deconvolution", layer.name, tops, "convolution_param", fields, blobs)
    return activated(to, layer, top)


def upsampling(to: NetWriter, layer: Any, tops: list[Top], tensor: Any) -> Top:
    """Write the repetition of pixels: a transposed convolution with ones, a group per channel."""
    _channels_last(to, layer)
    if layer.interpolation != "nearest":
        to.refuse(layer, f"interpolates by {layer.interpolation!r}; Caffe can repeat pixels")
    channels = tensor.shape[3]
    window = Window2D(layer.size, layer.size, (1, 1), (0, 0), (0, 0))
    fields = {"num_output": channels, "group": channels, "bias_term": False,
              **_window(to, layer, window)}  # fmt: skip
    ones = np.ones((channels, 1, *layer.size), np.float32)
    return to.add("Deconvolution", layer.name, tops, "convolution_param", fields, [ones])


def dense(to: NetWriter, layer: Any, tops: list[Top], tensor: Any) -> Top:
    """Write a dense layer; those that read an image are put in Caffe's order."""
    if len(tensor.shape) != 2:
        to.refuse(layer, "is applied to the last axis of several; Caffe's takes whole samples")
    kernel = layer.kernel.value
    if tops[0].pixels is not None:
        c, h, w = tops[0].pixels
        kernel = kernel.reshape(h, w, c, -1).transpose(2, 0, 1, 3).reshape(kernel.shape)
    fields: dict[str, Any] = {"num_output": layer.units}
    blobs = _with_bias(layer, kernel.T, fields)
    plain = [Top(tops[0].name)]
    top = to.add("InnerProduct", layer.name, plain, "inner_product_param", fields, blobs)
    return activated(to, layer, top)


def pooling(to: NetWriter, layer: Any, tops: list[Top], tensor: Any) -> Top:
    """Write a pooling, and that it rounds down where that makes a difference."""
    _channels_last(to, layer)
    image, mean = _image(tensor), isinstance(layer, layers.AveragePooling2D)
    window = pool_window(layer.pool_size, layer.strides, layer.padding, image)
    fields = {"pool": 1 if mean else 0, **_window(to, layer, window, separate=True)}
    pads = window.pad_h[0], window.pad_w[0]
    if mean and pads != (0, 0):
        to.refuse(
            layer, f"pads by {pads}; Caffe counts its padding into the mean, and this does not"
        )
    axes = zip(image, window.size, window.stride, pads, strict=True)
    complete = all((n + 2 * pad - k) % s == 0 for n, k, s, pad in axes)
    if not complete and not layer.ceil_mode:
        fields["round_mode"] = 1
    return to.add("Pooling", layer.name, tops, "pooling_param", fields)


def global_pooling(to: NetWriter, layer: Any, tops: list[Top], tensor: Any) -> Top:
    """Write a pooling of whole channels, and the flattening that comes with it here."""
    _channels_last(to, layer)
    fields = {"pool": int(isinstance(layer, layers.GlobalAveragePooling2D)), "global_pooling": True}
    top = to.add("Pooling", layer.name, tops, "pooling_param", fields)
    return top if layer.keepdims else to.add("Flatten", f"{layer.name}/flatten", [top])


def local_response_norm(to: NetWriter, layer: Any, tops: list[Top], tensor: Any) -> Top:
    """Write the normalization across channels."""
    given = layer.arguments
    fields = {"local_size": given["size"], **{key: given[key] for key in ("alpha", "beta", "k")}}
    return to.add("LRN", layer.name, tops, "lrn_param", fields)


def batch_norm(to: NetWriter, layer: Any, tops: list[Top], tensor: Any) -> Top:
    """Write a batch normalization: running statistics, and learned weights as a layer Scale."""
    tops = [to.in_caffes_order(layer, top) for top in tops]
    fields = {"use_global_stats": True, "eps": layer.epsilon,
              "moving_average_fraction": layer.momentum}  # fmt: skip
    one = np.ones(1, np.float32)
    blobs = [layer.moving_mean.value, layer.moving_variance.value, one]
    top = to.add("BatchNorm", layer.name, tops, "batch_norm_param", fields, blobs)
    if not (layer.scale or layer.center):
        return top
    gamma, beta = np.asarray(layer.gamma), np.asarray(layer.beta)
    return to.add("Scale", f"{layer.name}/scale", [top], "scale_param", {"bias_term": True},
                  [gamma, beta])  # fmt: skip


def rescaling(to: NetWriter, layer: Any, tops: list[Top], tensor: Any) -> Top:
    """Write a linear function of each number, or one per channel."""
    if not layer.is_per_channel:
        fields = {"scale": layer.scale, "shift": layer.offset}
        return to.add("Power", layer.name, tops, "power_param", fields)
    channels = (tensor.shape[-1],)
    blobs = [np.broadcast_to(np.float32(one), channels) for one in (layer.scale, layer.offset)]
    tops = [to.in_caffes_order(layer, top) for top in tops]
    return to.add("Scale", layer.name, tops, "scale_param", {"bias_term": True}, blobs)


def prelu(to: NetWriter, layer: Any, tops: list[Top], tensor: Any) -> Top:
    """Write slopes per channel, or one for all."""
    alpha, tops = layer.alpha.value, [to.in_caffes_order(layer, top) for top in tops]
    if alpha.size not in (1, tensor.shape[-1]) or alpha.shape[-1] != alpha.size:
        to.refuse(layer, f"has slopes {alpha.shape}; Caffe has one per channel, or one")
    shared = {"channel_shared": True} if alpha.size == 1 else {}
    return to.add("PReLU", layer.name, tops, "prelu_param", shared, [alpha.ravel()])


def relu(to: NetWriter, layer: Any, tops: list[Top], tensor: Any) -> Top:
    """Write max(x, 0), with a slope for negative values."""
    if layer.threshold or layer.max_value is not None:
        to.refuse(layer, "has a threshold or a largest value, which Caffe's ReLU has not")
    return _relu(to, layer, tops)


def leaky_relu(to: NetWriter, layer: Any, tops: list[Top], tensor: Any) -> Top:
    """Write max(x, 0) with a slope for negative values."""
    return _relu(to, layer, tops)


def _relu(to: NetWriter, layer: Any, tops: list[Top]) -> Top:
    slope = {"negative_slope": layer.negative_slope} if layer.negative_slope else {}
    return to.add("ReLU", layer.name, tops, "relu_param", slope)


def elu(to: NetWriter, layer: Any, tops: list[Top], tensor: Any) -> Top:
    """Write the exponential linear unit."""
    return to.add("ELU", layer.name, tops, "elu_param", {"alpha": layer.alpha})


def softmax(to: NetWriter, layer: Any, tops: list[Top], tensor: Any) -> Top:
    """Write a softmax over the channels."""
    if layer.axis not in (-1, len(tensor.shape) - 1):
        to.refuse(layer, f"has axis {layer.axis}; only the last one is written")
    return to.add("Softmax", layer.name, [to.in_caffes_order(layer, top) for top in tops])


def activation(to: NetWriter, layer: Any, tops: list[Top], tensor: Any) -> Top:
    """Write an activation."""
    return activated(to, layer, tops[0], layer.name)


def activated(to: NetWriter, layer: Any, top: Top, name: str = "") -> Top:
    """Write the activation of a layer after it; nothing if it is linear."""
    given = serialize(layer.activation)
    if given == "linear":
        return top
    if not isinstance(given, str) or given not in ACTIVATIONS:
        to.refuse(layer, f"has the activation {quoted(given, 60)}, which Caffe has not")
    kind, param, fields = ACTIVATIONS[given]
    if kind == "Softmax":
        top = to.in_caffes_order(layer, top)
    return to.add(kind, name or f"{layer.name}/{given}", [top], param, fields)


def dropout(to: NetWriter, layer: Any, tops: list[Top], tensor: Any) -> Top:
    """Write a dropout, which acts in training alone."""
    return to.add("Dropout", layer.name, tops, "dropout_param", {"dropout_ratio": layer.rate})


def flatten(to: NetWriter, layer: Any, tops: list[Top], tensor: Any) -> Top:
    """Write a flattening; the values of an image are in another order in Caffe."""
    _channels_last(to, layer)
    top, shape = to.add("Flatten", layer.name, tops), tensor.inputs[0].shape
    if len(shape) != 4:
        return top
    _, h, w, c = shape
    return Top(top.name, None if c == 1 or h * w == 1 else (c, h, w))


def merge(to: NetWriter, layer: Any, tops: list[Top], tensor: Any) -> Top:
    """Write the sum, the product or the maximum of inputs of one shape."""
    tops = _alike(to, layer, tops, tensor)
    fields = {"operation": ELTWISE[type(layer).__name__]}
    return to.add("Eltwise", layer.name, tops, "eltwise_param", fields)


def weighted_sum(to: NetWriter, layer: Any, tops: list[Top], tensor: Any) -> Top:
    """Write a difference or a mean: a sum with coefficients."""
    tops = _alike(to, layer, tops, tensor)
    difference = isinstance(layer, layers.Subtract)
    factors = [1.0, -1.0] if difference else [1 / len(tops)] * len(tops)
    return to.add("Eltwise", layer.name, tops, "eltwise_param", {"coeff": factors})


def concatenate(to: NetWriter, layer: Any, tops: list[Top], tensor: Any) -> Top:
    """Write a concatenation."""
    tops, rank = [to.in_caffes_order(layer, top) for top in tops], len(tensor.shape)
    axis = layer.axis % rank
    axis = {1: 2, 2: 3, 3: 1}[axis] if rank == 4 else axis
    return to.add("Concat", layer.name, tops, "concat_param", {"axis": axis})


def identity(to: NetWriter, layer: Any, tops: list[Top], tensor: Any) -> Top:
    """Write nothing: the layer returns its input."""
    return tops[0]


def _alike(to: NetWriter, layer: Any, tops: list[Top], tensor: Any) -> list[Top]:
    if len({tuple(x.shape) for x in tensor.inputs}) > 1:
        to.refuse(layer, "broadcasts inputs of different shapes, which Caffe's Eltwise cannot")
    if len({top.pixels for top in tops}) > 1:
        tops = [to.in_caffes_order(layer, top) for top in tops]
    return tops


def _with_bias(layer: Any, kernel: np.ndarray, fields: dict[str, Any]) -> list[np.ndarray]:
    if layer.bias is None:
        fields["bias_term"] = False
        return [kernel]
    return [kernel, layer.bias.value]


def _image(tensor: Any) -> Pair:
    return tensor.inputs[0].shape[1:3]


def _channels_last(to: NetWriter, layer: Any) -> None:
    if layer.data_format == "channels_first":
        to.refuse(layer, "has its channels first; only layers with the channels last are written")


def _window(
    to: NetWriter, layer: Any, window: Window2D, *, separate: bool = False
) -> dict[str, Any]:
    """Return the fields of a window: one number for both axes, or one for each."""
    if window.pad_h[0] != window.pad_h[1] or window.pad_w[0] != window.pad_w[1]:
        to.refuse(
            layer, f"pads rows by {window.pad_h} and columns by {window.pad_w}; Caffe pads both "
            "sides alike"
        )  # fmt: skip
    fields: dict[str, Any] = {}
    pads = window.pad_h[0], window.pad_w[0]
    for name, (rows, columns) in (("kernel", window.size), ("stride", window.stride),
                                  ("pad", pads)):  # fmt: skip
        whole = "kernel_size" if name == "kernel" else name
        if rows == columns:
            fields[whole] = rows if separate else [rows]
        else:
            fields |= {f"{name}_h": rows, f"{name}_w": columns}
    return fields


WRITERS: dict[type, Callable[[NetWriter, Any, list[Top], Any], Top]] = {
    layers.Conv2D: convolution,
    layers.DepthwiseConv2D: convolution,
    layers.Conv2DTranspose: transposed_convolution,
    layers.UpSampling2D: upsampling,
    layers.Dense: dense,
    layers.MaxPooling2D: pooling,
    layers.AveragePooling2D: pooling,
    layers.GlobalMaxPooling2D: global_pooling,
    layers.GlobalAveragePooling2D: global_pooling,
    layers.LocalResponseNormalization: local_response_norm,
    layers.BatchNormalization: batch_norm,
    layers.Rescaling: rescaling,
    layers.PReLU: prelu,
    layers.ReLU: relu,
    layers.LeakyReLU: leaky_relu,
    layers.ELU: elu,
    layers.Softmax: softmax,
    layers.Activation: activation,
    layers.Dropout: dropout,
    layers.Flatten: flatten,
    layers.Add: merge,
    layers.Multiply: merge,
    layers.Maximum: merge,
    layers.Subtract: weighted_sum,
    layers.Average: weighted_sum,
    layers.Concatenate: concatenate,
    layers.Identity: identity,
}
