"""The table of the formats of other programs."""

from minicnn.interop.first_bytes import (
    is_caffemodel,
    is_hdf5,
    is_keras_archive,
    is_onnx,
    is_prototxt,
    is_safetensors,
    is_torch,
)
from minicnn.models.saving.formats import Format

ALL = [
    Format(
        "a Keras 3 archive",
        (".keras",),
        is_keras_archive,
        "minicnn.interop.keras.archive",
        ("read_model", "write_model", "read_weights"),
    ),
    Format(
        "an HDF5 file of Keras",
        (".h5", ".hdf5"),
        is_hdf5,
        "minicnn.interop.keras.hdf5",
        ("read_model", "write_model", "read_weights", "write_weights"),
    ),
    Format(
        "an ONNX file",
        (".onnx",),
        is_onnx,
        "minicnn.interop.onnx.files",
        ("read_model", "write_model"),
    ),
    Format(
        "the text of a Caffe net",
        (".prototxt",),
        is_prototxt,
        "minicnn.interop.caffe",
        ("read_model", "read_weights"),
    ),
    Format(
        "a file of weights of Caffe",
        (".caffemodel",),
        is_caffemodel,
        "minicnn.interop.caffe",
        ("read_model", "write_model", "read_weights", "write_weights"),
    ),
    Format(
        "a file of weights of PyTorch",
        (".pth", ".pt"),
        is_torch,
        "minicnn.interop.torch",
        ("read_weights", "write_weights"),
    ),
    Format(
        "a file of weights, safetensors",
        (".safetensors",),
        is_safetensors,
        "minicnn.interop.torch",
        ("read_weights", "write_weights"),
    ),
]
