"""Convolutions: layers where the weights are constants, functions where they are computed.

ONNX's weights are (filters, channels / groups, KH, KW), ours (KH, KW, channels / groups, filters).
"""

from __future__ import annotations

from typing import Any

from minicnn import ops
from minicnn.interop.onnx.nodes import Node, filled
from minicnn.interop.onnx.operators.registry import operator
from minicnn.interop.onnx.operators.windows import Window, padding_of, window_of
from minicnn.interop.onnx.values import Value, arranged, channels_last, reshaped
from minicnn.layers import Conv1D, Conv2D, Conv2DTranspose, DepthwiseConv2D


@operator("Conv")
def conv(node: Node, x: Value, w: Value, b: Value | None = None) -> Value:
    """Return the convolution of images, of sequences, or of volumes."""
    rank, groups = x.rank - 2, node.integer("group", 1)
    _check_weights(node, x, w, groups, 1)
    window = window_of(node, w.shape[2:], x.shape[2:])
    data = x.channels_last()
    if rank == 3:
        y = _conv3d(node, data, _kernel(w), window)
        y = y if b is None else ops.add(y, b.logical())
    elif w.known and (b is None or b.known):
        y = _layer(node, data, w, b, window, groups)
    else:
        y = _convolved(data, _kernel(w), window, x.shape[2:])
        y = y if b is None else ops.add(y, b.logical())
    return Value(y, channels_last(x.rank))


def _check_weights(node: Node, x: Value, w: Value, groups: int, axis: int) -> None:
    rank = x.rank - 2
    if rank not in (1, 2, 3) or w.rank != x.rank:
        raise node.refused(f"an input {x.shape} with weights {w.shape}")
    if None in w.shape or x.shape[1] is None:
        raise node.refused(f"an input {x.shape} with weights {w.shape}, whose sizes are open")
    channels = w.shape[axis] * (groups if axis == 1 else 1)
    if groups < 1 or x.shape[1] != channels or w.shape[0] % groups:
        raise node.refused(f"{groups} groups, an input {x.shape} and weights {w.shape}")
    given = node.attributes.get("kernel_shape", list(w.shape[2:]))
    if list(given) != list(w.shape[2:]):
        raise node.refused(f"kernel_shape {given} with weights {w.shape}")


def _kernel(w: Value) -> Any:
    """Return the weights in our order: (KH, KW, channels / groups, filters)."""
    return w.in_order((*range(2, w.rank), 1, 0))


def _layer(node: Node, x: Any, w: Value, b: Value | None, window: Window, groups: int) -> Any:
    """Return the result of a layer with these weights."""
    padding = padding_of(window, x.shape[1:-1])
    arguments: dict[str, Any] = {"use_bias": b is not None}
    if w.rank == 3:
        if not isinstance(padding, str):
            x, padding = ops.pad(x, [(0, 0), *padding, (0, 0)]), "valid"
        arguments |= {"strides": window.strides[0], "dilation_rate": window.dilations[0]}
        layer = node.layer(
            Conv1D, w.shape[0], w.shape[2], groups=groups, padding=padding, **arguments
        )
        return filled(layer, x, kernel=_kernel(w), bias=None if b is None else b.logical())
    arguments |= {
        "strides": tuple(window.strides),
        "dilation_rate": tuple(window.dilations),
        "padding": padding,
    }
    if groups > 1 and w.shape[1] == 1:
        arguments["depth_multiplier"] = w.shape[0] // groups
        layer = node.layer(DepthwiseConv2D, tuple(window.size), **arguments)
    else:
        layer = node.layer(Conv2D, w.shape[0], tuple(window.size), groups=groups, **arguments)
    return filled(layer, x, kernel=_kernel(w), bias=None if b is None else b.logical())


def _convolved(x: Any, kernel: Any, window: Window, image: Any) -> Any:
    """Return the convolution with a computed kernel."""
    padding = padding_of(window, image)
    if not isinstance(padding, str):
        x, padding = ops.pad(x, [(0, 0), *padding, (0, 0)]), "valid"
    return ops.conv(x, kernel, tuple(window.strides), padding, None, tuple(window.dilations))


def _conv3d(node: Node, x: Any, kernel: Any, window: Window) -> Any:
    """Return the convolution of volumes (N, D, H, W, C): a sum of those of its planes."""
    if isinstance(window.pads, str):
        raise node.refused("volumes of unknown size")
    x = ops.pad(x, [(0, 0), *window.pads, (0, 0)])
    planes = (x.shape[1] - window.extent[0]) // window.strides[0] + 1
    steps, gaps = tuple(window.strides[1:]), tuple(window.dilations[1:])
    total = None
    for depth in range(window.size[0]):
        first = depth * window.dilations[0]
        last = first + (planes - 1) * window.strides[0] + 1
        part = ops.get_item(x, (slice(None), slice(first, last, window.strides[0])))
        images = reshaped(part, (None, *part.shape[2:]))
        plane = ops.get_item(kernel, depth)
        y = ops.conv(images, plane, steps, "valid", None, gaps)
        total = y if total is None else ops.add(total, y)
    return ops.reshape(total, (-1, planes, *total.shape[1:]))  # type: ignore[union-attr]


@operator("ConvTranspose")
def conv_transpose(node: Node, x: Value, w: Value, b: Value | None = None) -> Value:
    """Return a transposed convolution; its weights are (channels, filters / groups, KH, KW)."""
    groups, rank = node.integer("group", 1), x.rank - 2
    _check_weights(node, x, w, groups, 0)
    more = node.integers("output_padding", [0] * rank)
    window = _transposed_window(node, w, x.shape[2:], more)
    data = x.channels_last()
    representable = rank == 2 and groups == 1 and w.known and (b is None or b.known)
    if representable and all(map(_at_most, window.strides, more)):
        y = _transposed_layer(node, data, w, b, window, more)
    else:
        y = _inserted(node, data, w, window, more, groups)
        y = y if b is None else ops.add(y, b.logical())
    return Value(y, channels_last(x.rank))


def _at_most(stride: int, more: int) -> bool:
    return more < stride


def _transposed_window(node: Node, w: Value, image: Any, more: list[int]) -> Window:
    """Return the window; its padding is what is cut off from the whole result."""
    rank = len(more)
    mode = node.text("auto_pad", "NOTSET")
    sized = node.has("output_shape") or mode in ("SAME_UPPER", "SAME_LOWER")
    if not sized:
        return window_of(node, w.shape[2:], image)
    bare = Node(node.op, node.name, node.opset, dict(node.attributes), (), (), node.path)
    bare.attributes |= {"auto_pad": "NOTSET", "pads": [0] * 2 * rank}
    window = window_of(bare, w.shape[2:], image)
    wanted: list[Any] = [n * s if n else None for n, s in zip(image, window.strides, strict=True)]
    if node.has("output_shape"):
        wanted = list(node.integers("output_shape")[-rank:])
    pads = []
    for n, extent, stride, add, length in zip(
        image, window.extent, window.strides, more, wanted, strict=True
    ):
        if n is None or length is None:
            raise node.refused("the output's size must be known")
        total = (n - 1) * stride + add + extent - length
        half = total // 2
        pads.append((total - half, half) if mode != "SAME_UPPER" else (half, total - half))
    return window._replace(pads=pads)


def _transposed_layer(
    node: Node, x: Any, w: Value, b: Value | None, window: Window, more: list[int]
) -> Any:
    """Return the result of a layer, without the rows and columns that `pads` cuts off."""
    arguments: dict[str, Any] = {
        "strides": tuple(window.strides),
        "dilation_rate": tuple(window.dilations),
        "use_bias": b is not None,
    }
    kernel = w.in_order((2, 3, 1, 0))
    bias = None if b is None else b.logical()
    cut = [(begin, end - add) for (begin, end), add in zip(window.pads, more, strict=True)]
    if _is_same_transposed(window, more):
        cut = [(0, 0)] * 2
        arguments["padding"] = "same"
    else:
        arguments["output_padding"] = tuple(max(-end, 0) for _, end in cut)
    layer = node.layer(Conv2DTranspose, w.shape[1], tuple(window.size), **arguments)
    y = filled(layer, x, kernel=kernel, bias=bias)
    return _cut(y, [(begin, max(end, 0)) for begin, end in cut])


def _is_same_transposed(window: Window, more: list[int]) -> bool:
    """Return whether Keras's padding "same" is meant."""
    axes = zip(window.extent, window.strides, window.pads, more, strict=True)
    return all(
        extent >= stride
        and add == 0
        and pads == ((extent - stride) // 2, extent - stride - (extent - stride) // 2)
        for extent, stride, pads, add in axes
    )


def _cut(x: Any, pads: list[tuple[int, int]]) -> Any:
    """Return the tensor without some rows and columns; negative numbers add zeros."""
    added = [(max(-before, 0), max(-after, 0)) for before, after in pads]
    x = ops.pad(x, [(0, 0), *added, (0, 0)]) if any(map(any, added)) else x
    if not any(before > 0 or after > 0 for before, after in pads):
        return x
    keys = [slice(max(before, 0), -after if after > 0 else None) for before, after in pads]
    return ops.get_item(x, (slice(None), *keys))


def _inserted(node: Node, x: Any, w: Value, window: Window, more: list[int], groups: int) -> Any:
    """Return the convolution of the input with zeros between its pixels, by the turned kernel."""
    spatial = range(2, w.rank)
    lengths = x.shape[1:-1]
    if None in lengths:
        raise node.refused("images of a known size are needed for groups or long output_padding")
    x = _spread(x, window.strides)
    pads = [
        (begin - extent + 1, end - extent + 1 - add)
        for (begin, end), extent, add in zip(window.pads, window.extent, more, strict=True)
    ]
    x = _cut(x, pads)
    kernel = ops.flip(w.logical(), list(spatial))
    parts = ops.split(kernel, groups, 0) if groups > 1 else [kernel]
    kernel = ops.concatenate([arranged(one, (*spatial, 0, 1)) for one in parts], -1)
    ones = [1] * len(lengths)
    plain = Window(window.size, ones, window.dilations, [(0, 0)] * len(ones))
    if len(ones) == 3:
        if groups > 1:
            raise node.refused("groups in transposed convolutions of volumes")
        return _conv3d(node, x, kernel, plain)
    return _convolved(x, kernel, plain, x.shape[1:-1])


def _spread(x: Any, strides: list[int]) -> Any:
    """Return the tensor with stride - 1 zeros after each place but the last, along each axis."""
    for axis, stride in enumerate(strides, 1):
        if stride == 1:
            continue
        n = x.shape[axis]
        wide = ops.expand_dims(x, axis + 1)
        pads = [(0, 0)] * len(wide.shape)
        pads[axis + 1] = (0, stride - 1)
        shape = list(x.shape)
        shape[axis] = n * stride
        x = reshaped(ops.pad(wide, pads), tuple(shape))
        keys = [slice(None)] * axis + [slice(0, (n - 1) * stride + 1)]
        x = ops.get_item(x, tuple(keys))
    return x
