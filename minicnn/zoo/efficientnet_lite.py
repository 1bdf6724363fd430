"""EfficientNet-Lite0, a network for small machines that was trained on ImageNet.

It is EfficientNet-B0 without what phones and quantization find hard: its blocks have no squeeze and
excitation, and ReLU6 takes the place of swish.

Tan, Le. EfficientNet: rethinking model scaling for convolutional neural networks. ICML 2019.
"""

from __future__ import annotations

import os
from string import ascii_lowercase
from typing import Any, NamedTuple

from minicnn.applications.parts import Options, classified, finished, new_input, pooled
from minicnn.contracts import Shape
from minicnn.errors import ArgumentError
from minicnn.layers import (
    Add,
    BatchNormalization,
    Conv2D,
    DepthwiseConv2D,
    Dropout,
    GlobalAveragePooling2D,
    ReLU,
)
from minicnn.models import Model
from minicnn.zoo.pretrained import imagenet
from minicnn.zoo.pretrained.efficientnet_lite0 import load_weights

SIZE = 224  # pixels a side
STEM, HEAD = 32, 1280  # filters of the first and the last convolution
DROPOUT = 0.2  # before the classifier
IMAGENET_CLASSES = 1000
DROP_CONNECT = 0.2  # how often the last block is left out in training; earlier ones less often


class Stage(NamedTuple):
    """Some blocks of one width; the first of them has the stride, the others have 1."""

    blocks: int
    kernel: int  # of the depthwise convolutions
    stride: int
    expansion: int  # how many times wider a block is inside
    filters: int


STAGES = (  # image sizes at 224 x 224
    Stage(1, 3, 1, 1, 16),  # 112
    Stage(2, 3, 2, 6, 24),  # 56
    Stage(2, 5, 2, 6, 40),  # 28
    Stage(3, 3, 2, 6, 80),  # 14
    Stage(3, 5, 1, 6, 112),  # 14
    Stage(4, 5, 2, 6, 192),  # 7
    Stage(1, 3, 1, 6, 320),  # 7
)


def efficientnet_lite0(
    include_top: bool = True,
    weights: str | os.PathLike[str] | None = "imagenet",
    input_tensor: Any = None,
    input_shape: Shape | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "efficientnet_lite0",
) -> Model:
    """EfficientNet-Lite0 for photographs of 224 x 224; 4,652,008 weights, and 42,016 of averages.

    The arguments are those of `keras.applications`, the layers' names those of its EfficientNets.

    Parameters
    ----------
    include_top : bool
        Whether the network ends in its classifier; otherwise in the maps that the classifier reads.
    weights : "imagenet", path or None
        Trained on ImageNet, from the package of the extra `imagenet`; or a file's; or new ones.
    input_tensor : tensor
        What the network reads; default: a new input.
    input_shape : (H, W, 3)
        Default (224, 224, 3); without the top any size of at least 32 x 32 is possible.
    pooling : "avg", "max" or None
        Makes a vector of 1280 features of the maps of a network without its top.
    classes : int
        Number of classes, 1000 with the classifier of ImageNet.
    classifier_activation
        Activation of the last layer; None for the logits.
    name : str
        Name of the network.

    Returns
    -------
    Model
        (N, H, W, 3) float32 -> (N, classes) float32. With the weights of ImageNet it knows its
        classes (`class_names`) and how pixels are scaled for it (`preprocess`). Not compiled.

    Raises
    ------
    MissingExtraError : the package of the weights is not installed
    ArgumentError : there are no weights of ImageNet for these classes

    Examples
    --------
    >>> efficientnet_lite0(weights=None).count_params()
    4694024
    """
    options = Options(
        include_top, weights, input_tensor, input_shape, pooling, classes,
        classifier_activation, name,
    )  # fmt: skip
    inputs = new_input(options, SIZE)
    x = Conv2D(STEM, 3, strides=2, padding="same", use_bias=False, name="stem_conv")(inputs)
    x = _relu6(_normalized(x, "stem_bn"), "stem_activation")
    x = _stages(x)
    x = Conv2D(HEAD, 1, use_bias=False, name="top_conv")(x)
    x = _relu6(_normalized(x, "top_bn"), "top_activation")
    if include_top:
        x = Dropout(DROPOUT, name="top_dropout")(GlobalAveragePooling2D(name="avg_pool")(x))
        x = classified(x, options)
    else:
        x = pooled(x, options)
    return _with_weights(inputs, x, options)


def _with_weights(inputs: Any, outputs: Any, options: Options) -> Model:
    """Return the network with its weights; those of ImageNet come with preprocessing, classes."""
    if options.weights != "imagenet":
        return finished(inputs, outputs, options)
    if options.include_top and options.classes != IMAGENET_CLASSES:
        raise ArgumentError(
            f"weights='imagenet' with the top needs classes={IMAGENET_CLASSES}; got "
            f"{options.classes}. For other classes give include_top=False and pooling='avg', and "
            "put a Dense layer on it"
        )
    model = finished(inputs, outputs, options._replace(weights=None))
    load_weights(model)
    if options.include_top:
        model.class_names = imagenet.class_names()
    h, w = inputs.shape[1:3]
    if h is not None and w is not None:
        model.preprocess = imagenet.preprocess((h, w))
    return model


def _stages(x: Any) -> Any:
    """Return the maps after all blocks, which are called block1a, block2a, block2b and so on."""
    total, done = sum(stage.blocks for stage in STAGES), 0
    for number, stage in enumerate(STAGES, 1):
        for letter in ascii_lowercase[: stage.blocks]:
            first = stage if letter == "a" else stage._replace(stride=1)
            x = _block(x, first, f"block{number}{letter}", DROP_CONNECT * done / total)
            done += 1
    return x


def _block(x: Any, stage: Stage, name: str, dropped: float) -> Any:
    """Return the maps after one block: wide, depthwise, narrow, and added to what it read."""
    y, channels = x, x.shape[-1]
    if stage.expansion > 1:
        wide = Conv2D(stage.expansion * channels, 1, use_bias=False, name=f"{name}_expand_conv")
        y = _relu6(_normalized(wide(y), f"{name}_expand_bn"), f"{name}_expand_activation")
    depthwise = DepthwiseConv2D(
        stage.kernel, strides=stage.stride, padding="same", use_bias=False, name=f"{name}_dwconv"
    )
    y = _relu6(_normalized(depthwise(y), f"{name}_bn"), f"{name}_activation")
    y = Conv2D(stage.filters, 1, use_bias=False, name=f"{name}_project_conv")(y)
    y = _normalized(y, f"{name}_project_bn")
    if stage.stride > 1 or channels != stage.filters:
        return y
    y = Dropout(dropped, noise_shape=(None, 1, 1, 1), name=f"{name}_drop")(y)
    return Add(name=f"{name}_add")([y, x])


def _normalized(x: Any, name: str) -> Any:
    return BatchNormalization(momentum=0.99, epsilon=1e-3, name=name)(x)


def _relu6(x: Any, name: str) -> Any:
    return ReLU(6.0, name=name)(x)
