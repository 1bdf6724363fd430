"""Building arrays from the calls and states that a pickle describes, without calling anything.

_reconstruct(ndarray, (0,), b"b")   then the state (version, shape, dtype, Fortran order, bytes)
dtype("u1", 0, 1)                   then the state (version, byte order, ...)
"""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from minicnn.shapes import MAX_INT32, is_int

NUMERIC = re.compile(r"[<>|=]?[uif][1248]")
BYTE_ORDERS = ("<", ">", "|", "=")
MAX_AXES = 32


class Name:
    """A placeholder for a function or class that a pickle may name; it is never called."""

    def __init__(self, meaning: str) -> None:
        self.meaning = meaning


ARRAY, ARRAY_TYPE = Name("an array"), Name("the type of arrays")
DTYPE, ENCODE, BYTES = Name("a dtype"), Name("an encoded string"), Name("empty bytes")
NAMES = {
    ("numpy.core.multiarray", "_reconstruct"): ARRAY,
    ("numpy._core.multiarray", "_reconstruct"): ARRAY,
    ("numpy", "ndarray"): ARRAY_TYPE,
    ("numpy", "dtype"): DTYPE,
    ("_codecs", "encode"): ENCODE,
    ("__builtin__", "bytes"): BYTES,  # the data of an empty array in protocols 0 to 2
}


class Unbuilt:
    """An array or a dtype whose state has not been read yet."""

    def __init__(self, function: Name, arguments: tuple[Any, ...]) -> None:
        self.function, self.arguments = function, arguments
        self.memo_key = -1  # the key in the memo; none yet


def make_dtype(arguments: tuple[Any, ...], state: Any) -> np.dtype:
    """Return the numeric dtype that is described; ValueError for any other dtype."""
    text, order = arguments[0], state[1]
    if not isinstance(text, str) or not NUMERIC.fullmatch(text) or order not in BYTE_ORDERS:
        raise ValueError("a dtype is not numeric")
    return np.dtype(text).newbyteorder(order)


def array_bytes(state: Any) -> int:
    """Return how many bytes `make_array` allocates, including the encoded copy of a string."""
    data = state[4]
    return len(data) * (2 if isinstance(data, str) else 1)


def make_array(state: Any) -> np.ndarray:
    """Return the numeric array with this state; ValueError if its data do not fill its shape."""
    _version, shape, dtype, fortran, data = state
    if not isinstance(dtype, np.dtype):
        raise ValueError("an array has no dtype")
    if not isinstance(shape, tuple) or not all(is_int(n) and 0 <= n <= MAX_INT32 for n in shape):
        raise ValueError("the shape of an array is not a tuple of integers >= 0")
    data = data.encode("latin-1") if isinstance(data, str) else data
    if len(shape) > MAX_AXES or math.prod(shape) * dtype.itemsize != len(data):
        raise ValueError(f"an array of {len(shape)} axes does not have {len(data):,} bytes")
    values = np.frombuffer(data, dtype)
    return values.reshape(shape, order="F" if fortran else "C").astype(dtype.newbyteorder("="))
