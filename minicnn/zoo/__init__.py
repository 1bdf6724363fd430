"""Published networks, one file each, ready to be trained."""

from minicnn.zoo.caffenet import caffenet
from minicnn.zoo.catdog import catdog
from minicnn.zoo.cifar import cifar
from minicnn.zoo.efficientnet_lite import efficientnet_lite0
from minicnn.zoo.lenet import lenet, lenet5
from minicnn.zoo.mobilenet import mobilenet_v1, mobilenet_v2
from minicnn.zoo.photo import photo
from minicnn.zoo.photo_small import photo_small
from minicnn.zoo.resnet import resnet18, resnet34, resnet50
from minicnn.zoo.scene import scene
from minicnn.zoo.stacked import stacked
from minicnn.zoo.vgg import vgg11, vgg16
from minicnn.zoo.xray import xray

__all__ = [
    "caffenet", "catdog", "cifar", "efficientnet_lite0", "lenet", "lenet5", "mobilenet_v1",
    "mobilenet_v2", "photo", "photo_small", "resnet18", "resnet34", "resnet50", "scene", "stacked",
    "vgg11", "vgg16", "xray",
]  # fmt: skip
