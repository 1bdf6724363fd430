"""What steps are called, and what they are made with, for people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minicnn.apps.explorer.recording import Step
from minicnn.contracts import Shape
from minicnn.shapes import Window2D

NAMES = {
    "conv2d": "Convolution",
    "conv2d_transpose": "Transposed convolution",
    "dense": "Dense",
    "max_pool2d": "Maximum pooling",
    "average_pool2d": "Average pooling",
    "rescale": "Rescaling",
    "reshape": "New shape",
    "upsample2d": "Upsampling",
    "relu": "ReLU",
    "leaky_relu": "Leaky ReLU",
    "relu6": "ReLU6",
    "elu": "ELU",
    "silu": "SiLU",
    "gelu": "GELU",
    "sigmoid": "Sigmoid",
    "tanh": "Tanh",
    "softmax": "Softmax",
    "batch_norm_inference": "Batch normalization",
    "local_response_norm": "Local response normalization",
    "group_norm": "Group normalization",
    "add": "Sum of two branches",
    "multiply": "Product of two branches",
    "concatenate": "Concatenation of two branches",
    "bias": "Bias",
    "zero_pad2d": "Zero padding",
    "crop2d": "Cropping",
    "global_max_pool2d": "Maximum of each map",
    "global_average_pool2d": "Mean of each map",
}


def name_of(operation: str) -> str:
    """Return what people call an operation.

    >>> name_of("relu6"), name_of("max_pool2d"), name_of("stop_gradient")
    ('ReLU6', 'Maximum pooling', 'Stop gradient')
    """
    return NAMES.get(operation, operation.replace("_", " ").capitalize())


def title(step: Step, shapes: dict[str, Shape]) -> str:
    """Return a step in a few words; `shapes` has those of its parameters, by contract names."""
    if step.name in _TITLES:
        return _TITLES[step.name](step, shapes)
    return name_of(step.name)


def attributes(step: Step) -> dict[str, Any]:
    """Return the numbers of a step by the names that layers have for them, fit for JSON."""
    found: dict[str, Any] = {}
    for name, value in step.attributes.items():
        if name == "algorithm":
            continue
        if isinstance(value, Window2D):
            found |= _window(value, "pool_size" if "pool" in step.name else "kernel_size")
        elif isinstance(value, (bool, int, float, str)):
            found[name] = value
        elif isinstance(value, tuple) and all(isinstance(one, (int, float)) for one in value):
            found[name] = list(value)
    return found


def _window(window: Window2D, size: str) -> dict[str, Any]:
    return {
        size: list(window.size),
        "strides": list(window.stride),
        "dilation_rate": list(window.dilation),
        "padding": [list(window.pad_h), list(window.pad_w)],
    }


def _size(window: Window2D) -> str:
    text = f"{window.size[0]} x {window.size[1]}"
    if window.dilation != (1, 1):
        text += f", dilation {window.dilation[0]} x {window.dilation[1]}"
    return text


def _steps_of(window: Window2D) -> str:
    return "" if window.stride == (1, 1) else f", stride {window.stride[0]} x {window.stride[1]}"


def _conv2d(step: Step, shapes: dict[str, Shape]) -> str:
    window, groups = step.attributes["window"], step.attributes["groups"]
    kernels = step.shape[-1]
    what = "Convolution"
    if groups > 1:
        is_depthwise = shapes.get("w", (0, 0, 0, 0))[2] == 1
        what = "Depthwise convolution" if is_depthwise else f"Convolution in {groups} groups"
    return f"{what}, {kernels} kernels of {_size(window)}{_steps_of(window)}"


def _transposed(step: Step, _shapes: dict[str, Shape]) -> str:
    window = step.attributes["window"]
    return f"Transposed convolution, {step.shape[-1]} kernels of {_size(window)}{_steps_of(window)}"


def _dense(step: Step, shapes: dict[str, Shape]) -> str:
    inputs = shapes["w"][0] if "w" in shapes else "all"
    return f"Dense, {step.shape[-1]} units that read {inputs} values each"


def _pool(what: str) -> Callable[[Step, dict[str, Shape]], str]:
    def text(step: Step, _shapes: dict[str, Shape]) -> str:
        window = step.attributes["window"]
        return f"{what} of {_size(window)}{_steps_of(window)}"

    return text


def _rescale(step: Step, _shapes: dict[str, Shape]) -> str:
    return f"Rescaling, times {step.attributes['scale']:.4g}" + (
        f" plus {step.attributes['offset']:.4g}" if step.attributes["offset"] else ""
    )


def _reshape(step: Step, _shapes: dict[str, Shape]) -> str:
    return (
        "Flatten: all values in one row" if len(step.shape) == 1 else f"In the shape {step.shape}"
    )


def _upsample(step: Step, _shapes: dict[str, Shape]) -> str:
    size, how = step.attributes["size"], step.attributes["interpolation"]
    return f"Upsampling, {size[0]} x {size[1]} times as large, {how}"


_TITLES: dict[str, Callable[[Step, dict[str, Shape]], str]] = {
    "conv2d": _conv2d,
    "conv2d_transpose": _transposed,
    "dense": _dense,
    "max_pool2d": _pool("Maximum"),
    "average_pool2d": _pool("Mean"),
    "rescale": _rescale,
    "reshape": _reshape,
    "upsample2d": _upsample,
}


def parameter_kind(name: str) -> str:
    """Return what the numbers of a parameter are called.

    >>> parameter_kind("conv1/bias"), parameter_kind("conv1/kernel")
    ('bias', 'weight')
    """
    return "bias" if name.split("/")[-1] == "bias" else "weight"
