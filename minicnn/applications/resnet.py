"""ResNet: each block adds what it computes to what it read.

He, Zhang, Ren, Sun. Deep residual learning for image recognition. CVPR 2016. Keras's networks have
biases before batch normalization, and the first convolution of a block has the stride.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, NamedTuple

from minicnn.applications.parts import Options, classified, finished, input_of, pooled
from minicnn.applications.pixels import centered_bgr as preprocess_input  # noqa: F401
from minicnn.contracts import Shape
from minicnn.layers import (
    Activation,
    Add,
    BatchNormalization,
    Conv2D,
    GlobalAveragePooling2D,
    MaxPooling2D,
    ZeroPadding2D,
)
from minicnn.models import Model

WIDTHS = (64, 128, 256, 512)  # of the convolutions in each of the four stages
EXPANSION = 4  # a bottleneck ends that many times wider


class Style(NamedTuple):
    """In what the published versions of the same network differ."""

    bias: bool  # whether convolutions have one
    epsilon: float  # of batch normalization
    momentum: float  # of its averages
    strided: int  # the convolution of a bottleneck, 1 or 2, that has the block's stride


KERAS = Style(bias=True, epsilon=1.001e-5, momentum=0.99, strided=1)


def ResNet50(
    include_top: bool = True,
    weights: str | os.PathLike[str] | None = "imagenet",
    input_tensor: Any = None,
    input_shape: Shape | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "resnet50",
) -> Model:
    """Return ResNet-50; the arguments are those of `minicnn.applications.VGG16`.

    >>> ResNet50(weights=None, include_top=False, input_shape=(32, 32, 3)).output_shape
    (None, 1, 1, 2048)
    """
    options = Options(
        include_top, weights, input_tensor, input_shape, pooling, classes,
        classifier_activation, name,
    )  # fmt: skip
    return resnet((3, 4, 6, 3), bottleneck, KERAS, options)


def ResNet101(
    include_top: bool = True,
    weights: str | os.PathLike[str] | None = "imagenet",
    input_tensor: Any = None,
    input_shape: Shape | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "resnet101",
) -> Model:
    """Return ResNet-101; the arguments are those of `minicnn.applications.VGG16`."""
    options = Options(
        include_top, weights, input_tensor, input_shape, pooling, classes,
        classifier_activation, name,
    )  # fmt: skip
    return resnet((3, 4, 23, 3), bottleneck, KERAS, options)


def resnet(
    blocks: tuple[int, ...], block: Callable[..., Any], style: Style, options: Options
) -> Model:
    """Return a network with so many blocks in each of its four stages.

    `block` is `basic` or `bottleneck`. The first block of a stage halves the maps, except in the
    first stage, whose maps the pooling has halved.
    """
    inputs = input_of(options, 224)
    x = ZeroPadding2D(3, name="conv1_pad")(inputs)
    x = Conv2D(64, 7, strides=2, use_bias=style.bias, name="conv1_conv")(x)
    x = Activation("relu", name="conv1_relu")(_normalized(x, "conv1_bn", style))
    x = MaxPooling2D(3, strides=2, name="pool1_pool")(ZeroPadding2D(1, name="pool1_pad")(x))
    for stage, (count, width) in enumerate(zip(blocks, WIDTHS, strict=True), 2):
        for number in range(1, count + 1):
            stride = 2 if number == 1 and stage > 2 else 1
            x = block(x, width, stride, f"conv{stage}_block{number}", style)
    if not options.include_top:
        return finished(inputs, pooled(x, options), options)
    x = GlobalAveragePooling2D(name="avg_pool")(x)
    return finished(inputs, classified(x, options), options)


def basic(x: Any, width: int, stride: int, name: str, style: Style) -> Any:
    """Return the maps after two convolutions of 3 x 3, added to what they read."""
    shortcut = _shortcut(x, width, stride, name, style)
    y = _convolved(x, width, 3, stride, f"{name}_1", style)
    y = Activation("relu", name=f"{name}_1_relu")(y)
    y = _convolved(y, width, 3, 1, f"{name}_2", style)
    return Activation("relu", name=f"{name}_out")(Add(name=f"{name}_add")([shortcut, y]))


def bottleneck(x: Any, width: int, stride: int, name: str, style: Style) -> Any:
    """Return the maps after a narrow convolution of 3 x 3 between two of 1 x 1, added."""
    first, second = (stride, 1) if style.strided == 1 else (1, stride)
    shortcut = _shortcut(x, EXPANSION * width, stride, name, style)
    y = _convolved(x, width, 1, first, f"{name}_1", style)
    y = Activation("relu", name=f"{name}_1_relu")(y)
    y = _convolved(y, width, 3, second, f"{name}_2", style)
    y = Activation("relu", name=f"{name}_2_relu")(y)
    y = _convolved(y, EXPANSION * width, 1, 1, f"{name}_3", style)
    return Activation("relu", name=f"{name}_out")(Add(name=f"{name}_add")([shortcut, y]))


def _shortcut(x: Any, filters: int, stride: int, name: str, style: Style) -> Any:
    """Return what a block read, projected if the block changes the maps' size or number."""
    if stride == 1 and x.shape[-1] == filters:
        return x
    return _convolved(x, filters, 1, stride, f"{name}_0", style)


def _convolved(x: Any, filters: int, size: int, stride: int, name: str, style: Style) -> Any:
    """Return a convolution and its batch normalization; a stride takes every second pixel."""
    padding: Any = "same"
    if stride > 1 and size > 1:  # "same" would begin at another pixel
        x, padding = ZeroPadding2D(size // 2, name=f"{name}_pad")(x), "valid"
    conv = Conv2D(
        filters, size, strides=stride, padding=padding, use_bias=style.bias, name=f"{name}_conv"
    )
    return _normalized(conv(x), f"{name}_bn", style)


def _normalized(x: Any, name: str, style: Style) -> Any:
    return BatchNormalization(epsilon=style.epsilon, momentum=style.momentum, name=name)(x)
