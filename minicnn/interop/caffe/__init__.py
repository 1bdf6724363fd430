"""Networks of Caffe: `.prototxt` and `.caffemodel` files in and out, and mean images.

`mc.load_model` and `model.save` take these files, too. The package protobuf is needed.
"""

from minicnn.interop.caffe.reading import load, read_mean, read_model, read_weights
from minicnn.interop.caffe.writing import write_model, write_weights

__all__ = [
    "load",
    "read_mean",
    "read_model",
    "read_weights",
    "write_model",
    "write_weights",
]
