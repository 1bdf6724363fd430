"""Reading a file that is plain or compressed with gzip, bzip2 or xz, from start to end.

A few compressed bytes can expand to gigabytes, so the output is limited: to 64 MiB, or 20 times the
size of the file if that is more.
"""

from __future__ import annotations

import bz2
import io
import lzma
import os
import zlib
from collections.abc import Callable
from typing import IO, Any

from minicnn.errors import FormatError, SizeLimitError, TruncatedError

CHUNK_BYTES = 1 << 18
# MNIST's training images, which compress best of all common files, unpack to 6 times their size.
ALWAYS_UNPACKED = 64 << 20
MAX_UNPACKING = 20
MAX_BYTES = 2**31
# The highest preset of xz needs 65 MiB to unpack; a header may ask for 4 GiB.
MAX_MEMORY_FOR_XZ = 128 << 20


class Gzip:
    """A gzip decompressor with the interface of `lzma.LZMADecompressor` and `bz2`'s."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)

    @property
    def needs_input(self) -> bool:
        """Whether all input so far was consumed."""
        return not self._stream.unconsumed_tail

    @property
    def eof(self) -> bool:
        """Whether the end was reached and its checksum was right."""
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        """The input after the end of the compressed data."""
        return self._stream.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Return at most `max_length` bytes of output."""
        return self._stream.decompress(self._stream.unconsumed_tail + data, max_length)


GZIP, XZ = b"\x1f\x8b", b"\xfd7zXZ\x00"  # the first bytes of compressed files
PACKINGS: dict[bytes, Callable[[], Any]] = {
    GZIP: Gzip,
    b"BZh": bz2.BZ2Decompressor,
    XZ: lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, MAX_MEMORY_FOR_XZ),
}


def max_unpacked(size: int) -> int:
    """Return how many bytes may be unpacked from a file of `size` bytes.

    >>> max_unpacked(1000) == 64 << 20, max_unpacked(10_000_000), max_unpacked(10**9) == 2**31
    (True, 200000000, True)
    """
    return min(MAX_BYTES, max(ALWAYS_UNPACKED, MAX_UNPACKING * size))


class Unpacking(io.RawIOBase):
    """The content of an open file, unpacked if its first bytes are those of a compressed file.

    Parameters
    ----------
    file : opened for reading, at its beginning
    path : for the error messages
    """

    def __init__(self, file: IO[bytes], path: object) -> None:
        self._file, self._path = file, path
        size = os.fstat(file.fileno()).st_size
        self._max_bytes = max_unpacked(size)
        self._left = self._max_bytes
        self._pending = file.read(CHUNK_BYTES)
        self._mark = next((mark for mark in PACKINGS if self._pending.startswith(mark)), b"")
        self._stream: Any = PACKINGS[self._mark]() if self._mark else None

    def readable(self) -> bool:
        """Return True: the stream can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the beginning of `buffer`; return the number of bytes, 0 at the end."""
        content = self._packed(len(buffer)) if self._stream else self._plain(len(buffer))
        self._left -= len(content)
        if self._left < 0:
            raise SizeLimitError(
                f"{self._path}: unpacks to more than {self._max_bytes:,} bytes, too many for a "
                "file of its size"
            )
        buffer[: len(content)] = content
        return len(content)

    def _plain(self, most: int) -> bytes:
        pending = self._pending or self._file.read(CHUNK_BYTES)
        self._pending = pending[most:]
        return pending[:most]

    def _packed(self, most: int) -> bytes:
        while True:
            if self._stream.eof and not self._next_stream():
                return b""
            data = b""
            if self._stream.needs_input:
                data, self._pending = self._pending or self._file.read(CHUNK_BYTES), b""
                if not data:
                    raise TruncatedError(self._path, "ends before its compressed data are complete")
            try:
                content = self._stream.decompress(data, most)
            except (zlib.error, lzma.LZMAError, OSError, ValueError) as error:
                raise FormatError(self._path, f"cannot be unpacked ({error})") from error
            if content:
                return content

    def _next_stream(self) -> bool:
        """Begin the next of several concatenated compressed files; False after the last one."""
        rest = self._stream.unused_data
        rest = rest or self._file.read(CHUNK_BYTES)
        if not rest.strip(b"\0"):  # some writers pad the last block
            return False
        self._stream, self._pending = PACKINGS[self._mark](), rest
        return True
