"""Caffe's layers with windows: convolutions, pooling and normalization of neighborhoods.

Caffe rounds the number of pooling windows up and counts the padding into a mean; its padding is the
same before and after.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn import ops
from minicnn.interop.caffe.item import Item
from minicnn.interop.caffe.values import Value, of_image
from minicnn.layers import (
    AveragePooling2D,
    Conv2D,
    Conv2DTranspose,
    Cropping2D,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    LocalResponseNormalization,
    MaxPooling2D,
    Multiply,
    Rescaling,
    ZeroPadding2D,
)
from minicnn.shapes import Pair
from minicnn.support import memory_limits


def convolution(item: Item, values: list[Value]) -> list[Value]:
    """Return the convolution, in groups and with dilation if it says so."""
    p, x = item.convolution_param, values[0].image()
    channels = x.shape[3]
    depthwise = item.type != "Convolution"  # of branches of Caffe; each channel is a group
    groups = channels if depthwise else p.group
    layer = Conv2D(
        p.num_output, kernel_size(item, p), groups=groups, use_bias=p.bias_term, name=item.name,
        padding=lengths(item, p, "pad", 0, least=0), **_steps(item, p),
    )  # fmt: skip
    y = layer(x)
    kernel = item.blob(0, (p.num_output, channels // groups, *layer.kernel_size))
    if kernel is not None:
        item.assign(layer.kernel, kernel.transpose(2, 3, 1, 0))
        item.assign(layer.bias, item.blob(1, (p.num_output,)) if p.bias_term else None)
    return [of_image(y)]


def deconvolution(item: Item, values: list[Value]) -> list[Value]:
    """Return the transposed convolution; groups become one kernel with zeros between them."""
    p, x = item.convolution_param, values[0].image()
    channels, size = x.shape[3], kernel_size(item, p)
    if channels % p.group or p.num_output % p.group:
        item.refuse(f"has {p.group} groups for {channels} channels and {p.num_output} outputs")
    memory_limits.check_parameter((*size, p.num_output, channels), item.what)
    steps = _steps(item, p)
    pads = lengths(item, p, "pad", 0, least=0)
    layer = Conv2DTranspose(
        p.num_output, size, output_padding=0, use_bias=p.bias_term, name=item.name, **steps
    )
    y = layer(x)
    kernel = item.blob(0, (channels, p.num_output // p.group, *size))
    if kernel is not None:
        item.assign(layer.kernel, _with_zeros(kernel, p.group).transpose(2, 3, 1, 0))
        item.assign(layer.bias, item.blob(1, (p.num_output,)) if p.bias_term else None)
    if pads != (0, 0):
        y = Cropping2D(pads)(y)
    return [of_image(y)]


def _with_zeros(kernel: np.ndarray, groups: int) -> np.ndarray:
    """Return (C, O, KH, KW) of a kernel (C, O / groups, KH, KW)."""
    inputs, outputs = kernel.shape[0] // groups, kernel.shape[1]
    whole = np.zeros((kernel.shape[0], outputs * groups, *kernel.shape[2:]), np.float32)
    for group in range(groups):
        rows = slice(group * inputs, (group + 1) * inputs)
        whole[rows, group * outputs : (group + 1) * outputs] = kernel[rows]
    return whole


def pooling(item: Item, values: list[Value]) -> list[Value]:
    """Return the largest value or the mean of each window."""
    p, x = item.pooling_param, values[0].image()
    if p.pool not in (0, 1):
        item.refuse("pools at random (STOCHASTIC), which minicnn has no layer for")
    largest = p.pool == 0
    if p.global_pooling:
        whole = GlobalMaxPooling2D if largest else GlobalAveragePooling2D
        return [of_image(whole(keepdims=True, name=item.name)(x))]
    window = (kernel_size(item, p), lengths(item, p, "stride", 1), lengths(item, p, "pad", 0, 0))
    if any(pad >= k for pad, k in zip(window[2], window[0], strict=True)):
        item.refuse(f"has a padding {window[2]} that is not smaller than its window {window[0]}")
    pool = _max_pool if largest else _mean_pool
    return [of_image(pool(item, x, *window, floor=p.round_mode == 1))]


def windows_of(n: int, k: int, stride: int, pad: int, *, padded: bool, floor: bool) -> int:
    """Return the number of Caffe's pooling windows along an axis.

    `padded` says whether the layer pads at all: only then Caffe leaves out a last window that
    begins in the padding.

    >>> windows_of(6, 3, 2, 0, padded=False, floor=False)
    3
    """
    room = n + 2 * pad - k
    count = (room // stride if floor else -(-room // stride)) + 1
    if padded and (count - 1) * stride >= n + pad:
        count -= 1
    return count


def _counts(item: Item, x: Any, size: Pair, strides: Pair, pads: Pair, floor: bool) -> Pair:
    axes = zip(x.shape[1:3], size, strides, pads, strict=True)
    padded = pads != (0, 0)
    found = [windows_of(n, k, s, p, padded=padded, floor=floor) for n, k, s, p in axes]
    for n, count, step, pad in zip(x.shape[1:3], found, strides, pads, strict=True):
        if count < 1:
            item.refuse(f"has a window {size} that is larger than its input, {tuple(x.shape[1:3])}")
        if (count - 1) * step >= n + pad:
            item.refuse("has a last window without a pixel, of which Caffe makes -3.4e38 or NaN")
    return found[0], found[1]


def _max_pool(item: Item, x: Any, size: Pair, strides: Pair, pads: Pair, *, floor: bool) -> Any:
    counts = _counts(item, x, size, strides, pads, floor)
    padding = (pads[0], pads[0]), (pads[1], pads[1])
    axes = zip(x.shape[1:3], size, strides, pads, counts, strict=True)
    complete = all((n + 2 * p - k) // s + 1 >= count for n, k, s, p, count in axes)
    layer = MaxPooling2D(size, strides, padding, ceil_mode=not complete, name=item.name)
    return cropped(layer(x), counts)


def _mean_pool(item: Item, x: Any, size: Pair, strides: Pair, pads: Pair, *, floor: bool) -> Any:
    """Return the means; zeros that are added before count as the padding does in Caffe."""
    counts = _counts(item, x, size, strides, pads, floor)
    if pads != (0, 0):
        x = ZeroPadding2D(pads)(x)
    axes = zip(x.shape[1:3], size, strides, counts, strict=True)
    complete = all((n - k) // s + 1 == count for n, k, s, count in axes)
    layer = AveragePooling2D(size, strides, ceil_mode=not complete, name=item.name)
    return cropped(layer(x), counts)


def cropped(x: Any, counts: Pair) -> Any:
    """Return the first rows and columns of images."""
    after = [n - count for n, count in zip(x.shape[1:3], counts, strict=True)]
    return Cropping2D(((0, after[0]), (0, after[1])))(x) if any(after) else x


def local_response_norm(item: Item, values: list[Value]) -> list[Value]:
    """Return the normalization across channels, or within each channel."""
    p, value = item.lrn_param, values[0]
    if p.local_size % 2 == 0:
        item.refuse(f"has local_size {p.local_size}, which must be odd")
    if p.norm_region == 0:
        layer = LocalResponseNormalization(p.local_size, p.alpha, p.beta, p.k, name=item.name)
        return [value.with_tensor(layer(value.image()))]
    x, size = value.image(), p.local_size
    squares = ZeroPadding2D(size // 2)(ops.square(x))
    means = AveragePooling2D(size, 1, name=f"{item.name}/means")(squares)
    scale = ops.power(Rescaling(p.alpha, 1.0, name=f"{item.name}/scale")(means), -p.beta)
    return [value.with_tensor(Multiply(name=item.name)([x, scale]))]


def kernel_size(item: Item, p: Any) -> Pair:
    """Return (rows, columns) of the window."""
    return lengths(item, p, "kernel_size", 0)


def lengths(item: Item, p: Any, name: str, otherwise: int, least: int = 1) -> Pair:
    """Return the two numbers of a field, which may stand in it or in those with _h and _w."""
    short = name.removesuffix("_size")
    if any(f"{short}_{axis}" in p.DESCRIPTOR.fields_by_name and p.HasField(f"{short}_{axis}")
           for axis in "hw"):  # fmt: skip
        found = [getattr(p, f"{short}_h"), getattr(p, f"{short}_w")]
    else:
        given = getattr(p, name)
        found = list(given) if hasattr(given, "__len__") else [given]
        if name != "kernel_size" and not hasattr(given, "__len__") and not p.HasField(name):
            found = [otherwise]
        found = found or [otherwise]
    found = found * 2 if len(found) == 1 else found
    if len(found) != 2 or min(found) < least:
        item.refuse(f"needs one or two numbers >= {least} as {name}; got {found}")
    return found[0], found[1]


def _steps(item: Item, p: Any) -> dict[str, Any]:
    """Return the strides and the dilation of a convolution."""
    if p.axis not in (1, -3):
        item.refuse(f"has axis {p.axis}; only images with the channels on axis 1 are supported")
    return {
        "strides": lengths(item, p, "stride", 1),
        "dilation_rate": lengths(item, p, "dilation", 1),
    }
