"""CaffeNet: Caffe's version of AlexNet, the network that made deep learning known."""

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

    Five convolutions, three of them in two groups (AlexNet was trained on two GPUs, with one group
    on each), and three dense layers with most of the weights. The layers have Caffe's names.

    Parameters
    ----------
    classes : int
        Number of classes; ImageNet's challenge has 1000.

    Returns
    -------
    Sequential
        (N, 227, 227, 3) float32 -> (N, classes) float32: the probability of each class.
        Not compiled yet.

    Notes
    -----
    Caffe's images are 0...255 with the training set's mean subtracted, and their channels are in
    the order blue, green, red; weights that Caffe trained need the same. AlexNet differs in the
    order of pooling and normalization. The initial weights and biases, and the doubled learning
    rate of the biases without weight decay, are those of Caffe's train_val.prototxt.

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
        *_conv_relu("1", 96, 11, strides=4),  # (N, 55, 55, 96)
        *_pool_norm("1"),  # (N, 27, 27, 96)
        *_conv_relu("2", 256, 5, padding=2, groups=2, bias=1.0),  # (N, 27, 27, 256)
        *_pool_norm("2"),  # (N, 13, 13, 256)
        *_conv_relu("3", 384, 3, padding=1),
        *_conv_relu("4", 384, 3, padding=1, groups=2, bias=1.0),
        *_conv_relu("5", 256, 3, padding=1, groups=2, bias=1.0),  # (N, 13, 13, 256)
        MaxPooling2D(3, 2, name="pool5"),  # (N, 6, 6, 256)
        Flatten(name="flatten"),  # (N, 9216)
        *_dense_dropout("6", 4096),
        *_dense_dropout("7", 4096),
        Dense(
            classes, activation="softmax", kernel_initializer=RandomNormal(0.0, 0.01), name="fc8"
        ),
    ):
        model.add(layer)
    for parameter in model.parameters:
        if parameter.name.endswith("/bias"):
            parameter.multiplier = 2.0
    return model


def _conv_relu(
    number: str, filters: int, size: int, *, bias: float = 0.0, **options: int
) -> list[Layer]:
    """Return a convolution with a ReLU."""
    return [
        Conv2D(
            filters,
            size,
            activation="relu",
            kernel_initializer=RandomNormal(0.0, 0.01),
            bias_initializer=Constant(bias),
            name=f"conv{number}",
            **options,  # type: ignore[arg-type]
        )
    ]


def _pool_norm(number: str) -> list[Layer]:
    """Return 3 x 3 max pooling with stride 2, then local response normalization."""
    return [
        MaxPooling2D(3, 2, name=f"pool{number}"),
        LocalResponseNormalization(5, alpha=1e-4, beta=0.75, k=1.0, name=f"norm{number}"),
    ]


def _dense_dropout(number: str, units: int) -> list[Layer]:
    """Return a dense layer with a ReLU, then dropout of 0.5."""
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
