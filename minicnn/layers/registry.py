"""Layers by the names of their classes: what a saved model may be made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minicnn.checks import nearest
from minicnn.errors import ArgumentError
from minicnn.layers.base import Layer

# How much of a file's own text an error repeats.
LONGEST_QUOTE = 80

# Nothing else is ever made from a file, and nothing is imported by a name from one.
LAYERS: dict[str, type[Layer]] = {}


def register_layer(kind: type[Layer]) -> type[Layer]:
    """Let saved models use a layer class of yours; also a class decorator.

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
    if LAYERS.setdefault(kind.__name__, kind) is not kind:
        raise ArgumentError(f"there is a layer {kind.__name__!r} already; choose another name")
    return kind


def layer_from_config(class_name: str, config: Mapping[str, Any]) -> Layer:
    """The layer whose `get_config()` gave `config`, with new parameters.

    >>> layer_from_config("Dense", {"units": 10}).units
    10
    """
    kind = LAYERS.get(class_name) if isinstance(class_name, str) else None
    if kind is None:
        word = str(class_name)[:LONGEST_QUOTE]
        raise ArgumentError(f"Unknown layer {word!r}{nearest(word, LAYERS)}")
    if not isinstance(config, Mapping):
        raise ArgumentError(f"{class_name}: config must be a dict; got {type(config).__name__}")
    try:
        return kind(**config)
    except TypeError as err:
        text = str(err).removeprefix(f"{kind.__name__}.__init__() ")[:LONGEST_QUOTE]
        raise ArgumentError(f"{class_name}: its arguments do not fit: {text!r}") from err
