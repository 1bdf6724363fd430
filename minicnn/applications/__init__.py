"""Well-known networks under the names of `keras.applications`, with their layers' names.

The weights that Keras downloads are not part of minicnn. A network starts with new weights, or with
those of a file.
"""

from minicnn.applications import (
    densenet,
    mobilenet,
    mobilenet_v2,
    resnet,
    resnet50,
    vgg16,
    vgg19,
)
from minicnn.applications.densenet import DenseNet121, DenseNet169, DenseNet201
from minicnn.applications.mobilenet import MobileNet
from minicnn.applications.mobilenet_v2 import MobileNetV2
from minicnn.applications.resnet import ResNet50, ResNet101
from minicnn.applications.vgg import VGG16, VGG19

__all__ = [
    "VGG16", "VGG19", "DenseNet121", "DenseNet169", "DenseNet201", "MobileNet", "MobileNetV2",
    "ResNet50", "ResNet101", "densenet", "mobilenet", "mobilenet_v2", "resnet", "resnet50", "vgg16",
    "vgg19",
]  # fmt: skip
