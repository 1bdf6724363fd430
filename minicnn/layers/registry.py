"""The layer classes by name: the layers that a saved model may consist of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minicnn.errors import ArgumentError
from minicnn.layers.base import Layer
from minicnn.support.registry import Registry

# `minicnn.layers` adds its own layers. Upper and lower case matter in their names.
registry: Registry[Layer] = Registry("layer", Layer, key=str)
LAYERS = registry.table


def register_layer(kind: type[Layer]) -> type[Layer]:
    """Let `load_model` build a layer class of yours; can be used as a class decorator.

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
    """Return the layer whose `get_config()` gave `config`, with new parameters.

    >>> import minicnn as mc
    >>> layer_from_config("Dense", mc.layers.Dense(10).get_config()).units
    10
    """
    return registry.build(registry.find(class_name), config)


def serialize(layer: Layer) -> dict[str, Any]:
    """Return {"class": name, "config": the constructor's arguments}, JSON-able."""
    return registry.serialize(layer)


def deserialize(config: Mapping[str, Any], custom_objects: Any = None) -> Layer:
    """Return the layer that `serialize` described, here or in Keras, with new parameters.

    `custom_objects` are classes and functions of one's own that it may name.

    >>> import minicnn as mc
    >>> deserialize(serialize(mc.layers.Dense(10))).units
    10
    """
    return registry.deserialize(config, custom_objects)
