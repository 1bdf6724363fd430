"""A file's content from front to back: plain, or packed with gzip, bzip2 or xz.

A few packed bytes can stand for gigabytes, so the bytes that come out are counted: at most 64 MiB,
or 20 times the file if that is more.
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
# MNIST's train images, the most regular files in use, unpack to 47 MB, 6 times their size.
ALWAYS_UNPACKED = 64 << 20
MAX_UNPACKING = 20
MAX_BYTES = 2**31
# The strongest preset of xz needs 65 MiB to unpack; a header may ask for 4 GiB.
MAX_MEMORY_FOR_XZ = 128 << 20


class Gzip:
    """A stream of zlib, to be asked as those of lzma and bz2 are."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)

    @property
    def needs_input(self) -> bool:
        """Is nothing left of the input it was given?"""
        return not self._stream.unconsumed_tail

    @property
    def eof(self) -> bool:
        """Was the end reached, and its check sum right?"""
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        """What was given beyond the end."""
        return self._stream.unused_data

    def decompress(self, data: bytes, most: int) -> bytes:
        """At most so many bytes."""
        return self._stream.decompress(self._stream.unconsumed_tail + data, most)


GZIP, XZ = b"\x1f\x8b", b"\xfd7zXZ\x00"  # how packed files begin
PACKINGS: dict[bytes, Callable[[], Any]] = {
    GZIP: Gzip,
    b"BZh": bz2.BZ2Decompressor,
    XZ: lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, MAX_MEMORY_FOR_XZ),
}


def most_unpacked(size: int) -> int:
    """So many bytes are unpacked at most from a file of this size.

    >>> most_unpacked(1000) == 64 << 20, most_unpacked(10_000_000), most_unpacked(10**9) == 2**31
    (True, 200000000, True)
    """
    return min(MAX_BYTES, max(ALWAYS_UNPACKED, MAX_UNPACKING * size))


class Unpacking(io.RawIOBase):
    """The content of an open file; its first bytes say how it is packed.

    Parameters
    ----------
    file : opened for reading, at its beginning
    path : for the error messages
    """

    def __init__(self, file: IO[bytes], path: object) -> None:
        self._file, self._path = file, path
        size = os.fstat(file.fileno()).st_size
        self._most = most_unpacked(size)
        self._left = self._most
        self._pending = file.read(CHUNK_BYTES)
        self._mark = next((mark for mark in PACKINGS if self._pending.startswith(mark)), b"")
        self._stream: Any = PACKINGS[self._mark]() if self._mark else None

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the beginning of `buffer`; 0 at the end."""
        content = self._packed(len(buffer)) if self._stream else self._plain(len(buffer))
        self._left -= len(content)
        if self._left < 0:
            raise SizeLimitError(
                f"{self._path}: unpacks to more than {self._most:,} bytes, which is too much for "
                "a file of its size"
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
                    raise TruncatedError(self._path, "ends before its packed data do")
            try:
                content = self._stream.decompress(data, most)
            except (zlib.error, lzma.LZMAError, OSError, ValueError) as error:
                raise FormatError(self._path, f"cannot be unpacked ({error})") from error
            if content:
                return content

    def _next_stream(self) -> bool:
        """Packed files one behind the other are one content; False at the end of the last."""
        rest = self._stream.unused_data
        rest = rest or self._file.read(CHUNK_BYTES)
        if not rest.strip(b"\0"):  # some writers fill the last block
            return False
        self._stream, self._pending = PACKINGS[self._mark](), rest
        return True
