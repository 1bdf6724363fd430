"""MobileNet, versions 1 and 2: depthwise convolutions, for small machines.

Howard et al. MobileNets: efficient convolutional neural networks for mobile vision applications.
2017, arXiv:1704.04861. Sandler, Howard, Zhu, Zhmoginov, Chen. MobileNetV2: inverted residuals and
linear bottlenecks. CVPR 2018.
"""

from __future__ import annotations

import os
from typing import Any

from minicnn.applications.mobilenet import MobileNet
from minicnn.applications.mobilenet_v2 import Style, mobilenet_v2_network
from minicnn.applications.parts import Options
from minicnn.checks import check_number
from minicnn.contracts import Shape
from minicnn.models import Model
from minicnn.zoo.weights import with_weights

TORCHVISION = Style(epsilon=1e-5, momentum=0.9, centered=True, dropout=0.2)
# {layer: module}; block_1_expand is features.2.conv.0.0.
ENDS = {
    "Conv1": "features.0.0",
    "bn_Conv1": "features.0.1",
    "Conv_1": "features.18.0",
    "Conv_1_bn": "features.18.1",
    "predictions": "classifier.1",
}
FIRST_BLOCK = {
    "depthwise": "conv.0.0",
    "depthwise_BN": "conv.0.1",
    "project": "conv.1",
    "project_BN": "conv.2",
}
IN_BLOCKS = {
    "expand": "conv.0.0",
    "expand_BN": "conv.0.1",
    "depthwise": "conv.1.0",
    "depthwise_BN": "conv.1.1",
    "project": "conv.2",
    "project_BN": "conv.3",
}


def mobilenet_v1(
    include_top: bool = True,
    weights: str | os.PathLike[str] | None = None,
    input_tensor: Any = None,
    input_shape: Shape | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "mobilenet_v1",
    *,
    alpha: float = 1.0,
) -> Model:
    """MobileNet, version 1, for photographs of 224 x 224; 4,253,864 weights and averages.

    13 blocks of a depthwise convolution and one of 1 x 1. It is Keras's network, whose weights fit;
    torchvision has none. `alpha` is the width; see `minicnn.zoo.resnet18` for the other arguments.

    >>> mobilenet_v1(alpha=0.25, classes=2, input_shape=(64, 64, 3)).output_shape
    (None, 2)
    """
    return MobileNet(
        input_shape, alpha, include_top=include_top, weights=weights, input_tensor=input_tensor,
        pooling=pooling, classes=classes, classifier_activation=classifier_activation, name=name,
    )  # fmt: skip


def mobilenet_v2(
    include_top: bool = True,
    weights: str | os.PathLike[str] | None = None,
    input_tensor: Any = None,
    input_shape: Shape | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "mobilenet_v2",
    *,
    alpha: float = 1.0,
) -> Model:
    """MobileNet, version 2, as torchvision has it; 3,504,872 weights for 1000 classes.

    17 blocks that are narrow outside and six times wider inside. `alpha` is the width; see
    `minicnn.zoo.resnet18` for the other arguments. Keras's network, which pads in another way, is
    `minicnn.applications.MobileNetV2`.

    >>> mobilenet_v2(alpha=0.5, classes=2, input_shape=(64, 64, 3)).output_shape
    (None, 2)
    """
    options = Options(
        include_top, None, input_tensor, input_shape, pooling, classes, classifier_activation, name
    )
    width = check_number(alpha, "alpha", 0.01)
    model = mobilenet_v2_network(width, TORCHVISION, options)
    return with_weights(model, weights, module_name)


def module_name(layer: str) -> str:
    """Return the name of the module of torchvision's MobileNetV2 that a layer is.

    >>> module_name("Conv1"), module_name("block_1_expand_BN")
    ('features.0.0', 'features.2.conv.0.1')
    """
    if layer in ENDS:
        return ENDS[layer]
    if layer.startswith("expanded_conv_"):
        return f"features.1.{FIRST_BLOCK[layer.removeprefix('expanded_conv_')]}"
    _, number, part = layer.split("_", 2)
    return f"features.{int(number) + 1}.{IN_BLOCKS[part]}"
