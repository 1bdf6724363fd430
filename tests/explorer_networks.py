"""Small networks with every kind of step, odd windows and padding, for tests of the explorer."""

from __future__ import annotations

import functools

import numpy as np

from minicnn import layers as la
from minicnn import ops, random, zoo
from minicnn.apps.explorer.explorer import Explorer
from minicnn.apps.explorer.forward_pass import Pass
from minicnn.apps.explorer.model_networks import opened
from minicnn.models import Model


def odd_convolutions() -> Model:
    """Strides, padding on one side, gaps, groups, depthwise, transposed; all kinds of pooling."""
    x = image = la.Input((13, 11, 3))
    x = la.Conv2D(8, (3, 5), strides=(2, 1), padding="same", name="strided")(x)
    x = la.LeakyReLU(name="leaky")(x)
    x = la.Conv2D(8, 3, groups=4, dilation_rate=(1, 2), name="grouped", use_bias=False)(x)
    x = la.Activation("tanh", name="tanh")(x)
    x = la.MaxPooling2D(3, 2, padding="same", name="max")(x)
    x = la.DepthwiseConv2D(3, padding="same", depth_multiplier=2, name="depthwise")(x)
    x = la.Activation("gelu", name="gelu")(x)
    x = la.Conv2DTranspose(6, 3, strides=2, padding="same", name="transposed")(x)
    x = la.AveragePooling2D((3, 2), (2, 1), padding="same", name="average")(x)
    return Model(image, la.Dense(5, activation="softmax", name="out")(la.Flatten()(x)))


def branches() -> Model:
    """Sums, products, joined branches, padding, cropping and upsampling of both kinds."""
    x = image = la.Input((9, 8, 3), rescale=1 / 255)
    left = la.Conv2D(6, 3, activation="relu", padding="same", name="left")(x)
    right = la.Conv2D(6, 1, activation="silu", name="right")(x)
    x = la.Add(name="add")([left, right])
    x = la.Multiply(name="multiply")([x, right])
    x = la.Concatenate(name="joined")([x, left])
    x = la.ZeroPadding2D(((1, 0), (0, 2)), name="padded")(x)
    x = la.UpSampling2D(2, name="nearest")(x)
    x = la.Cropping2D(((0, 1), (2, 0)), name="cropped")(x)
    x = la.UpSampling2D((1, 2), interpolation="bilinear", name="bilinear")(x)
    x = la.Dropout(0.5, name="dropout")(x)
    x = la.Concatenate(name="pooled")([la.GlobalMaxPooling2D()(x), la.GlobalAveragePooling2D()(x)])
    return Model(image, la.Dense(4, name="scores")(x))


def normalized() -> Model:
    """All normalizations, and activations that the others lack."""
    x = image = la.Input((8, 8, 3))
    x = la.Conv2D(8, 3, name="conv")(x)
    x = la.BatchNormalization(name="batch")(x)
    x = la.ReLU(6.0, name="relu6")(x)
    x = la.LocalResponseNormalization(name="local")(x)
    x = la.Conv2D(6, 3, name="conv2", use_bias=False)(x)
    x = la.GroupNormalization(3, name="group")(x)
    x = la.ELU(name="elu")(x)
    x = la.LayerNormalization(name="layer")(x)
    x = la.Flatten()(x)
    x = la.Dense(7, activation="sigmoid", name="dense")(x)
    return Model(image, la.Dense(1, activation="sigmoid", name="yes")(x))


class Doubled(la.Layer):
    """A layer of the user's with operations that no module of the explorer knows."""

    def call(self, x):
        return ops.where(
            x > 0, ops.sin(x) * 2, ops.max(x, axis=-1, keepdims=True) + ops.zeros_like(x)
        )


def own_layer() -> Model:
    x = image = la.Input((5, 5, 1))
    x = Doubled(name="own")(la.Conv2D(3, 3, name="conv")(x))
    return Model(image, la.Dense(3, activation="softmax")(la.Flatten()(x)))


BUILDERS = {
    "lenet": zoo.lenet,
    "lenet5": zoo.lenet5,
    "odd": odd_convolutions,
    "branches": branches,
    "normalized": normalized,
    "own": own_layer,
    "scene": zoo.scene,
}


@functools.cache
def pass_of(name: str, label: int | None = 1) -> Pass:
    """The pass of a random image through one of the networks; `label` is the true class."""
    with random.seeded(3):
        network = opened(name, BUILDERS[name]())
        rng = np.random.default_rng(4)
        for path, parameter in network.model.named_parameters().items():
            if parameter.value.ndim == 1:  # else batch norms and biases would do nothing
                low = 0.5 if "variance" in path or "gamma" in path else -0.2
                parameter.assign(rng.uniform(low, low + 0.6, parameter.shape).astype(np.float32))
    image = rng.integers(0, 256, network.input_shape).astype(np.uint8)
    return Explorer([network]).compute(network, network.preprocess(image[None]), label)


def random_places(shape: tuple[int, ...], count: int, seed: int = 0) -> list[tuple[int, ...]]:
    """Up to `count` places of an array of this shape, all of them if it is small."""
    size = int(np.prod(shape))
    chosen = np.random.default_rng(seed).permutation(size)[:count]
    return [tuple(int(i) for i in np.unravel_index(n, shape)) for n in chosen]
