"""IDX files, the format of MNIST: numbers in a box, with a header that says how long its sides are.

    00 00 | type | number of axes n | n lengths, 4 bytes each | the numbers, row-major

All numbers are big-endian. Files may be packed with gzip or xz; the content says which, not the
name. Sizes are believed only after they were checked: nothing is unpacked beyond what the header
declares, and nothing is declared beyond a limit.
"""

from __future__ import annotations

import lzma
import math
import zlib
from typing import NamedTuple

import numpy as np

from minicnn.data.unpacking import GZIP, MAX_BYTES, MAX_MEMORY_FOR_XZ, XZ, most_unpacked
from minicnn.errors import DTypeError, FormatError, SizeLimitError, TruncatedError
from minicnn.support.files import Path, read_whole

TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MAX_AXES = 8
MAX_HEADER = 4 + 4 * MAX_AXES


class Header(NamedTuple):
    """What the first bytes of an IDX file declare."""

    dtype: np.dtype
    shape: tuple[int, ...]

    @property
    def size_bytes(self) -> int:
        """Length of the header itself."""
        return 4 + 4 * len(self.shape)

    @property
    def file_bytes(self) -> int:
        """Length of the whole file, header included."""
        return self.size_bytes + math.prod(self.shape) * self.dtype.itemsize


class Unpacked(NamedTuple):
    """The first bytes of a packed file's content, and how the packing ended."""

    content: bytes
    whole: bool  # the end of the packing was reached, and its check sum was right
    unused: int  # bytes behind that end


def read_idx(path: Path) -> np.ndarray:
    """The array that an IDX file holds: plain, or packed with gzip or xz.

    Parameters
    ----------
    path : str or path
        A file of at most 2 GiB.

    Returns
    -------
    array of the file's shape, of uint8, int8, int16, int32, float32 or float64
        In the machine's own byte order; yours to write to.

    Raises
    ------
    TruncatedError
        The file ends before the numbers do.
    FormatError
        It is no IDX file, holds more than its header declares, or is damaged.
    SizeLimitError
        It declares more than 2 GiB, or unpacks to more than 64 MiB and 20 times its size.
    OSError
        As `open` does, `FileNotFoundError` among them.
    """
    return parse_idx(read_whole(path, MAX_BYTES), path)


def parse_idx(data: bytes, path: Path = "<bytes>") -> np.ndarray:
    """`read_idx` of bytes that were read already; `path` is for the error messages."""
    if not isinstance(data, bytes):
        raise DTypeError(f"parse_idx takes the bytes of a file; got {type(data).__name__}")
    packed = data.startswith((GZIP, XZ))
    first = _unpack(data, MAX_HEADER, path).content if packed else data[:MAX_HEADER]
    header = _parse_header(first, path)
    if packed:
        _check_unfolding(header.file_bytes, len(data), path)
        content = _unpack_all(data, header.file_bytes, path)
    else:
        content = data
    _check_length(len(content), header, path)
    numbers = np.frombuffer(content, header.dtype, offset=header.size_bytes)
    return numbers.reshape(header.shape).astype(header.dtype.newbyteorder("="))


def read_labeled_images(images: Path, labels: Path) -> tuple[np.ndarray, np.ndarray]:
    """Images (N, H, W) and their labels (N,), both uint8, from two IDX files that must agree."""
    x, y = read_idx(images), read_idx(labels)
    check_labeled_images(x, y, images, labels)
    return x, y


def check_labeled_images(x: np.ndarray, y: np.ndarray, images: Path, labels: Path) -> None:
    """Raise unless `x` are images and `y` one label each; the paths are for the messages."""
    for array, axes, path in ((x, "NHW", images), (y, "N", labels)):
        if array.ndim != len(axes) or array.dtype != np.uint8:
            raise FormatError(
                path,
                f"must hold uint8 numbers with the axes {', '.join(axes)}; "
                f"it holds {array.dtype} {array.shape}",
            )
    if len(x) != len(y):
        raise FormatError(
            labels, f"has {len(y):,} labels for the {len(x):,} images of {images}; take one pair"
        )


def _parse_header(first: bytes, path: Path) -> Header:
    if len(first) < 4:
        raise TruncatedError(path, f"ends after {len(first)} bytes; an IDX header has 8 or more")
    kind, axes = first[2], first[3]
    if first[:2] != b"\0\0" or kind not in TYPES or not 1 <= axes <= MAX_AXES:
        raise FormatError(
            path,
            f"begins with {first[:4].hex(' ')}, so it is no IDX file: that begins with 00 00, a "
            f"type ({', '.join(f'{code:02x}' for code in TYPES)}) and 1 to {MAX_AXES} axes",
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
    most = most_unpacked(packed)
    if declared > most:
        raise SizeLimitError(
            f"{path}: declares {declared:,} bytes, packed into {packed:,}; at most {most:,} are "
            f"unpacked from a file of this size. If you trust it, unpack it with gunzip or unxz"
        )


def _check_length(found: int, header: Header, path: Path) -> None:
    declared = header.file_bytes
    text = f"{header.shape} {header.dtype.name} needs {declared:,} bytes, the file"
    if found < declared:
        raise TruncatedError(path, f"{text} ends after {found:,}; fetch it again", found)
    if found > declared:
        raise FormatError(path, f"{text} holds {found:,}; the header or the end is wrong", declared)


def _unpack_all(data: bytes, declared: int, path: Path) -> bytes:
    """The content of a packed file, which must end where it should."""
    # One byte more than declared is asked for: enough to see that there is more.
    content, whole, unused = _unpack(data, declared + 1, path)
    if len(content) <= declared and not whole:
        raise TruncatedError(
            path,
            f"the packed data end after {len(data):,} bytes, {len(content):,} of {declared:,} "
            "bytes unpacked; fetch the file again",
            len(data),
        )
    if unused:
        raise FormatError(
            path, f"has {unused:,} bytes behind the end of its packed data", len(data) - unused
        )
    return content


def _unpack(data: bytes, most: int, path: Path) -> Unpacked:
    """The first `most` bytes of a gzip or xz file's content."""
    try:
        stream = (
            zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
            if data.startswith(GZIP)
            else lzma.LZMADecompressor(lzma.FORMAT_XZ, MAX_MEMORY_FOR_XZ)
        )
        content = stream.decompress(data, most)
    except (zlib.error, lzma.LZMAError) as error:
        raise FormatError(
            path, f"the packed data cannot be unpacked ({error}); fetch it again"
        ) from error
    return Unpacked(content, stream.eof, len(stream.unused_data))
