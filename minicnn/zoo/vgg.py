"""VGG-11 and VGG-16: blocks of 3 x 3 convolutions, and three dense layers.

Simonyan, Zisserman. Very deep convolutional networks for large-scale image recognition. ICLR 2015.
"""

from __future__ import annotations

import os
from typing import Any

from minicnn.applications.parts import Options
from minicnn.applications.vgg import vgg
from minicnn.contracts import Shape
from minicnn.models import Model
from minicnn.zoo.weights import with_weights

# Convolutions in each of the five blocks: the paper's configurations A and D.
A = (1, 1, 2, 2, 2)
D = (2, 2, 3, 3, 3)
DROPOUT = 0.5  # after each hidden dense layer
DENSE = {"fc1": "classifier.0", "fc2": "classifier.3", "predictions": "classifier.6"}


def vgg11(
    include_top: bool = True,
    weights: str | os.PathLike[str] | None = None,
    input_tensor: Any = None,
    input_shape: Shape | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "vgg11",
) -> Model:
    """VGG-11, the paper's configuration A; 132,863,336 weights, most of them in dense layers.

    The arguments are those of `minicnn.zoo.resnet18`.

    >>> vgg11(include_top=False, input_shape=(32, 32, 3)).output_shape
    (None, 1, 1, 512)
    """
    options = Options(
        include_top, weights, input_tensor, input_shape, pooling, classes,
        classifier_activation, name,
    )  # fmt: skip
    return _vgg(A, options)


def vgg16(
    include_top: bool = True,
    weights: str | os.PathLike[str] | None = None,
    input_tensor: Any = None,
    input_shape: Shape | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "vgg16",
) -> Model:
    """VGG-16, the paper's configuration D; 138,357,544 weights. See `minicnn.zoo.resnet18`.

    The layers' names are those of Keras, whose weights fit; it has no dropout.
    """
    options = Options(
        include_top, weights, input_tensor, input_shape, pooling, classes,
        classifier_activation, name,
    )  # fmt: skip
    return _vgg(D, options)


def _vgg(convolutions: tuple[int, ...], options: Options) -> Model:
    model = vgg(convolutions, options._replace(weights=None), DROPOUT)
    return with_weights(model, options.weights, module_names(convolutions).__getitem__)


def module_names(convolutions: tuple[int, ...]) -> dict[str, str]:
    """Return {layer: module of torchvision's network}, whose layers are numbered through.

    >>> module_names(A)["block3_conv2"]
    'features.8'
    """
    names, index = dict(DENSE), 0
    for block, count in enumerate(convolutions, 1):
        for number in range(1, count + 1):
            names[f"block{block}_conv{number}"] = f"features.{index}"
            index += 2  # a convolution and its ReLU
        index += 1  # the pooling
    return names
