"""How the files of each format are recognized: by their first bytes, or by the parts of a zip."""

from __future__ import annotations

import os
import re
import zipfile
from typing import BinaryIO

HDF5 = b"\x89HDF\r\n\x1a\n"
ZIP = b"PK\x03\x04"
START = 1 << 16  # bytes of a text that are looked at
COMMENT = re.compile(rb"#[^\n]*")
FIRST_FIELD = re.compile(
    rb"\s*(?:name|input|input_dim|force_backward|debug_info)\s*:|"
    rb"\s*(?:layers?|input_shape|state)\s*:?\s*[{<]"
)
LAYER = re.compile(rb"(?:^|[\s}>])(?:layers?)\s*:?\s*[{<]")
# The fields of a net: {number: kind on the wire, 0 a number and 2 what has a length}.
FIELDS_OF_NET = {1: (2,), 3: (2,), 4: (0, 2), 5: (0,), 6: (2,), 7: (0,), 8: (2,)}
FIELDS_OF_LAYERS = (2, 100)
MAX_FIELDS = 1000
# The fields of an ONNX ModelProto, as protobuf writes their number and kind: ir_version and
# model_version are numbers; producer, domain, text, graph, opsets, metadata and so on are not.
ONNX_FIELDS = {*(n << 3 for n in (1, 5)), *(n << 3 | 2 for n in (2, 3, 4, 6, 7, 8, 14, 20, 25, 26))}
ONNX_GRAPH = 7 << 3 | 2
FIELDS_OF_GRAPH = {n << 3 | 2 for n in (1, 2, 5, 10, 11, 12, 13, 14, 15, 16)}
# The first fields of a layer: name, type, bottom and top in one version or the other.
FIRST_OF_LAYER = (0x0A, 0x12, 0x1A, 0x22, 0x28)
# A pickle of the number that files of torch.save began with before PyTorch 1.6.
OLD_TORCH = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
MAX_HEADER = 100 << 20  # bytes, of a file of safetensors


def is_keras_archive(file: BinaryIO) -> bool:
    """Return whether it is a zip file with the parts of a `.keras` file."""
    return {"config.json", "model.weights.h5"} <= _names_in_zip(file)


def is_hdf5(file: BinaryIO) -> bool:
    """Return whether it begins as HDF5 files do."""
    return file.read(len(HDF5)) == HDF5


def is_onnx(file: BinaryIO) -> bool:
    """Return whether it is made of the fields of a ModelProto, of which one is the graph.

    A file that was cut inside its graph is one, too: the error should speak of ONNX.
    """
    end, found = file.seek(0, os.SEEK_END), False
    file.seek(0)
    for _ in range(MAX_FIELDS):
        if file.tell() == end:
            break
        tag = _varint(file)
        value = _varint(file)
        if tag not in ONNX_FIELDS or value is None:
            return False
        after = file.tell() + (value if tag & 7 == 2 else 0)
        if tag == ONNX_GRAPH:
            found = found or _varint(file) in FIELDS_OF_GRAPH
        if after > end:
            return found
        file.seek(after)
    return found


def is_prototxt(file: BinaryIO) -> bool:
    """Return whether it is the text of a Caffe net.

    >>> import io
    >>> is_prototxt(io.BytesIO(b'name: "LeNet"  layer { name: "data" }'))
    True
    """
    start = file.read(START)
    if b"\0" in start:
        return False
    start = COMMENT.sub(b"", start.removeprefix(b"\xef\xbb\xbf"))
    return bool(FIRST_FIELD.match(start)) and bool(LAYER.search(start))


def is_caffemodel(file: BinaryIO) -> bool:
    """Return whether it is a binary Caffe net: its first fields are a net's, up to a layer."""
    for _ in range(MAX_FIELDS):
        tag = _varint(file)
        if tag is None:
            return False
        number, kind = tag >> 3, tag & 7
        value = _varint(file)
        if value is None:
            return False
        if number in FIELDS_OF_LAYERS and kind == 2:
            first = file.read(1)
            return value > 0 and len(first) == 1 and first[0] in FIRST_OF_LAYER
        if kind not in FIELDS_OF_NET.get(number, ()) or (kind == 2 and value > START):
            return False
        content = file.read(value) if kind == 2 else b""
        if number == 1 and any(byte < 32 for byte in content):
            return False  # a name; a text file that begins with a line feed has others
    return False


def _varint(file: BinaryIO) -> int | None:
    """Return a number of protobuf's; None at the end of the file, or if it is none."""
    value = 0
    for shift in range(0, 70, 7):
        byte = file.read(1)
        if not byte:
            return None
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    return None


def is_torch(file: BinaryIO) -> bool:
    """Return whether it is a file of `torch.save`, of one kind or the other."""
    if file.read(len(OLD_TORCH)) == OLD_TORCH:
        return True
    file.seek(0)
    return any(name.endswith("/data.pkl") for name in _names_in_zip(file))


def is_safetensors(file: BinaryIO) -> bool:
    """Return whether it begins with the length of a header, and the header."""
    start = file.read(9)
    return start[8:] == b"{" and int.from_bytes(start[:8], "little") <= MAX_HEADER


def _names_in_zip(file: BinaryIO) -> set[str]:
    """Return the names in a zip file; none if it is not one."""
    if file.read(len(ZIP)) != ZIP:
        return set()
    try:
        with zipfile.ZipFile(file) as archive:
            return set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return set()
