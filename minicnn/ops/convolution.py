"""Convolutions and pooling of images (N, H, W, C), and of sequences (N, L, C).

A sequence is an image of one row. With data_format="channels_first" the channels are axis 1; they
are moved to the end before, and back after the computation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minicnn.checks import quoted, shape_text
from minicnn.errors import ArgumentError, ShapeError
from minicnn.layers.functions import tensor_function
from minicnn.layers.tracing import apply_operation
from minicnn.operations.conv2d import CONV2D
from minicnn.operations.conv2d_transpose import CONV2D_TRANSPOSE
from minicnn.operations.pool import AVERAGE_POOL2D, MAX_POOL2D
from minicnn.ops.operands import floats, reshaped
from minicnn.ops.shapes import moveaxis
from minicnn.shapes import is_int


@tensor_function
def conv(
    inputs: Any, kernel: Any, strides: Any = 1, padding: str = "valid", data_format: Any = None,
    dilation_rate: Any = 1,
) -> Any:  # fmt: skip
    """Return the convolution with a kernel (KH, KW, CI / groups, CO).

    >>> import minicnn as mc
    >>> mc.ops.conv(mc.ops.ones((1, 4, 4, 1)), mc.ops.ones((2, 2, 1, 1)), 2).ravel().tolist()
    [4.0, 4.0, 4.0, 4.0]
    """
    w = floats(kernel)

    def convolved(x: Any, w: Any, **window: Any) -> Any:
        groups, rest = divmod(x.shape[3], w.shape[2])
        if rest or not groups:
            raise ShapeError(
                f"a kernel {shape_text(w.shape)} takes a multiple of {w.shape[2]} channels; inputs "
                f"have {x.shape[3]}"
            )
        return apply_operation(CONV2D, x, w, None, groups=groups, **window)

    window = _window(strides, padding, dilation_rate)
    return _on_images(lambda x: convolved(x, _images(w), **window), inputs, data_format)


@tensor_function
def depthwise_conv(
    inputs: Any, kernel: Any, strides: Any = 1, padding: str = "valid", data_format: Any = None,
    dilation_rate: Any = 1,
) -> Any:  # fmt: skip
    """Return the convolution of each channel on its own, with a kernel (KH, KW, C, multiplier)."""
    w = _images(floats(kernel))
    rows, columns, channels, multiplier = w.shape
    w = reshaped(w, (rows, columns, 1, channels * multiplier))
    window = _window(strides, padding, dilation_rate)
    return _on_images(
        lambda x: apply_operation(CONV2D, x, w, None, groups=channels, **window),
        inputs,
        data_format,
    )


@tensor_function
def separable_conv(
    inputs: Any, depthwise_kernel: Any, pointwise_kernel: Any, strides: Any = 1,
    padding: str = "valid", data_format: Any = None, dilation_rate: Any = 1,
) -> Any:  # fmt: skip
    """Return a depthwise convolution, then one of 1 x 1 pixels, which mixes the channels."""
    y = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(y, pointwise_kernel, 1, "valid", data_format)


@tensor_function
def conv_transpose(
    inputs: Any, kernel: Any, strides: Any = 1, padding: str = "valid", output_padding: Any = None,
    data_format: Any = None, dilation_rate: Any = 1,
) -> Any:  # fmt: skip
    """Return larger images: each pixel adds its copy of a kernel (KH, KW, CO, CI)."""
    w, window = _images(floats(kernel)), _window(strides, padding, dilation_rate)
    if output_padding is not None:
        window["output_padding"] = _for_images(output_padding, 0)
    return _on_images(
        lambda x: apply_operation(CONV2D_TRANSPOSE, x, w, **window), inputs, data_format
    )


@tensor_function
def max_pool(
    inputs: Any, pool_size: Any, strides: Any = None, padding: str = "valid",
    data_format: Any = None,
) -> Any:  # fmt: skip
    """Return the largest value in each window of each channel."""
    return _pooled(MAX_POOL2D, inputs, pool_size, strides, padding, data_format)


@tensor_function
def average_pool(
    inputs: Any, pool_size: Any, strides: Any = None, padding: str = "valid",
    data_format: Any = None,
) -> Any:  # fmt: skip
    """Return the mean of each window of each channel."""
    return _pooled(AVERAGE_POOL2D, inputs, pool_size, strides, padding, data_format)


def _pooled(
    operation: Any, inputs: Any, size: Any, strides: Any, padding: str, data_format: Any
) -> Any:
    steps = size if strides is None else strides

    def pooled(x: Any) -> Any:
        window = {"pool_size": _for_images(size), "strides": _for_images(steps)}
        if x.shape[1] == 1 and is_int(size):  # a sequence
            window = {"pool_size": (1, size), "strides": (1, steps)}
        return apply_operation(operation, x, padding=_padding(padding), **window)

    return _on_images(pooled, inputs, data_format)


def _window(strides: Any, padding: Any, dilation_rate: Any) -> dict[str, Any]:
    return {
        "strides": _for_images(strides),
        "padding": _padding(padding),
        "dilation": _for_images(dilation_rate),
    }


def _padding(padding: Any) -> Any:
    return padding.lower() if isinstance(padding, str) else padding


def _for_images(value: Any, one: int = 1) -> Any:
    """Return a pair for rows and columns; a sequence, of one row, has a single number."""
    if not is_int(value) and len(value) == 1:
        return (one, value[0])
    return value if is_int(value) else tuple(value)


def _images(w: Any) -> Any:
    """Return the kernel of a convolution of images; that of sequences gets a row."""
    return reshaped(w, (1, *w.shape)) if len(w.shape) == 3 else w


def _on_images(function: Callable[[Any], Any], inputs: Any, data_format: Any) -> Any:
    """Return function(inputs) for images or sequences in this format."""
    if data_format not in (None, "channels_last", "channels_first"):
        raise ArgumentError(
            'data_format must be "channels_last" or "channels_first"; got ' + quoted(data_format)
        )
    x, first = floats(inputs), data_format == "channels_first"
    if len(x.shape) not in (3, 4):
        raise ShapeError(
            f"inputs must be images (N, H, W, C) or sequences (N, L, C); got {shape_text(x.shape)}"
        )
    x = moveaxis(x, 1, -1) if first else x
    if len(x.shape) == 4:
        y = function(x)
    else:
        y = function(reshaped(x, (x.shape[0], 1, *x.shape[1:])))
        y = reshaped(y, (y.shape[0], *y.shape[2:]))
    return moveaxis(y, -1, 1) if first else y
