"""What pickled arrays are made of: two functions of NumPy, named but not called, and their state.

_reconstruct(ndarray, (0,), b"b")   then the state (version, shape, dtype, Fortran order, bytes)
dtype("u1", 0, 1)                   then the state (version, byte order, ...)
"""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from minicnn.shapes import MAX_INT32, is_int

NUMBERS = re.compile(r"[<>|=]?[uif][1248]")
BYTE_ORDERS = ("<", ">", "|", "=")
MAX_AXES = 32


class Name:
    """A function or class that a pickle may name."""

    def __init__(self, meaning: str) -> None:
        self.meaning = meaning


ARRAY, ARRAY_TYPE = Name("an array"), Name("the type of arrays")
DTYPE, ENCODE, BYTES = Name("a dtype"), Name("bytes of a text"), Name("no bytes at all")
NAMES = {
    ("numpy.core.multiarray", "_reconstruct"): ARRAY,
    ("numpy._core.multiarray", "_reconstruct"): ARRAY,
    ("numpy", "ndarray"): ARRAY_TYPE,
    ("numpy", "dtype"): DTYPE,
    ("_codecs", "encode"): ENCODE,
    ("__builtin__", "bytes"): BYTES,  # of an empty array, in protocols 0 to 2
}


class Unbuilt:
    """An array or a dtype before its state is known."""

    def __init__(self, function: Name, arguments: tuple[Any, ...]) -> None:
        self.function, self.arguments = function, arguments
        self.place = -1  # where it was put aside; nowhere yet


def make_dtype(arguments: tuple[Any, ...], state: Any) -> np.dtype:
    """The dtype of numbers that these describe; ValueError if they describe anything else."""
    text, order = arguments[0], state[1]
    if not isinstance(text, str) or not NUMBERS.fullmatch(text) or order not in BYTE_ORDERS:
        raise ValueError("a dtype is no number")
    return np.dtype(text).newbyteorder(order)


def array_bytes(state: Any) -> int:
    """How many bytes `make_array` takes: of the numbers, and of a text's characters as bytes."""
    data = state[4]
    return len(data) * (2 if isinstance(data, str) else 1)


def make_array(state: Any) -> np.ndarray:
    """The array of numbers of this state; ValueError if the numbers do not fill the shape."""
    _version, shape, dtype, fortran, data = state
    if not isinstance(dtype, np.dtype):
        raise ValueError("an array has no dtype")
    if not isinstance(shape, tuple) or not all(is_int(n) and 0 <= n <= MAX_INT32 for n in shape):
        raise ValueError("the shape of an array is not a tuple of integers >= 0")
    data = data.encode("latin-1") if isinstance(data, str) else data
    if len(shape) > MAX_AXES or math.prod(shape) * dtype.itemsize != len(data):
        raise ValueError(f"an array of {len(shape)} axes does not have {len(data):,} bytes")
    numbers = np.frombuffer(data, dtype)
    return numbers.reshape(shape, order="F" if fortran else "C").astype(dtype.newbyteorder("="))
