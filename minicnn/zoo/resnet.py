"""ResNet-18, 34 and 50: each block adds what it computes to what it read.

He, Zhang, Ren, Sun. Deep residual learning for image recognition. CVPR 2016.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from minicnn.applications.parts import Options
from minicnn.applications.resnet import Style, basic, bottleneck, resnet
from minicnn.contracts import Shape
from minicnn.models import Model
from minicnn.zoo.weights import with_weights

# As torchvision's: the 3 x 3 convolution has the stride, which is more accurate than the paper's.
TORCHVISION = Style(bias=False, epsilon=1e-5, momentum=0.9, strided=2)
# {part of a layer's name: part of the module's}; conv2_block1_1_conv is layer1.0.conv1.
ENDS = {"conv1_conv": "conv1", "conv1_bn": "bn1", "predictions": "fc"}
IN_BLOCKS = {
    "0_conv": "downsample.0",
    "0_bn": "downsample.1",
    "1_conv": "conv1",
    "1_bn": "bn1",
    "2_conv": "conv2",
    "2_bn": "bn2",
    "3_conv": "conv3",
    "3_bn": "bn3",
}


def resnet18(
    include_top: bool = True,
    weights: str | os.PathLike[str] | None = None,
    input_tensor: Any = None,
    input_shape: Shape | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "resnet18",
) -> Model:
    """ResNet-18 for photographs of 224 x 224; 11,689,512 weights for 1000 classes.

    Four stages of two blocks, each of two 3 x 3 convolutions. The first block of a stage halves the
    maps; one convolution of 7 x 7 and a pooling are before them.

    Parameters
    ----------
    include_top : bool
        Whether the network ends in its classifier; otherwise in the maps that the classifier reads.
    weights : path or None
        A state dict of torchvision's network of this name (`.pth`), or a file of this network's
        weights; or new ones.
    input_tensor : tensor
        What the network reads; default: a new input.
    input_shape : (H, W, C)
        Default (224, 224, 3), and any size without the top.
    pooling : "avg", "max" or None
        Makes a vector of the maps of a network without its top.
    classes : int
        Number of classes.
    classifier_activation
        Activation of the last layer; None for the logits.
    name : str
        Name of the network.

    Returns
    -------
    Model
        (N, H, W, 3) float32 -> (N, classes) float32. Not compiled. torchvision's weights want
        pixels of 0...1 minus (0.485, 0.456, 0.406), over (0.229, 0.224, 0.225).

    Examples
    --------
    >>> resnet18(classes=10, input_shape=(32, 32, 3)).count_params()
    11191242
    """
    options = Options(
        include_top, weights, input_tensor, input_shape, pooling, classes,
        classifier_activation, name,
    )  # fmt: skip
    return _resnet((2, 2, 2, 2), basic, options)


def resnet34(
    include_top: bool = True,
    weights: str | os.PathLike[str] | None = None,
    input_tensor: Any = None,
    input_shape: Shape | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "resnet34",
) -> Model:
    """ResNet-34, with 16 blocks of two convolutions; 21,797,672 weights. See `resnet18`."""
    options = Options(
        include_top, weights, input_tensor, input_shape, pooling, classes,
        classifier_activation, name,
    )  # fmt: skip
    return _resnet((3, 4, 6, 3), basic, options)


def resnet50(
    include_top: bool = True,
    weights: str | os.PathLike[str] | None = None,
    input_tensor: Any = None,
    input_shape: Shape | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "resnet50",
) -> Model:
    """ResNet-50, with 16 blocks of three convolutions; 25,557,032 weights. See `resnet18`.

    Keras's network of this name, with biases and the stride in another convolution, is
    `minicnn.applications.ResNet50`.
    """
    options = Options(
        include_top, weights, input_tensor, input_shape, pooling, classes,
        classifier_activation, name,
    )  # fmt: skip
    return _resnet((3, 4, 6, 3), bottleneck, options)


def _resnet(blocks: tuple[int, ...], block: Callable[..., Any], options: Options) -> Model:
    model = resnet(blocks, block, TORCHVISION, options._replace(weights=None))
    return with_weights(model, options.weights, module_name)


def module_name(layer: str) -> str:
    """Return the name of the module of torchvision's network that a layer is.

    >>> module_name("conv1_bn"), module_name("conv2_block1_1_conv")
    ('bn1', 'layer1.0.conv1')
    """
    if layer in ENDS:
        return ENDS[layer]
    stage, block, part = layer.split("_", 2)
    number = int(block.removeprefix("block")) - 1
    return f"layer{int(stage.removeprefix('conv')) - 1}.{number}.{IN_BLOCKS[part]}"
