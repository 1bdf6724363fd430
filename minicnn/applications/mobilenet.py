"""MobileNet: each convolution is split into one of every channel and one across the channels.

Howard et al. MobileNets: efficient convolutional neural networks for mobile vision applications.
2017, arXiv:1704.04861.
"""

from __future__ import annotations

import os
from typing import Any

from minicnn.applications.parts import Options, finished, input_of, pooled
from minicnn.applications.pixels import from_minus_one_to_one as preprocess_input  # noqa: F401
from minicnn.checks import check_int, check_number
from minicnn.contracts import Shape
from minicnn.layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    DepthwiseConv2D,
    Dropout,
    GlobalAveragePooling2D,
    ReLU,
    Reshape,
    ZeroPadding2D,
)
from minicnn.models import Model

FIRST = 32  # filters of the first convolution
# (filters, stride) of each of the 13 blocks
BLOCKS = (
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1), (512, 1), (512, 1),
    (512, 1), (512, 1), (1024, 2), (1024, 1),
)  # fmt: skip


def MobileNet(
    input_shape: Shape | None = None,
    alpha: float = 1.0,
    depth_multiplier: int = 1,
    dropout: float = 1e-3,
    include_top: bool = True,
    weights: str | os.PathLike[str] | None = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str | None = None,
) -> Model:
    """Return MobileNet, version 1; the other arguments are those of `minicnn.applications.VGG16`.

    Parameters
    ----------
    alpha : the width: 0.5 halves the numbers of filters
    depth_multiplier : patterns that each depthwise convolution learns for a channel
    dropout : the fraction of the features that is dropped in training before the classifier

    Examples
    --------
    >>> MobileNet((96, 96, 3), alpha=0.25, weights=None, classes=2).output_shape
    (None, 2)
    """
    alpha = check_number(alpha, "alpha", 0.01)
    check_int(depth_multiplier, "depth_multiplier")
    options = Options(
        include_top, weights, input_tensor, input_shape, pooling, classes,
        classifier_activation, name or f"mobilenet_{alpha:.2f}_224",
    )  # fmt: skip
    inputs = input_of(options, 224)
    first = Conv2D(int(FIRST * alpha), 3, strides=2, padding="same", use_bias=False, name="conv1")
    x = _activated(first(inputs), "conv1")
    for number, (filters, stride) in enumerate(BLOCKS, 1):
        x = _block(x, int(filters * alpha), stride, depth_multiplier, number)
    if not include_top:
        return finished(inputs, pooled(x, options), options)
    x = GlobalAveragePooling2D(keepdims=True)(x)
    x = Conv2D(classes, 1, name="conv_preds")(Dropout(dropout, name="dropout")(x))
    x = Reshape((classes,), name="reshape_2")(x)
    x = Activation(classifier_activation, name="predictions")(x)
    return finished(inputs, x, options)


def _block(x: Any, filters: int, stride: int, depth_multiplier: int, number: int) -> Any:
    """Return the maps after a depthwise convolution and one of 1 x 1."""
    padding: Any = "same"
    if stride == 2:
        x, padding = ZeroPadding2D(((0, 1), (0, 1)), name=f"conv_pad_{number}")(x), "valid"
    depthwise = DepthwiseConv2D(
        3, strides=stride, padding=padding, depth_multiplier=depth_multiplier, use_bias=False,
        name=f"conv_dw_{number}",
    )  # fmt: skip
    x = _activated(depthwise(x), f"conv_dw_{number}")
    pointwise = Conv2D(filters, 1, use_bias=False, name=f"conv_pw_{number}")
    return _activated(pointwise(x), f"conv_pw_{number}")


def _activated(x: Any, name: str) -> Any:
    x = BatchNormalization(name=f"{name}_bn")(x)
    return ReLU(6.0, name=f"{name}_relu")(x)
