"""ONNX's tensors as arrays. Sizes are checked against the data before anything is allocated."""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np

from minicnn.errors import FormatError, TruncatedError, UnsafeFileError, UnsupportedError
from minicnn.interop.onnx.folder import read_part
from minicnn.support.text import printable, quoted

# Number of the dtype in a file: name, and the field that has values without `raw_data`.
DTYPES = {
    1: ("float32", "float_data"),
    2: ("uint8", "int32_data"),
    3: ("int8", "int32_data"),
    4: ("uint16", "int32_data"),
    5: ("int16", "int32_data"),
    6: ("int32", "int32_data"),
    7: ("int64", "int64_data"),
    9: ("bool", "int32_data"),
    10: ("float16", "int32_data"),
    11: ("float64", "double_data"),
    12: ("uint32", "uint64_data"),
    13: ("uint64", "uint64_data"),
    16: ("bfloat16", "int32_data"),
}
OTHERS = {8: "strings", 14: "complex64", 15: "complex128", 0: "no dtype"}
MOST_AXES = 16
EXTERNAL = 1  # data_location


def numpy_dtype(number: int, path: str) -> np.dtype:
    """Return NumPy's dtype for a number of ONNX's; bfloat16 becomes float32.

    Raises
    ------
    UnsupportedError : NumPy has no such dtype
    """
    if number not in DTYPES:
        name = OTHERS.get(number, f"the dtype number {number}")
        raise UnsupportedError(path, f"it has tensors of {name}; only numbers of NumPy are read")
    name = DTYPES[number][0]
    return np.dtype("float32" if name == "bfloat16" else name)


def array_of(tensor: Any, path: str) -> np.ndarray:
    """Return the array of a TensorProto.

    Raises
    ------
    FormatError : the number of bytes is not that of the shape, or the dtype is unknown
    UnsafeFileError : the data are in another file that may not be read
    """
    what = f"tensor {printable(tensor.name)!r}"
    dtype = numpy_dtype(tensor.data_type, path)
    shape = _shape(tensor, path, what)
    if tensor.HasField("segment"):
        raise UnsupportedError(path, f"{what} is stored in segments")
    if tensor.data_location == EXTERNAL:
        raw: bytes = external_bytes(tensor, math.prod(shape) * _itemsize(tensor), path, what)
    elif tensor.HasField("raw_data"):
        raw = tensor.raw_data
    else:
        return _from_numbers(tensor, dtype, shape, path, what)
    _check_count(len(raw), math.prod(shape) * _itemsize(tensor), "bytes", path, what)
    return _from_bytes(tensor, raw, shape)


def _itemsize(tensor: Any) -> int:
    name = DTYPES[tensor.data_type][0]
    return 2 if name == "bfloat16" else np.dtype(name).itemsize


def _shape(tensor: Any, path: str, what: str) -> tuple[int, ...]:
    shape = tuple(tensor.dims)
    if len(shape) > MOST_AXES or any(n < 0 for n in shape):
        raise FormatError(path, f"{what} has the impossible shape {shape[: MOST_AXES + 1]}")
    if math.prod(n for n in shape if n) >= 2**60:
        raise FormatError(path, f"{what} has the impossible shape {shape}")
    return shape


def _check_count(found: int, needed: int, of: str, path: str, what: str) -> None:
    if found < needed:
        raise TruncatedError(path, f"{what} has {found} {of}; its shape needs {needed}")
    if found > needed:
        raise FormatError(path, f"{what} has {found} {of}; its shape needs {needed}")


def _from_bytes(tensor: Any, raw: bytes, shape: tuple[int, ...]) -> np.ndarray:
    name = DTYPES[tensor.data_type][0]
    if name == "bfloat16":
        bits = np.frombuffer(raw, "<u2").astype(np.uint32) << 16
        return bits.view(np.float32).reshape(shape)
    if name == "bool":
        return (np.frombuffer(raw, np.uint8) != 0).reshape(shape)
    little = np.dtype(name).newbyteorder("<")
    array = np.frombuffer(raw, little).astype(name, copy=False)
    return array.reshape(shape)


def _from_numbers(
    tensor: Any, dtype: np.dtype, shape: tuple[int, ...], path: str, what: str
) -> np.ndarray:
    """Return the array of a tensor whose numbers are listed one by one."""
    name, field = DTYPES[tensor.data_type]
    numbers = getattr(tensor, field)
    _check_count(len(numbers), math.prod(shape), "values", path, what)
    if name in ("float16", "bfloat16"):
        bits = np.array(numbers, np.int64).astype(np.uint16)
        if name == "float16":
            return bits.view(np.float16).reshape(shape)
        return (bits.astype(np.uint32) << 16).view(np.float32).reshape(shape)
    return np.array(numbers, None if field == "int32_data" else dtype).astype(dtype).reshape(shape)


def external_bytes(tensor: Any, size: int, path: str, what: str) -> bytes:
    """Return the bytes of a tensor that lies in another file of the model's folder.

    Raises
    ------
    UnsafeFileError : the file's name leads out of the folder
    """
    entries = {entry.key: entry.value for entry in tensor.external_data}
    name = entries.get("location", "")
    if not name:
        raise UnsafeFileError(path, f"{what} is in another file, which is not named")
    offset = _number(entries.get("offset", "0"), path, what)
    length = _number(entries.get("length", str(size)), path, what)
    _check_count(length, size, "bytes", path, what)
    return read_part(os.path.dirname(os.path.abspath(path)), name, offset, size, path, what)


def _number(text: str, path: str, what: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise FormatError(
            path, f"{what} has an offset or a length that is no number: {quoted(text, 40)}"
        )
    return int(text)
