"""The networks that are compared, written as data: every engine builds its own from the same list.

A new network is a new entry of NETWORKS, and a function of the same name in `minicnn.zoo`.
Images are uint8 (N, H, W, C); weights lie as Keras keeps them: (KH, KW, CI, CO) and (in, out).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Conv(NamedTuple):
    """A convolution with bias, stride 1."""

    filters: int
    kernel: int
    padding: str = "valid"
    activation: str = "linear"  # or "relu"


class Pool(NamedTuple):
    """Max pooling; only whole windows count."""

    size: int
    stride: int


class Dense(NamedTuple):
    """A dense layer with bias; the first one flattens its input, channels last."""

    units: int
    activation: str = "linear"  # or "relu"; the last layer's softmax belongs to the loss


class Network(NamedTuple):
    """Layers from pixels to logits, and how they are trained."""

    name: str
    image: tuple[int, int, int]  # H, W, C
    scale: float  # of the pixels, inside the network
    layers: tuple[Conv | Pool | Dense, ...]
    learning_rate: float
    momentum: float

    @property
    def classes(self) -> int:
        """Units of the last layer."""
        return weight_shapes(self)[-1][0]


NETWORKS = {
    "lenet": Network(
        "lenet",
        (28, 28, 1),
        1 / 256,
        (Conv(20, 5), Pool(2, 2), Conv(50, 5), Pool(2, 2), Dense(500, "relu"), Dense(10)),
        learning_rate=0.01,
        momentum=0.9,
    ),
}


def weight_shapes(network: Network) -> list[tuple[int, ...]]:
    """Shapes of all weights, each layer's bias after its kernel."""
    h, w, channels = network.image
    shapes: list[tuple[int, ...]] = []
    features = 0
    for layer in network.layers:
        if isinstance(layer, Conv):
            shapes += [(layer.kernel, layer.kernel, channels, layer.filters), (layer.filters,)]
            lost = layer.kernel - 1 if layer.padding == "valid" else 0
            h, w, channels = h - lost, w - lost, layer.filters
        elif isinstance(layer, Pool):
            h, w = ((n - layer.size) // layer.stride + 1 for n in (h, w))
        else:
            features = features or h * w * channels
            shapes += [(features, layer.units), (layer.units,)]
            features = layer.units
    return shapes


def random_weights(network: Network, seed: int) -> list[np.ndarray]:
    """He-normal kernels and small biases, float32: the same for every engine."""
    rng = np.random.default_rng(seed)
    weights = []
    for shape in weight_shapes(network):
        fan_in = np.prod(shape[:-1])
        deviation = np.sqrt(2 / fan_in) if len(shape) > 1 else 0.01
        weights.append((rng.standard_normal(shape) * deviation).astype(np.float32))
    return weights


def random_batch(network: Network, batch: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """`batch` images of random pixels, uint8, and labels, int32."""
    rng = np.random.default_rng((seed, batch))
    x = rng.integers(0, 256, (batch, *network.image), dtype=np.uint8)
    return x, rng.integers(0, network.classes, batch, dtype=np.int32)
