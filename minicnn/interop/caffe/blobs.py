"""The numbers of Caffe's blobs as arrays, and files that hold one, `.binaryproto`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minicnn.errors import FormatError, TruncatedError
from minicnn.interop.caffe.schema import message
from minicnn.shapes import MAX_INT32
from minicnn.support.files import Path
from minicnn.support.text import quoted


def blob_array(blob: Any, path: Path, what: str) -> np.ndarray:
    """Return the values of a blob, float32, in the shape that it has in the file.

    Raises
    ------
    TruncatedError : it has fewer or more numbers than its shape says
    """
    double = not blob.data and bool(blob.double_data)
    content = b"".join(blob.double_data if double else blob.data)
    dtype = np.dtype("<f8" if double else "<f4")
    lengths = blob_shape(blob)
    if not all(0 <= n <= MAX_INT32 for n in lengths) or len(lengths) > 32:
        raise FormatError(path, f"{what} has an impossible shape, {quoted(lengths)}")
    if math.prod(lengths) * dtype.itemsize != len(content):
        raise TruncatedError(
            path,
            f"{what} should have {math.prod(lengths):,} numbers, {lengths}; it has "
            f"{len(content) / dtype.itemsize:,.6g}",
        )
    return np.frombuffer(content, dtype).astype(np.float32).reshape(lengths)


def blob_shape(blob: Any) -> tuple[int, ...]:
    """Return the shape of a blob; older files have four numbers."""
    if blob.HasField("shape"):
        return tuple(blob.shape.dim)
    return (blob.num, blob.channels, blob.height, blob.width)


def new_blob(array: np.ndarray) -> Any:
    """Return a blob with these values."""
    blob = message("BlobProto")()
    blob.shape.dim.extend(array.shape)
    blob.data.append(np.ascontiguousarray(array, "<f4").tobytes())
    return blob


def as_image(array: np.ndarray, path: Path) -> np.ndarray:
    """Return (H, W, C) of the blob of a mean image, (1, C, H, W) or (C, H, W)."""
    if array.ndim == 4 and array.shape[0] == 1:
        array = array[0]
    if array.ndim != 3:
        raise FormatError(path, f"is no mean image: its shape is {array.shape}")
    return np.ascontiguousarray(array.transpose(1, 2, 0))
