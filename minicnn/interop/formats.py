"""The table of the formats, and how each is recognized by the first bytes of a file."""

from __future__ import annotations

import os
import zipfile
from typing import BinaryIO

from minicnn.interop.first_bytes import is_caffemodel, is_prototxt, is_safetensors, is_torch
from minicnn.models.saving.formats import Format

HDF5 = b"\x89HDF\r\n\x1a\n"
ZIP = b"PK\x03\x04"
# A protobuf message is a list of fields: a number with the kind of the value, and the value. Those
# of ONNX's ModelProto, by their number: whether the value is an integer or a block of bytes.
INTEGER, BLOCK = 0, 2
ONNX_FIELDS = {
    1: INTEGER, 2: BLOCK, 3: BLOCK, 4: BLOCK, 5: INTEGER, 6: BLOCK, 7: BLOCK, 8: BLOCK, 14: BLOCK,
    20: BLOCK, 25: BLOCK, 26: BLOCK,
}  # fmt: skip
ONNX_GRAPH = 7
ONNX_GRAPH_FIELDS = (1, 2, 5, 10, 11, 12, 13, 14, 15, 16)  # all of them blocks
MAX_FIELDS = 10_000  # of a model, before its graph


def is_keras_archive(file: BinaryIO) -> bool:
    """Return whether it is a zip file with the parts of a `.keras` file."""
    if file.read(4) != ZIP:
        return False
    try:
        with zipfile.ZipFile(file) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False
    return {"config.json", "model.weights.h5"} <= names


def is_hdf5(file: BinaryIO) -> bool:
    """Return whether it begins as HDF5 files do."""
    return file.read(8) == HDF5


def is_onnx(file: BinaryIO) -> bool:
    """Return whether it is a protobuf message with the fields of ONNX's models, and a graph."""
    for _ in range(MAX_FIELDS):
        tag = _varint(file)
        if tag is None or ONNX_FIELDS.get(tag >> 3) != tag & 7:
            return False
        value = _varint(file)  # the integer, or the length of the block
        if value is None:
            return False
        if tag >> 3 == ONNX_GRAPH:
            first = _varint(file)
            return value > 0 and first is not None and _is_graph_field(first)
        if tag & 7 == BLOCK:
            file.seek(value, os.SEEK_CUR)
    return False


def _is_graph_field(tag: int) -> bool:
    return tag & 7 == BLOCK and tag >> 3 in ONNX_GRAPH_FIELDS


def _varint(file: BinaryIO) -> int | None:
    """Return an integer of up to 64 bits, 7 in each byte; None if there is none."""
    value = 0
    for place in range(10):
        byte = file.read(1)
        if not byte:
            return None
        value |= (byte[0] & 127) << 7 * place
        if byte[0] < 128:
            return value if value < 2**63 else None
    return None


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
