"""Networks that were published, one file each, ready to train."""

from minicnn.zoo.lenet import lenet
from minicnn.zoo.scene import scene

__all__ = ["lenet", "scene"]
