"""DenseNet: each layer reads the results of all before it in its block.

Huang, Liu, van der Maaten, Weinberger. Densely connected convolutional networks. CVPR 2017.
"""

from __future__ import annotations

import os
from typing import Any

from minicnn.applications.parts import Options, classified, finished, input_of, pooled
from minicnn.applications.pixels import standardized as preprocess_input  # noqa: F401
from minicnn.contracts import Shape
from minicnn.layers import (
    Activation,
    AveragePooling2D,
    BatchNormalization,
    Concatenate,
    Conv2D,
    GlobalAveragePooling2D,
    MaxPooling2D,
    ZeroPadding2D,
)
from minicnn.models import Model

GROWTH = 32  # channels that each layer of a block adds
EPSILON = 1.001e-5


def DenseNet121(
    include_top: bool = True,
    weights: str | os.PathLike[str] | None = "imagenet",
    input_tensor: Any = None,
    input_shape: Shape | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "densenet121",
) -> Model:
    """Return DenseNet-121; the arguments are those of `minicnn.applications.VGG16`.

    >>> DenseNet121(weights=None, classes=2, input_shape=(32, 32, 3)).output_shape
    (None, 2)
    """
    options = Options(
        include_top, weights, input_tensor, input_shape, pooling, classes,
        classifier_activation, name,
    )  # fmt: skip
    return _densenet((6, 12, 24, 16), options)


def DenseNet169(
    include_top: bool = True,
    weights: str | os.PathLike[str] | None = "imagenet",
    input_tensor: Any = None,
    input_shape: Shape | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "densenet169",
) -> Model:
    """Return DenseNet-169; the arguments are those of `minicnn.applications.VGG16`."""
    options = Options(
        include_top, weights, input_tensor, input_shape, pooling, classes,
        classifier_activation, name,
    )  # fmt: skip
    return _densenet((6, 12, 32, 32), options)


def DenseNet201(
    include_top: bool = True,
    weights: str | os.PathLike[str] | None = "imagenet",
    input_tensor: Any = None,
    input_shape: Shape | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "densenet201",
) -> Model:
    """Return DenseNet-201; the arguments are those of `minicnn.applications.VGG16`."""
    options = Options(
        include_top, weights, input_tensor, input_shape, pooling, classes,
        classifier_activation, name,
    )  # fmt: skip
    return _densenet((6, 12, 48, 32), options)


def _densenet(blocks: tuple[int, ...], options: Options) -> Model:
    """Return a network with so many layers in each block."""
    inputs = input_of(options, 224)
    x = ZeroPadding2D(3)(inputs)
    x = Conv2D(64, 7, strides=2, use_bias=False, name="conv1_conv")(x)
    x = _normalized(x, "conv1_bn", "conv1_relu")
    x = MaxPooling2D(3, strides=2, name="pool1")(ZeroPadding2D(1)(x))
    for number, layers in enumerate(blocks, 2):
        for layer in range(1, layers + 1):
            x = _with_layer(x, f"conv{number}_block{layer}")
        if number <= len(blocks):
            x = _transition(x, f"pool{number}")
    x = _normalized(x, "bn", "relu")
    if not options.include_top:
        return finished(inputs, pooled(x, options), options)
    x = GlobalAveragePooling2D(name="avg_pool")(x)
    return finished(inputs, classified(x, options), options)


def _with_layer(x: Any, name: str) -> Any:
    """Return the maps with those of one layer of a block behind them."""
    y = _normalized(x, f"{name}_0_bn", f"{name}_0_relu")
    y = Conv2D(4 * GROWTH, 1, use_bias=False, name=f"{name}_1_conv")(y)
    y = _normalized(y, f"{name}_1_bn", f"{name}_1_relu")
    y = Conv2D(GROWTH, 3, padding="same", use_bias=False, name=f"{name}_2_conv")(y)
    return Concatenate(name=f"{name}_concat")([x, y])


def _transition(x: Any, name: str) -> Any:
    """Return half as many maps of half the size."""
    y = _normalized(x, f"{name}_bn", f"{name}_relu")
    y = Conv2D(x.shape[-1] // 2, 1, use_bias=False, name=f"{name}_conv")(y)
    return AveragePooling2D(2, strides=2, name=f"{name}_pool")(y)


def _normalized(x: Any, norm: str, relu: str) -> Any:
    return Activation("relu", name=relu)(BatchNormalization(epsilon=EPSILON, name=norm)(x))
