"""Layers one after the other, as one layer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from minicnn.checks import check_list
from minicnn.errors import ArgumentError
from minicnn.layers.base import Layer
from minicnn.layers.registry import deserialize, serialize


class Pipeline(Layer):
    """Applies its layers one after the other, such as those that change images at random.

    Unlike a Sequential, it is no network that could be trained alone.

    >>> from minicnn.layers import Flatten, Rescaling
    >>> Pipeline([Rescaling(0.5), Flatten()])(np.ones((1, 2, 2), np.float32)).tolist()
    [[0.5, 0.5, 0.5, 0.5]]
    """

    def __init__(self, layers: Iterable[Any], **options: Any) -> None:
        super().__init__(**options)
        self.layers = [
            layer if isinstance(layer, Layer) else deserialize(layer)
            for layer in check_list(layers, "layers")
        ]
        if not self.layers:
            raise ArgumentError("layers must be a list with at least one layer")

    def call(self, x: Any, training: bool | None = None) -> Any:
        """Return the result of the last layer."""
        for layer in self.layers:
            x = layer(x, training=training)
        return x

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "layers": [serialize(layer) for layer in self.layers]}
