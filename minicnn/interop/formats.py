"""The table of the formats, and how each is recognized by the first bytes of a file."""

from __future__ import annotations

import os
import zipfile
from typing import BinaryIO

from minicnn.models.saving.formats import Format

HDF5 = b"\x89HDF\r\n\x1a\n"
ZIP = b"PK\x03\x04"


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
    """Return whether it begins with the fields of a ModelProto, of which one is the graph."""
    size = os.fstat(file.fileno()).st_size
    place, found = 0, set()
    for _ in range(MOST_FIELDS):
        file.seek(place)
        head = file.read(HEAD_BYTES)
        field, place = _field(head, place)
        if field not in MODEL_FIELDS or place > size:
            return False
        found.add(field >> 3)
        if place == size:
            break
    return GRAPH in found


# The fields of ModelProto, in protobuf's code of number and kind: ir_version and model_version are
# numbers; producer, domain, text, graph, opsets, metadata, training, functions, configuration not.
MODEL_FIELDS = {
    *(n << 3 for n in (1, 5)),
    *(n << 3 | 2 for n in (2, 3, 4, 6, 7, 8, 14, 20, 25, 26)),
}
GRAPH = 7
MOST_FIELDS = 2000
HEAD_BYTES = 20  # a field's number and its length


def _field(head: bytes, place: int) -> tuple[int, int]:
    """Return a protobuf field's number and kind, and where the next begins; 0 if it is none."""
    tag, used = _varint(head)
    if used == 0 or tag & 7 not in (0, 2):
        return 0, place
    value, more = _varint(head[used:])
    if more == 0:
        return 0, place
    return tag, place + used + more + (value if tag & 7 == 2 else 0)


def _varint(head: bytes) -> tuple[int, int]:
    """Return a number of protobuf, and how many bytes it takes; 0 if it does not end."""
    value = 0
    for i, byte in enumerate(head[:10]):
        value |= (byte & 127) << 7 * i
        if byte < 128:
            return value, i + 1
    return 0, 0


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
]
