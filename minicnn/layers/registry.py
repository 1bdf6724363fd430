"""Layers by the names of their classes: what a saved model may be made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minicnn.checks import nearest
from minicnn.errors import ArgumentError
from minicnn.layers.activation import ELU, Activation, LeakyReLU, ReLU, Softmax
from minicnn.layers.base import Layer
from minicnn.layers.conv2d import Conv2D, DepthwiseConv2D
from minicnn.layers.dense import Dense
from minicnn.layers.dropout import Dropout
from minicnn.layers.inputs import InputLayer, Rescaling
from minicnn.layers.merge import Add, Concatenate, Multiply
from minicnn.layers.normalization import BatchNormalization, LocalResponseNormalization
from minicnn.layers.pool import (
    AveragePooling2D,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    MaxPooling2D,
)
from minicnn.layers.shape import Flatten, Reshape, ZeroPadding2D
from minicnn.support.registry import MAX_QUOTE, Registry, UnknownClassError

_BUILT_IN = (
    Activation,
    Add,
    AveragePooling2D,
    BatchNormalization,
    Concatenate,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    ELU,
    Flatten,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    InputLayer,
    LeakyReLU,
    LocalResponseNormalization,
    MaxPooling2D,
    Multiply,
    ReLU,
    Rescaling,
    Reshape,
    Softmax,
    ZeroPadding2D,
)
registry: Registry[Layer] = Registry("layer", Layer, _BUILT_IN, key=str)
# Nothing else is ever made from a file, and nothing is imported by a name from one.
LAYERS = registry.table


def register_layer(kind: type[Layer]) -> type[Layer]:
    """Let saved models use a layer class of yours; also a class decorator.

    `mc.utils.register_serializable` does the same for classes of every kind.

    >>> @register_layer
    ... class Half(Layer):
    ...     def forward(self, apply, *inputs, training):
    ...         return inputs[0]
    >>> layer_from_config("Half", {"name": "half"}).name
    'half'
    >>> LAYERS.pop("Half").__name__
    'Half'
    """
    if not isinstance(kind, type) or not issubclass(kind, Layer):
        raise ArgumentError(f"register_layer takes a subclass of Layer; got {kind!r}")
    registry.register(kind)
    return kind


def layer_from_config(class_name: str, config: Mapping[str, Any]) -> Layer:
    """The layer whose `get_config()` gave `config`, with new parameters.

    >>> layer_from_config("Dense", {"units": 10}).units
    10
    """
    return registry.made(find_layer(class_name), config)


def find_layer(class_name: object) -> type[Layer]:
    """The class of that name."""
    try:
        return registry.find(class_name)
    except UnknownClassError as err:
        word = str(class_name)[:MAX_QUOTE]
        text = f"Unknown layer {word!r}{nearest(word, LAYERS)}"
        raise UnknownClassError("layer", word, err.near, text) from None
