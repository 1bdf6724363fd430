"""Published networks, one file each, ready to be trained."""

from minicnn.zoo.caffenet import caffenet
from minicnn.zoo.catdog import catdog
from minicnn.zoo.cifar import cifar
from minicnn.zoo.efficientnet_lite import efficientnet_lite0
from minicnn.zoo.lenet import lenet, lenet5
from minicnn.zoo.photo import photo
from minicnn.zoo.scene import scene
from minicnn.zoo.stacked import stacked
from minicnn.zoo.xray import xray

__all__ = [
    "caffenet", "catdog", "cifar", "efficientnet_lite0", "lenet", "lenet5", "photo", "scene", "stacked", "xray",
]  # fmt: skip
