"""The table from our operations on images, features and channels to ONNX's operators.

Images are brought to channels first where an operator needs it, and stay so.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.interop.onnx.writer_layouts import UNIT, Laid, Layouts, channels_first
from minicnn.interop.onnx.writer_ops import writes
from minicnn.interop.onnx.writer_shapes import read, repeated
from minicnn.interop.onnx.writer_trace import Step, Value
from minicnn.shapes import span

CHANNELS_FIRST = channels_first(4)
KERNEL = (3, 2, 0, 1)  # (KH, KW, CI, CO) as ONNX has it: (CO, CI, KH, KW)


def image(layouts: Layouts, step: Step) -> str:
    """Return the tensor of a step's images, (N, C, H, W)."""
    return layouts.fetch(read(step), CHANNELS_FIRST)


# --- convolution and pooling --------------------------------------------------------------------


@writes("conv2d")
def _conv2d(layouts: Layouts, step: Step) -> None:
    x, bias = image(layouts, step), step.reads[2]
    inputs = [x, layouts.fetch(read(step, 1), KERNEL)]
    if bias is not None:
        inputs.append(layouts.fetch(bias))
    window = step.attributes["window"]
    y = layouts.emit(
        "Conv",
        *inputs,
        kernel_shape=list(window.size),
        strides=list(window.stride),
        dilations=list(window.dilation),
        group=step.attributes["groups"],
        **_pads(layouts, step),
    )
    layouts.plain(step, y, CHANNELS_FIRST)


def _pads(layouts: Layouts, step: Step) -> dict[str, Any]:
    """Return the attributes of the padding: numbers, or the rule if the image's size is open."""
    window, padding = step.attributes["window"], step.arguments.get("padding", "valid")
    if None in read(step).shape[1:3]:
        if padding == "same" and max(window.stride) > 1:
            return {"auto_pad": "SAME_UPPER"}
        if step.arguments.get("ceil_mode") and padding == "valid":
            return {"ceil_mode": 1}
    (top, bottom), (left, right) = window.pad_h, window.pad_w
    if None in (top, bottom, left, right):
        raise layouts.refused("its padding depends on the images' size, which the file leaves open")
    return {"pads": [top, left, bottom, right]}


@writes("conv2d_transpose")
def _conv2d_transpose(layouts: Layouts, step: Step) -> None:
    """Write a transposed convolution; a third input is a bias."""
    x = read(step)
    inputs = [image(layouts, step), layouts.fetch(read(step, 1), KERNEL)]
    inputs += [layouts.fetch(bias) for bias in step.reads[2:] if bias is not None]
    window = step.attributes["window"]
    more = _added_lengths(layouts, step, x)
    cropped = [*zip(window.pad_h, window.pad_w, strict=True)]
    if None in [*window.pad_h, *window.pad_w]:
        raise layouts.refused("its padding depends on the images' size, which the file leaves open")
    y = layouts.emit(
        "ConvTranspose",
        *inputs,
        kernel_shape=list(window.size),
        strides=list(window.stride),
        dilations=list(window.dilation),
        pads=[*cropped[0], *cropped[1]],
        output_padding=more,
    )
    layouts.plain(step, y, CHANNELS_FIRST)


def _added_lengths(layouts: Layouts, step: Step, x: Value) -> list[int]:
    """Return how many rows and columns the result has that no filter reaches."""
    window, found = step.attributes["window"], []
    for i, pads in ((0, window.pad_h), (1, window.pad_w)):
        more = set()
        for one in step.exact:
            small = one["window"].out_hw(one["image"])[i]
            reached = (small - 1) * window.stride[i] + span(window.size[i], window.dilation[i])
            more.add(one["image"][i] + sum(pads) - reached)
        if len(more) != 1:
            raise layouts.refused("its size does not follow from that of its input")
        found.append(more.pop())
    return found


@writes("max_pool2d", "average_pool2d")
def _pool2d(layouts: Layouts, step: Step) -> None:
    x, window = image(layouts, step), step.attributes["window"]
    op = "MaxPool" if step.kernel == "max_pool2d" else "AveragePool"
    y = layouts.emit(
        op, x, kernel_shape=list(window.size), strides=list(window.stride), **_pads(layouts, step)
    )
    layouts.plain(step, y, CHANNELS_FIRST)


@writes("global_max_pool2d", "global_average_pool2d")
def _global_pool2d(layouts: Layouts, step: Step) -> None:
    op = "GlobalMaxPool" if step.kernel == "global_max_pool2d" else "GlobalAveragePool"
    y = layouts.emit(op, image(layouts, step))
    layouts.put(step.value, Laid(y, (0, 1, UNIT, UNIT)))


# --- features -----------------------------------------------------------------------------------


@writes("dense")
def _dense(layouts: Layouts, step: Step) -> None:
    x, kernel, bias = read(step), read(step, 1), step.reads[2]
    if x.rank != 2:
        y = layouts.emit("MatMul", layouts.fetch(x), layouts.fetch(kernel))
        if bias is not None:
            y = layouts.emit("Add", y, layouts.fetch(bias))
        layouts.plain(step, y)
        return
    order = None if x.array is not None else layouts.laid(x).order
    if order is not None and kernel.array is not None:
        inputs = [layouts.laid(x).tensor, layouts.with_rows(kernel, order)]
    else:
        inputs = [layouts.fetch(x), layouts.fetch(kernel)]
    if bias is not None:
        inputs.append(layouts.fetch(bias))
    layouts.plain(step, layouts.emit("Gemm", *inputs))


# --- normalization ------------------------------------------------------------------------------


@writes("batch_norm_inference")
def _batch_norm(layouts: Layouts, step: Step) -> None:
    x, *weights = (read(step, i) for i in range(5))
    laid = None if x.array is not None else layouts.laid(x)
    keeps = laid is not None and not laid.spread and laid.axes[:2] == channels_first(x.rank)[:2]
    if keeps and laid is not None and x.rank == 2:
        tensor, axes, order = laid.tensor, laid.axes, laid.order
    else:
        axes, order = channels_first(x.rank), None
        tensor = layouts.fetch(x, axes)
    roles = ("gamma", "beta", "moving_mean", "moving_variance")
    for weight, role in zip(weights, roles, strict=True):
        weight.label = role if weight.label == "constant" else weight.label
    names = [layouts.with_rows(one, order) for one in weights]
    y = layouts.emit(
        "BatchNormalization", tensor, *names, epsilon=float(step.attributes["epsilon"])
    )
    layouts.put(step.value, Laid(y, axes, order=order))


@writes("local_response_norm")
def _local_response_norm(layouts: Layouts, step: Step) -> None:
    size, alpha, beta, k = (step.attributes[name] for name in ("size", "alpha", "beta", "k"))
    y = layouts.emit("LRN", image(layouts, step), size=size, alpha=alpha, beta=beta, bias=k)
    layouts.plain(step, y, CHANNELS_FIRST)


@writes("group_norm")
def _group_norm(layouts: Layouts, step: Step) -> None:
    attributes = step.attributes
    groups, first, channel = (attributes[n] for n in ("groups", "sample_axis", "channel_axis"))
    of_variance = attributes["statistic"] == "variance"
    if of_variance and groups == 1 and first == channel:
        _layer_norm(layouts, step)
    elif of_variance and first == 1 and channel == read(step).rank - 1:
        _instance_norm(layouts, step)
    elif groups == 1:
        _plain_norm(layouts, step)
    else:
        raise layouts.refused(f"ONNX has no normalization by {attributes['statistic']} in groups")


def _layer_norm(layouts: Layouts, step: Step) -> None:
    x, gamma, beta = read(step), step.reads[1], step.reads[2]
    first, epsilon = step.attributes["sample_axis"], float(step.attributes["epsilon"])
    shape = x.shape[first:]
    if gamma is None and None in shape:
        raise layouts.refused("its gamma has lengths that the file leaves open")
    inputs = [layouts.fetch(x)]
    if gamma is None:
        inputs.append(layouts.constant(np.ones(shape, np.float32), "gamma"))  # type: ignore[arg-type]
    else:
        inputs.append(layouts.fetch(gamma))
    if beta is not None:
        inputs.append(layouts.fetch(beta))
    y = layouts.emit("LayerNormalization", *inputs, axis=first - x.rank, epsilon=epsilon)
    layouts.plain(step, y)


def _instance_norm(layouts: Layouts, step: Step) -> None:
    """Write a normalization of groups of channels over all positions of each sample."""
    x, gamma, beta = read(step), step.reads[1], step.reads[2]
    channels, groups = x.shape[-1], step.attributes["groups"]
    axes = channels_first(x.rank)
    tensor, epsilon = layouts.fetch(x, axes), float(step.attributes["epsilon"])
    if channels == groups and x.rank > 2 and _are_known(gamma, beta):
        weights = [
            layouts.constant(np.full(groups, number, np.float32), name)
            if one is None
            else layouts.fetch(one)
            for one, number, name in ((gamma, 1, "gamma"), (beta, 0, "beta"))
        ]
        y = layouts.emit("InstanceNormalization", tensor, *weights, epsilon=epsilon)
        layouts.plain(step, y, axes)
        return
    ones = layouts.constant(np.ones(groups, np.float32), "ones")
    zeros = layouts.constant(np.zeros(groups, np.float32), "zeros")
    rows = layouts.emit("Reshape", tensor, layouts.integers([0, groups, -1], "groups"))
    rows = layouts.emit("InstanceNormalization", rows, ones, zeros, epsilon=epsilon)
    y = layouts.emit("Reshape", rows, _shape_of(layouts, x, tensor, axes))
    _scaled(layouts, step, Laid(y, axes))


def _are_known(*weights: Value | None) -> bool:
    return all(one is None or one.array is not None for one in weights)


def _shape_of(layouts: Layouts, x: Value, tensor: str, axes: Any) -> str:
    lengths = [0 if axis == 0 else x.shape[axis] for axis in axes]
    return layouts.emit("Shape", tensor) if None in lengths else layouts.integers(lengths, "shape")


def _plain_norm(layouts: Layouts, step: Step) -> None:
    """Write a normalization by its formula, over all axes from the sample's on."""
    x, epsilon = read(step), step.attributes["epsilon"]
    statistic = step.attributes["statistic"]
    axes = layouts.axes_of(x)
    tensor = layouts.fetch(x, axes)
    places = sorted(axes.index(axis) for axis in range(step.attributes["sample_axis"], x.rank))
    small = layouts.number(epsilon, "epsilon")
    if statistic == "norm":
        length = layouts.emit("ReduceL2", tensor, axes=places, keepdims=1)
        length = layouts.emit("Max", length, small)
    else:
        if statistic == "variance":
            mean = layouts.emit("ReduceMean", tensor, axes=places, keepdims=1)
            tensor = layouts.emit("Sub", tensor, mean)
        square = layouts.emit("Mul", tensor, tensor)
        square = layouts.emit("ReduceMean", square, axes=places, keepdims=1)
        length = layouts.emit("Sqrt", layouts.emit("Add", square, small))
    _scaled(layouts, step, Laid(layouts.emit("Div", tensor, length), axes))


def _scaled(layouts: Layouts, step: Step, laid: Laid) -> None:
    """Write the products with gamma and the sums with beta, as far as there are any."""
    for weight, op in zip(step.reads[1:3], ("Mul", "Add"), strict=True):
        if weight is not None:
            whole = repeated(layouts, weight, step.value)
            layouts.put(step.value, laid)
            names, laid = layouts.together([step.value, whole])
            laid = laid._replace(tensor=layouts.emit(op, *names))
    layouts.put(step.value, laid)
