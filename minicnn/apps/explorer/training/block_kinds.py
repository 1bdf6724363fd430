"""The kinds of blocks that a network is put together from: their fields, and where they fit."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from minicnn import layers
from minicnn.apps.explorer.training.fields import CHOICE, INTEGER, NUMBER, Field
from minicnn.layers.base import Layer

Shape = tuple[int, ...]
Values = Mapping[str, Any]
FUNCTIONS = ("linear", "relu", "leaky_relu", "tanh", "sigmoid", "gelu")
PADDINGS = ("valid", "same")


class BlockKind(NamedTuple):
    """A kind of layer.

    Parameters
    ----------
    kind : its name in addresses and JSON: lower case, without punctuation
    title : its name in Keras
    help : one sentence that says what it does
    fields : what can be chosen
    make : the layer of these values and this name
    refusal : why it does not fit after a layer of this shape, a sentence without the block's name
        and the final full stop; None: it fits
    weights : how many numbers it would learn
    """

    kind: str
    title: str
    help: str
    fields: tuple[Field, ...]
    make: Callable[[Values, str], Layer]
    refusal: Callable[[Shape, Values], str | None]
    weights: Callable[[Shape, Values], int]


def _activation(default: str) -> Field:
    text = "The activation function that is applied to each value; linear changes nothing."
    return Field("activation", "Activation", CHOICE, default, choices=FUNCTIONS, help=text)


def _strides(default: int) -> Field:
    text = "How many pixels the window moves at a time."
    return Field("strides", "Stride", INTEGER, default, 1, 8, help=text)


def _padding() -> Field:
    text = "valid: the window stays inside the image; same: zeros around it keep the size."
    return Field("padding", "Padding", CHOICE, "valid", choices=PADDINGS, help=text)


def _needs_image(shape: Shape, what: str) -> str | None:
    if len(shape) == 3:
        return None
    return (
        f"the input here is {shape[0]:,} single values, and {what} needs an image: put it before "
        "Flatten"
    )


def _window_refusal(shape: Shape, size: int, padding: str, name: str, remedy: str) -> str | None:
    height, width, _ = shape
    if padding == "same" or size <= min(height, width):
        return None
    return (
        f"the image is only {height} x {width} here, and the {name} is {size} x {size}; "
        f"use {remedy}"
    )


def _conv_refusal(shape: Shape, values: Values) -> str | None:
    remedy = "padding 'same', a smaller kernel, or fewer pooling layers"
    return _needs_image(shape, "a convolution") or _window_refusal(
        shape, values["kernel_size"], values["padding"], "kernel", remedy
    )


def _pool_refusal(shape: Shape, values: Values) -> str | None:
    remedy = "padding 'same', a smaller window, or fewer pooling layers before it"
    return _needs_image(shape, "pooling") or _window_refusal(
        shape, values["pool_size"], values["padding"], "window", remedy
    )


def _dense_refusal(shape: Shape, _values: Values) -> str | None:
    if len(shape) == 1:
        return None
    height, width, channels = shape
    return (
        f"the input here is an image of {height} x {width} with {channels} maps, and Dense takes "
        "single values; put Flatten before it"
    )


def _flatten_refusal(shape: Shape, _values: Values) -> str | None:
    if len(shape) == 3:
        return None
    return f"the input is already flat, {shape[0]:,} single values; remove this block"


def _global_refusal(shape: Shape, _values: Values) -> str | None:
    return _needs_image(shape, "the mean of each map")


def _fits_always(_shape: Shape, _values: Values) -> str | None:
    return None


def _no_weights(_shape: Shape, _values: Values) -> int:
    return 0


def _conv_weights(shape: Shape, values: Values) -> int:
    return (values["kernel_size"] ** 2 * shape[-1] + 1) * int(values["filters"])


def _dense_weights(shape: Shape, values: Values) -> int:
    return (math.prod(shape) + 1) * int(values["units"])


def _pooling_fields() -> tuple[Field, ...]:
    size = Field("pool_size", "Window", INTEGER, 2, 1, 8, help="Side of the square window.")
    return size, _strides(2), _padding()


KINDS = {
    one.kind: one
    for one in (
        BlockKind(
            "conv2d",
            "Conv2D",
            "Moves small kernels over the image; each gives one map of where its pattern is.",
            (
                Field(
                    "filters", "Kernels", INTEGER, 16, 1, 256,
                    help="Number of kernels; each gives one map.",
                ),
                Field("kernel_size", "Size", INTEGER, 3, 1, 11, help="Side of the square kernel."),
                _strides(1),
                _padding(),
                _activation("relu"),
            ),
            lambda values, name: layers.Conv2D(**values, name=name),
            _conv_refusal,
            _conv_weights,
        ),
        BlockKind(
            "maxpooling2d",
            "MaxPooling2D",
            "Keeps the largest value of each window, which makes the maps smaller.",
            _pooling_fields(),
            lambda values, name: layers.MaxPooling2D(**values, name=name),
            _pool_refusal,
            _no_weights,
        ),
        BlockKind(
            "averagepooling2d",
            "AveragePooling2D",
            "Keeps the mean of each window, which makes the maps smaller.",
            _pooling_fields(),
            lambda values, name: layers.AveragePooling2D(**values, name=name),
            _pool_refusal,
            _no_weights,
        ),
        BlockKind(
            "flatten",
            "Flatten",
            "Puts all values of all maps into one row, which Dense can read.",
            (),
            lambda _values, name: layers.Flatten(name=name),
            _flatten_refusal,
            _no_weights,
        ),
        BlockKind(
            "globalaveragepooling2d",
            "GlobalAveragePooling2D",
            "Keeps one number of each map, its mean; an alternative to Flatten with few weights.",
            (),
            lambda _values, name: layers.GlobalAveragePooling2D(name=name),
            _global_refusal,
            _no_weights,
        ),
        BlockKind(
            "dense",
            "Dense",
            "Each unit sums all values, each with a weight of its own.",
            (
                Field("units", "Units", INTEGER, 100, 1, 2048, help="Number of units."),
                _activation("relu"),
            ),
            lambda values, name: layers.Dense(**values, name=name),
            _dense_refusal,
            _dense_weights,
        ),
        BlockKind(
            "dropout",
            "Dropout",
            "Sets a random share of the values to 0 in each training step, against overfitting.",
            (Field("rate", "Share", NUMBER, 0.25, 0, 0.9, help="The share that is set to 0."),),
            lambda values, name: layers.Dropout(**values, name=name),
            _fits_always,
            _no_weights,
        ),
        BlockKind(
            "batchnormalization",
            "BatchNormalization",
            "Shifts and scales each map to mean 0 and variance 1 over the batch.",
            (
                Field(
                    "momentum", "Momentum", NUMBER, 0.9, 0.5, 0.999,
                    help="How slowly the running averages change; they are used at inference.",
                ),
            ),
            lambda values, name: layers.BatchNormalization(**values, name=name),
            _fits_always,
            lambda shape, _values: 4 * shape[-1],
        ),
        BlockKind(
            "activation",
            "Activation",
            "Applies an activation function to each value.",
            (_activation("relu"),),
            lambda values, name: layers.Activation(**values, name=name),
            _fits_always,
            _no_weights,
        ),
    )
}  # fmt: skip
