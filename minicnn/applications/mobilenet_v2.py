"""MobileNetV2: depthwise convolutions between narrow layers that are added.

Sandler, Howard, Zhu, Zhmoginov, Chen. MobileNetV2: inverted residuals and linear bottlenecks. CVPR
2018.
"""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from minicnn.applications.parts import Options, classified, finished, input_of, pooled
from minicnn.applications.pixels import from_minus_one_to_one as preprocess_input  # noqa: F401
from minicnn.checks import check_number
from minicnn.contracts import Shape
from minicnn.layers import (
    Add,
    BatchNormalization,
    Conv2D,
    DepthwiseConv2D,
    Dropout,
    GlobalAveragePooling2D,
    ReLU,
    ZeroPadding2D,
)
from minicnn.models import Model

# (filters, blocks, stride of the first) of each stage.
STAGES = ((16, 1, 1), (24, 2, 2), (32, 3, 2), (64, 4, 2), (96, 3, 1), (160, 3, 2), (320, 1, 1))
EXPANSION = 6


class Style(NamedTuple):
    """In what the published versions of the same network differ."""

    epsilon: float  # of batch normalization
    momentum: float  # of its averages
    centered: bool  # whether a stride of 2 pads all sides, or only where TensorFlow needs it
    dropout: float  # before the classifier


KERAS = Style(epsilon=1e-3, momentum=0.999, centered=False, dropout=0.0)


def MobileNetV2(
    input_shape: Shape | None = None,
    alpha: float = 1.0,
    include_top: bool = True,
    weights: str | os.PathLike[str] | None = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str | None = None,
) -> Model:
    """Return MobileNetV2; the other arguments are those of `minicnn.applications.VGG16`.

    Parameters
    ----------
    alpha : the width: 0.5 halves the numbers of filters

    Examples
    --------
    >>> MobileNetV2((96, 96, 3), weights=None, classes=2).output_shape
    (None, 2)
    """
    alpha = check_number(alpha, "alpha", 0.01)
    options = Options(
        include_top, weights, input_tensor, input_shape, pooling, classes,
        classifier_activation, name or f"mobilenetv2_{alpha:.2f}_224",
    )  # fmt: skip
    return mobilenet_v2_network(alpha, KERAS, options)


def mobilenet_v2_network(alpha: float, style: Style, options: Options) -> Model:
    """Return the network of that width in the style of one of its publishers."""
    inputs = input_of(options, 224)
    x = _strided(inputs, style, "Conv1_pad") if style.centered else inputs
    first = Conv2D(
        _width(32 * alpha), 3, strides=2, padding="valid" if style.centered else "same",
        use_bias=False, name="Conv1",
    )  # fmt: skip
    x = ReLU(6.0, name="Conv1_relu")(_normalized(first(x), "bn_Conv1", style))
    x = _stages(x, alpha, style)
    last = _width(1280 * alpha) if alpha > 1 else 1280
    x = Conv2D(last, 1, use_bias=False, name="Conv_1")(x)
    x = ReLU(6.0, name="out_relu")(_normalized(x, "Conv_1_bn", style))
    if not options.include_top:
        return finished(inputs, pooled(x, options), options)
    x = GlobalAveragePooling2D()(x)
    if style.dropout:
        x = Dropout(style.dropout, name="dropout")(x)
    return finished(inputs, classified(x, options), options)


def _stages(x: Any, alpha: float, style: Style) -> Any:
    number = 0
    for filters, blocks, first_stride in STAGES:
        for block in range(blocks):
            stride = first_stride if block == 0 else 1
            x = _block(x, _width(filters * alpha), stride, number, style)
            number += 1
    return x


def _block(x: Any, filters: int, stride: int, number: int, style: Style) -> Any:
    """Return the maps after one block: wide, depthwise, narrow, and added to what it read."""
    name = f"block_{number}_" if number else "expanded_conv_"
    y, channels = x, x.shape[-1]
    if number:
        y = Conv2D(EXPANSION * channels, 1, use_bias=False, name=f"{name}expand")(y)
        y = ReLU(6.0, name=f"{name}expand_relu")(_normalized(y, f"{name}expand_BN", style))
    if stride == 2:
        y = _strided(y, style, f"{name}pad")
    padding: Any = "same" if stride == 1 else "valid"
    y = DepthwiseConv2D(
        3, strides=stride, padding=padding, use_bias=False, name=f"{name}depthwise"
    )(y)
    y = ReLU(6.0, name=f"{name}depthwise_relu")(_normalized(y, f"{name}depthwise_BN", style))
    y = Conv2D(filters, 1, use_bias=False, name=f"{name}project")(y)
    y = _normalized(y, f"{name}project_BN", style)
    if channels == filters and stride == 1:
        return Add(name=f"{name}add")([x, y])
    return y


def _strided(x: Any, style: Style, name: str) -> Any:
    """Return the maps with the borders that a 3 x 3 convolution with a stride of 2 needs."""
    return ZeroPadding2D(1 if style.centered else _borders(x.shape), name=name)(x)


def _borders(shape: Shape) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the padding that a stride of 2 needs: one row less above an even number of rows."""
    odd = [1 if n is None else n % 2 for n in shape[1:3]]
    return (odd[0], 1), (odd[1], 1)


def _normalized(x: Any, name: str, style: Style) -> Any:
    return BatchNormalization(epsilon=style.epsilon, momentum=style.momentum, name=name)(x)


def _width(filters: float) -> int:
    """Return the nearest multiple of 8 that is not 10 % smaller, at least 8."""
    nearest = max(8, int(filters + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * filters else nearest
