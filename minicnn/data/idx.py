"""IDX files, the format of MNIST: an array with a header that declares its type and shape.

    00 00 | type | number of axes n | n lengths, 4 bytes each | the values, row-major

All numbers are big-endian. Files may be compressed with gzip or xz, which is recognized by the
content, not the name. Sizes are checked before they are used: a header may not declare more than a
limit, and no more is unpacked than it declares.
"""

from __future__ import annotations

import lzma
import math
import zlib
from typing import NamedTuple

import numpy as np

from minicnn.data.unpacking import GZIP, MAX_BYTES, MAX_MEMORY_FOR_XZ, XZ, max_unpacked
from minicnn.errors import DTypeError, FormatError, SizeLimitError, TruncatedError
from minicnn.support.files import Path, read_whole

TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MAX_AXES = 8
MAX_HEADER = 4 + 4 * MAX_AXES


class Header(NamedTuple):
    """The type and shape that the first bytes of an IDX file declare."""

    dtype: np.dtype
    shape: tuple[int, ...]

    @property
    def size_bytes(self) -> int:
        """The length of the header itself."""
        return 4 + 4 * len(self.shape)

    @property
    def file_bytes(self) -> int:
        """The length of the whole file, including the header."""
        return self.size_bytes + math.prod(self.shape) * self.dtype.itemsize


class Unpacked(NamedTuple):
    """The first bytes of a compressed file's content, and how the compressed data ended."""

    content: bytes
    complete: bool  # the end was reached, and its checksum was right
    unused: int  # bytes after that end


def read_idx(path: Path) -> np.ndarray:
    """Read the array in an IDX file, plain or compressed with gzip or xz.

    Parameters
    ----------
    path : str or path
        A file of at most 2 GiB.

    Returns
    -------
    array of the file's shape, of uint8, int8, int16, int32, float32 or float64
        In the machine's byte order, and writable.

    Raises
    ------
    TruncatedError
        The file ends before the last value.
    FormatError
        It is not an IDX file, holds more than its header declares, or is damaged.
    SizeLimitError
        It declares more than 2 GiB, or unpacks to more than 64 MiB and 20 times its size.
    OSError
        The file cannot be opened, such as `FileNotFoundError`.
    """
    return parse_idx(read_whole(path, MAX_BYTES), path)


def parse_idx(data: bytes, path: Path = "<bytes>") -> np.ndarray:
    """Return the array in the content of an IDX file; `path` is for the error messages."""
    if not isinstance(data, bytes):
        raise DTypeError(f"data must be the bytes of a file; got {type(data).__name__}")
    packed = data.startswith((GZIP, XZ))
    first = _unpack(data, MAX_HEADER, path).content if packed else data[:MAX_HEADER]
    header = _parse_header(first, path)
    if packed:
        _check_unfolding(header.file_bytes, len(data), path)
        content = _unpack_all(data, header.file_bytes, path)
    else:
        content = data
    _check_length(len(content), header, path)
    values = np.frombuffer(content, header.dtype, offset=header.size_bytes)
    return values.reshape(header.shape).astype(header.dtype.newbyteorder("="))


def read_labeled_images(images: Path, labels: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read images (N, H, W) and their labels (N,), both uint8, from two IDX files of one set."""
    x, y = read_idx(images), read_idx(labels)
    check_labeled_images(x, y, images, labels)
    return x, y


def check_labeled_images(x: np.ndarray, y: np.ndarray, images: Path, labels: Path) -> None:
    """Raise FormatError unless `x` are images and `y` has one label for each of them."""
    for array, axes, path in ((x, "NHW", images), (y, "N", labels)):
        if array.ndim != len(axes) or array.dtype != np.uint8:
            raise FormatError(
                path,
                f"must hold uint8 values with the axes {', '.join(axes)}; "
                f"it holds {array.dtype} {array.shape}",
            )
    if len(x) != len(y):
        raise FormatError(
            labels,
            f"has {len(y):,} labels for the {len(x):,} images of {images}; use files of one set",
        )


def _parse_header(first: bytes, path: Path) -> Header:
    if len(first) < 4:
        raise TruncatedError(path, f"ends after {len(first)} bytes; an IDX header has 8 or more")
    kind, axes = first[2], first[3]
    if first[:2] != b"\0\0" or kind not in TYPES or not 1 <= axes <= MAX_AXES:
        raise FormatError(
            path,
            f"begins with {first[:4].hex(' ')}, so it is not an IDX file: those begin with 00 00, "
            f"a type ({', '.join(f'{code:02x}' for code in TYPES)}) and 1 to {MAX_AXES} axes",
            0,
        )
    if len(first) < 4 + 4 * axes:
        raise TruncatedError(
            path, f"ends after {len(first)} bytes; the header of {axes} axes has {4 + 4 * axes}"
        )
    shape = tuple(int(n) for n in np.frombuffer(first, ">u4", axes, offset=4))
    header = Header(np.dtype(TYPES[kind]), shape)
    if 0 in shape[1:]:
        raise FormatError(path, f"declares the shape {shape}; only the first axis may be empty", 4)
    if header.file_bytes > MAX_BYTES:
        raise SizeLimitError(
            f"{path}@4: declares {shape} {header.dtype.name}, {header.file_bytes:,} bytes; "
            f"at most {MAX_BYTES:,} are read"
        )
    return header


def _check_unfolding(declared: int, packed: int, path: Path) -> None:
    limit = max_unpacked(packed)
    if declared > limit:
        raise SizeLimitError(
            f"{path}: declares {declared:,} bytes, packed into {packed:,}; at most {limit:,} are "
            f"unpacked from a file of this size. If you trust it, unpack it with gunzip or unxz"
        )


def _check_length(found: int, header: Header, path: Path) -> None:
    declared = header.file_bytes
    text = f"{header.shape} {header.dtype.name} needs {declared:,} bytes, the file"
    if found < declared:
        raise TruncatedError(path, f"{text} ends after {found:,}; download it again", found)
    if found > declared:
        raise FormatError(path, f"{text} holds {found:,}; the header or the end is wrong", declared)


def _unpack_all(data: bytes, declared: int, path: Path) -> bytes:
    """Unpack a compressed file whose content must have the declared length."""
    # One byte more than declared is enough to see that there is more.
    content, complete, unused = _unpack(data, declared + 1, path)
    if len(content) <= declared and not complete:
        raise TruncatedError(
            path,
            f"the compressed data end after {len(data):,} bytes, {len(content):,} of {declared:,} "
            "bytes unpacked; download the file again",
            len(data),
        )
    if unused:
        raise FormatError(
            path, f"has {unused:,} bytes after the end of its compressed data", len(data) - unused
        )
    return content


def _unpack(data: bytes, max_length: int, path: Path) -> Unpacked:
    """Unpack the first `max_length` bytes of a gzip or xz file."""
    try:
        stream = (
            zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
            if data.startswith(GZIP)
            else lzma.LZMADecompressor(lzma.FORMAT_XZ, MAX_MEMORY_FOR_XZ)
        )
        content = stream.decompress(data, max_length)
    except (zlib.error, lzma.LZMAError) as error:
        raise FormatError(
            path, f"the compressed data cannot be unpacked ({error}); download it again"
        ) from error
    return Unpacked(content, stream.eof, len(stream.unused_data))
