"""ResNet50 under the name of its module in `keras.applications`."""

from minicnn.applications.pixels import centered_bgr as preprocess_input
from minicnn.applications.resnet import ResNet50

__all__ = ["ResNet50", "preprocess_input"]
