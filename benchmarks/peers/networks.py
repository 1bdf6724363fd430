"""The networks to compare, as data from which every engine builds its own.

To add a network, add an entry to NETWORKS and a function of the same name to `minicnn.zoo`.
Images are uint8 (N, H, W, C); weights have Keras's layout, (KH, KW, CI, CO) and (in, out).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Conv(NamedTuple):
    """A convolution with bias, stride 1 and "valid" padding."""

    filters: int
    kernel: int
    activation: str = "linear"  # or "relu"


class Pool(NamedTuple):
    """Max pooling with windows that do not overlap; incomplete windows are dropped."""

    size: int


class BatchNorm(NamedTuple):
    """Batch normalization with Keras's defaults; `momentum` is the weight of the old statistics."""

    momentum: float = 0.99
    epsilon: float = 1e-3


class Dropout(NamedTuple):
    """Sets the fraction `rate` to 0 in training and multiplies the rest by 1 / (1 - rate)."""

    rate: float


class Dense(NamedTuple):
    """A dense layer with bias; the first one flattens its input, channels last."""

    units: int
    activation: str = "linear"  # or "relu"; the last layer's softmax belongs to the loss


class SGD(NamedTuple):
    """SGD with momentum: v <- momentum v - rate dw, w <- w + v."""

    learning_rate: float
    momentum: float


class Adam(NamedTuple):
    """Adam with Keras's defaults."""

    learning_rate: float = 1e-3
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7


class Network(NamedTuple):
    """A network from pixels to logits, and how it is trained and timed."""

    name: str
    image: tuple[int, int, int]  # H, W, C
    layers: tuple[Conv | Pool | BatchNorm | Dropout | Dense, ...]
    optimizer: SGD | Adam
    batch: int  # images per training step
    inference_batch: int  # inference is timed at this batch, and at 1
    fit_images: int  # images per epoch of `fit`
    scale: float = 1 / 255  # factor for pixels, applied inside the network

    @property
    def classes(self) -> int:
        """Number of classes: the units of the last layer."""
        return self.layers[-1].units  # type: ignore[union-attr]


def _lenet() -> Network:
    layers = Conv(20, 5), Pool(2), Conv(50, 5), Pool(2), Dense(500, "relu"), Dense(10)
    return Network("lenet", (28, 28, 1), layers, SGD(0.01, 0.9), 64, 64, 12800, scale=1 / 256)


def _cifar() -> Network:
    layers = [layer for filters in (32, 64, 128) for layer in (Conv(filters, 3, "relu"), Pool(2))]
    layers += [Dense(units, "relu") for units in (128, 64, 32)]
    return Network("cifar", (32, 32, 3), (*layers, Dense(10)), Adam(), 32, 64, 6400)


def _scene() -> Network:
    layers: list[Conv | Pool | BatchNorm | Dropout | Dense] = []
    for filters in (32, 64, 128, 256):
        layers += [Conv(filters, 3, "relu"), Pool(2), BatchNorm(), Dropout(0.2)]
    layers += [Dense(128, "relu"), Dropout(0.2)] * 4
    return Network("scene", (150, 150, 3), (*layers, Dense(6)), Adam(), 32, 64, 512)


def _xray() -> Network:
    layers: list[Conv | Pool | Dropout | Dense] = []
    for filters in (16, 32, 64):
        layers += [Conv(filters, 5, "relu"), Pool(2), Dropout(0.2)]
    layers += [Dense(128, "relu"), Dropout(0.2), Dense(2)]
    return Network("xray", (512, 512, 3), tuple(layers), Adam(), 16, 8, 128)


def _photo() -> Network:
    layers: list[Conv | Pool | Dropout | Dense] = []
    for filters in (64, 128, 256):
        layers += [Conv(filters, 3, "relu"), Conv(filters, 3, "relu"), Pool(2), Dropout(0.2)]
    layers += [Dense(256, "relu"), Dropout(0.2), Dense(6)]
    return Network("photo", (150, 150, 3), tuple(layers), Adam(), 32, 8, 128)


NETWORKS = {n.name: n for n in (_lenet(), _cifar(), _scene(), _xray(), _photo())}


def without_dropout(network: Network) -> Network:
    """The network without dropout, whose masks differ between engines."""
    layers = tuple(layer for layer in network.layers if not isinstance(layer, Dropout))
    return network._replace(layers=layers)


class Weight(NamedTuple):
    """One array of weights."""

    shape: tuple[int, ...]
    mean: float = 0.0  # of the random initial values; 1 for gamma and the moving variance
    learned: bool = True  # False for moving statistics


def weights_of(network: Network) -> list[Weight]:
    """All weights in order: kernel, bias, or gamma, beta, moving mean, moving variance."""
    h, w, channels = network.image
    weights: list[Weight] = []
    features = 0
    for layer in network.layers:
        if isinstance(layer, Conv):
            side, filters = layer.kernel, layer.filters
            weights += [Weight((side, side, channels, filters)), Weight((filters,))]
            h, w, channels = h - side + 1, w - side + 1, filters
        elif isinstance(layer, Pool):
            h, w = h // layer.size, w // layer.size
        elif isinstance(layer, BatchNorm):
            for mean, learned in ((1.0, True), (0.0, True), (0.0, False), (1.0, False)):
                weights.append(Weight((channels,), mean, learned))
        elif isinstance(layer, Dense):
            features = features or h * w * channels
            weights += [Weight((features, layer.units)), Weight((layer.units,))]
            features = layer.units
    return weights


def random_weights(network: Network, seed: int) -> list[np.ndarray]:
    """Initial weights, float32: He-normal kernels, everything else near its mean."""
    rng = np.random.default_rng(seed)
    weights = []
    for shape, mean, _ in weights_of(network):
        std = np.sqrt(2 / np.prod(shape[:-1])) if len(shape) > 1 else 0.01
        weights.append((mean + rng.standard_normal(shape) * std).astype(np.float32))
    return weights


def random_batch(network: Network, batch: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Images of random pixels, uint8, and random labels, int32."""
    rng = np.random.default_rng((seed, batch))
    x = rng.integers(0, 256, (batch, *network.image), dtype=np.uint8)
    return x, rng.integers(0, network.classes, batch, dtype=np.int32)
