"""Networks that were published, one file each, ready to train."""

from minicnn.zoo.cifar import cifar
from minicnn.zoo.lenet import lenet
from minicnn.zoo.photo import photo
from minicnn.zoo.scene import scene
from minicnn.zoo.stacked import stacked
from minicnn.zoo.xray import xray

__all__ = ["cifar", "lenet", "photo", "scene", "stacked", "xray"]
