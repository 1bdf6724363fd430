"""Other people's files: Keras, ONNX, Caffe and PyTorch.

Each format has a module of its own, which is imported when a file of that format is read or
written. `minicnn.models.saving.formats` says what such a module defines.
"""

from minicnn.interop.formats import ALL
from minicnn.models.saving.formats import FORMATS

FORMATS.extend(one for one in ALL if one not in FORMATS)
