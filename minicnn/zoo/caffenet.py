"""CaffeNet: the network that made deep learning known, as Caffe's authors trained it."""

from __future__ import annotations

from minicnn.initializers import Constant, RandomNormal
from minicnn.layers import (
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Input,
    LocalResponseNormalization,
    MaxPooling2D,
)
from minicnn.layers.base import Layer
from minicnn.models import Sequential


def caffenet(classes: int = 1000) -> Sequential:
    """BVLC's reference CaffeNet for 227 x 227 color images; 60,965,224 parameters.

    Five convolutions, three of them in two groups that do not see each other (the first of these
    networks was trained on two cards at once), and three dense layers with most of the weights.
    Where a channel is strong, local response normalization damps its neighbors. The layers have
    the names that Caffe gave them.

    Parameters
    ----------
    classes : int
        Kinds of things; ImageNet's challenge has 1000.

    Returns
    -------
    Sequential
        (N, 227, 227, 3) float32 -> (N, classes) float32: the probability of each class.
        Not compiled yet.

    Notes
    -----
    Caffe's images are 0...255 with the training set's mean subtracted, and their channels are
    blue, green, red: weights trained by Caffe need them so. AlexNet differs in the order of
    pooling and normalization. First weights and biases, and the biases' doubled learning rate
    without weight decay, are those of Caffe's train_val.prototxt.

    References
    ----------
    Krizhevsky, Sutskever, Hinton: ImageNet classification with deep convolutional neural networks,
    NIPS 2012. Jia et al.: Caffe: Convolutional architecture for fast feature embedding, 2014; there
    in models/bvlc_reference_caffenet.

    Examples
    --------
    >>> caffenet(classes=2).output_shape
    (None, 2)
    """
    model = Sequential([Input((227, 227, 3))], name="caffenet")
    for layer in (
        *_seen("1", 96, 11, strides=4),  # (N, 55, 55, 96)
        *_calmed("1"),  # (N, 27, 27, 96)
        *_seen("2", 256, 5, padding=2, groups=2, bias=1.0),  # (N, 27, 27, 256)
        *_calmed("2"),  # (N, 13, 13, 256)
        *_seen("3", 384, 3, padding=1),
        *_seen("4", 384, 3, padding=1, groups=2, bias=1.0),
        *_seen("5", 256, 3, padding=1, groups=2, bias=1.0),  # (N, 13, 13, 256)
        MaxPooling2D(3, 2, name="pool5"),  # (N, 6, 6, 256)
        Flatten(name="flatten"),  # (N, 9216)
        *_known("6", 4096),
        *_known("7", 4096),
        Dense(
            classes, activation="softmax", kernel_initializer=RandomNormal(0.0, 0.01), name="fc8"
        ),
    ):
        model.add(layer)
    for parameter in model.parameters:
        if parameter.name.endswith("/bias"):
            parameter.multiplier = 2.0
    return model


def _seen(
    number: str, filters: int, size: int, *, bias: float = 0.0, **options: int
) -> list[Layer]:
    """A convolution and its ReLU."""
    deviation = RandomNormal(0.0, 0.01)
    return [
        Conv2D(
            filters,
            size,
            activation="relu",
            kernel_initializer=deviation,
            bias_initializer=Constant(bias),
            name=f"conv{number}",
            **options,  # type: ignore[arg-type]
        )
    ]


def _calmed(number: str) -> list[Layer]:
    """Every other pixel's best of 3 x 3, then strong channels damp their neighbors."""
    return [
        MaxPooling2D(3, 2, name=f"pool{number}"),
        LocalResponseNormalization(5, alpha=1e-4, beta=0.75, k=1.0, name=f"norm{number}"),
    ]


def _known(number: str, units: int) -> list[Layer]:
    """A dense layer of which a training sees half at a time."""
    return [
        Dense(
            units,
            activation="relu",
            kernel_initializer=RandomNormal(0.0, 0.005),
            bias_initializer=Constant(1.0),
            name=f"fc{number}",
        ),
        Dropout(0.5, name=f"drop{number}"),
    ]
