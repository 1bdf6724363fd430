"""VGG16 and VGG19: blocks of 3 x 3 convolutions.

Simonyan, Zisserman. Very deep convolutional networks for large-scale image recognition. ICLR 2015.
"""

from __future__ import annotations

import os
from typing import Any

from minicnn.applications.parts import Options, classified, finished, input_of, pooled
from minicnn.contracts import Shape
from minicnn.layers import Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from minicnn.models import Model

FILTERS = (64, 128, 256, 512, 512)


def VGG16(
    include_top: bool = True,
    weights: str | os.PathLike[str] | None = "imagenet",
    input_tensor: Any = None,
    input_shape: Shape | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "vgg16",
) -> Model:
    """Return VGG16, 13 convolutions in five blocks and three dense layers.

    Parameters
    ----------
    include_top : whether it ends in the dense layers; else in the last block's maps
    weights : None for new ones, or the path of a file; "imagenet", Keras's default, is refused
    input_tensor : the input of the network; default: a new one
    input_shape : its shape; default (224, 224, 3), and any size without the top
    pooling : "avg" or "max" pools the maps of a network without its top; default None
    classes, classifier_activation : of the last layer
    name : the network's name

    Raises
    ------
    ArgumentError : the weights are to be those of ImageNet

    Examples
    --------
    >>> VGG16(weights=None, include_top=False, input_shape=(32, 32, 3)).output_shape
    (None, 1, 1, 512)
    """
    options = Options(
        include_top, weights, input_tensor, input_shape, pooling, classes,
        classifier_activation, name,
    )  # fmt: skip
    return vgg((2, 2, 3, 3, 3), options)


def VGG19(
    include_top: bool = True,
    weights: str | os.PathLike[str] | None = "imagenet",
    input_tensor: Any = None,
    input_shape: Shape | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "vgg19",
) -> Model:
    """Return VGG19, which has 16 convolutions; the arguments are those of `VGG16`."""
    options = Options(
        include_top, weights, input_tensor, input_shape, pooling, classes,
        classifier_activation, name,
    )  # fmt: skip
    return vgg((2, 2, 4, 4, 4), options)


def vgg(convolutions: tuple[int, ...], options: Options, dropout: float = 0.0) -> Model:
    """Return a network with so many convolutions in each block.

    `dropout` is the fraction that is dropped after each hidden dense layer; Keras's have none.
    """
    x = inputs = input_of(options, 224)
    for block, (count, filters) in enumerate(zip(convolutions, FILTERS, strict=True), 1):
        for number in range(1, count + 1):
            conv = Conv2D(filters, 3, padding="same", activation="relu",
                          name=f"block{block}_conv{number}")  # fmt: skip
            x = conv(x)
        x = MaxPooling2D(2, strides=2, name=f"block{block}_pool")(x)
    if not options.include_top:
        return finished(inputs, pooled(x, options), options)
    x = Flatten(name="flatten")(x)
    for name in ("fc1", "fc2"):
        x = Dense(4096, activation="relu", name=name)(x)
        if dropout:
            x = Dropout(dropout, name=f"{name}_dropout")(x)
    return finished(inputs, classified(x, options), options)
