"""VGG16 under the name of its module in `keras.applications`."""

from minicnn.applications.pixels import centered_bgr as preprocess_input
from minicnn.applications.vgg import VGG16

__all__ = ["VGG16", "preprocess_input"]
