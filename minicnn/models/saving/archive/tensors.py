"""Named arrays as the bytes of a safetensors file, whose header is checked before it is used."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

from minicnn.errors import (
    ArgumentError,
    DTypeError,
    FormatError,
    SizeLimitError,
    TruncatedError,
    UnsupportedError,
)
from minicnn.models.saving.archive.container import shown
from minicnn.models.saving.archive.documents import load_document
from minicnn.shapes import MAX_INT32, is_int

DTYPES = {  # NumPy's names and those of the file
    "bool": "BOOL",
    "int8": "I8",
    "int16": "I16",
    "int32": "I32",
    "int64": "I64",
    "uint8": "U8",
    "uint16": "U16",
    "uint32": "U32",
    "uint64": "U64",
    "float16": "F16",
    "float32": "F32",
    "float64": "F64",
}
MAX_TENSORS = 100_000
MAX_AXES = 32
MAX_ELEMENTS = 2**40
MAX_NAME_BYTES = 1024
MAX_HEADER_BYTES = 16 << 20
MAX_HEADER_MARKS = 2_500_000  # 100,000 arrays with 4 axes have 2 million
NOTES = "__metadata__"  # a name that the format reserves
SIZE_BYTES = 8  # of the number before the header, which is its length


def dump_tensors(tensors: Mapping[str, np.ndarray], what: str) -> bytes:
    """Return the bytes of a safetensors file; the same arrays give the same bytes."""
    if len(tensors) > MAX_TENSORS:
        raise SizeLimitError(f"{what} has {len(tensors):,} arrays; a file holds {MAX_TENSORS:,}")
    for name, array in tensors.items():
        _check_tensor(name, array, what)
    return safetensors.numpy.save({name: _plain(array) for name, array in tensors.items()})


def load_tensors(content: memoryview, path: object, name: str) -> dict[str, np.ndarray]:
    """Return the arrays, which are writable; `path` and `name` are for the error messages."""
    for tensor, entry in _header(content, path, name).items():
        _check_entry(tensor, entry, path, name)
    try:
        tensors = safetensors.numpy.load(bytes(content))
    except safetensors.SafetensorError as error:
        raise FormatError(
            path, f"{name} is not a safetensors file ({shown(str(error))})"
        ) from error
    return {tensor: np.require(array, requirements="W") for tensor, array in tensors.items()}


def _check_tensor(name: object, array: object, what: str) -> None:
    if not isinstance(name, str) or name == NOTES or not _fits(name):
        raise ArgumentError(
            f"{what} must have names of at most {MAX_NAME_BYTES} bytes of UTF-8, and not "
            f"{NOTES}; got {shown(str(name))}"
        )
    if not isinstance(array, np.ndarray) or array.dtype.name not in DTYPES:
        got = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
        raise DTypeError(f"{what}[{shown(name)}] must be an array of numbers; got {got}")


def _fits(name: str) -> bool:
    try:
        return len(name.encode("utf-8")) <= MAX_NAME_BYTES
    except UnicodeEncodeError:
        return False


def _plain(array: np.ndarray) -> np.ndarray:
    """Return the array in C order and native byte order, a copy only if necessary."""
    return np.asarray(array, array.dtype.newbyteorder("="), order="C")


def _header(content: memoryview, path: object, name: str) -> dict[str, Any]:
    """Return what the header says about each array, by name."""
    size = int.from_bytes(content[:SIZE_BYTES], "little")
    if size > MAX_HEADER_BYTES:
        raise SizeLimitError(
            f"{path}: {name} declares a header of {size:,} bytes, over {MAX_HEADER_BYTES:,}"
        )
    if SIZE_BYTES + size > len(content):
        raise TruncatedError(
            path, f"{name} has {len(content):,} bytes, its header needs {SIZE_BYTES + size:,}"
        )
    text = content[SIZE_BYTES : SIZE_BYTES + size]
    what = f"the header of {name}"
    header = load_document(text, path, what, MAX_HEADER_BYTES, MAX_HEADER_MARKS)
    if not isinstance(header, dict):
        raise FormatError(path, f"the header of {name} must be a JSON object")
    header.pop(NOTES, None)
    if len(header) > MAX_TENSORS:
        raise SizeLimitError(
            f"{path}: {name} declares {len(header):,} arrays, over {MAX_TENSORS:,}"
        )
    return header


def _check_entry(tensor: str, entry: object, path: object, name: str) -> None:
    where = f"{name}: {shown(tensor)}"
    if not _fits(tensor):
        raise FormatError(path, f"{where} is a name of over {MAX_NAME_BYTES} bytes")
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise FormatError(path, f"{where} must have a dtype, a shape and data_offsets")
    if entry["dtype"] not in DTYPES.values():
        known = ", ".join(DTYPES.values())
        raise UnsupportedError(
            path, f"{where} has the dtype {shown(str(entry['dtype']))}; known are {known}"
        )
    shape = entry["shape"]
    if not isinstance(shape, list) or not all(is_int(n) and 0 <= n <= MAX_INT32 for n in shape):
        raise FormatError(path, f"{where} must have a shape of integers from 0 to {MAX_INT32}")
    if len(shape) > MAX_AXES or math.prod(max(n, 1) for n in shape) > MAX_ELEMENTS:
        raise SizeLimitError(
            f"{path}: {where} has {len(shape)} axes and {math.prod(shape):,} elements; "
            f"at most {MAX_AXES} and {MAX_ELEMENTS:,} are read"
        )
