"""Reading the files in a tar archive one after the other, without writing anything to disk.

    header of 512 bytes | content, padded to blocks of 512 | header | ... | blocks of zeros

Long names have headers of their own, before the header that they belong to. Everything that a
header declares is checked before it is used: lengths, and the number of headers of one file.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import IO

from minicnn.data.unpacking import CHUNK_BYTES, MAX_BYTES, Unpacking
from minicnn.errors import FormatError, SizeLimitError, TruncatedError, UnsupportedError

BLOCK = 512
MAX_MEMBERS = 100_000
MAX_EXTENSIONS = 4  # headers before a file's own: long name, long link, attributes
MAX_EXTENSION = 1 << 20
MAX_NAME = 4096
FILES, FOLDER = (b"0", b"\0", b"7"), b"5"
WITHOUT_CONTENT = (b"1", b"2", b"3", b"4", FOLDER, b"6")  # links, devices, folders, pipes
LONG_NAME, LONG_LINK, ATTRIBUTES, COMMON_ATTRIBUTES = b"L", b"K", (b"x", b"X"), b"g"
SPARSE_OR_MULTI_VOLUME = (b"S", b"M")
POSIX = b"ustar\x00"
MAX_DIGITS = 20  # of a number in the attributes
ATTRIBUTES_DAMAGED = "is damaged: the attributes of a file cannot be read"


class TarMember:
    """A file in the archive; it can be read until the next one is requested."""

    def __init__(self, name: str, size: int, stream: IO[bytes], path: object) -> None:
        self.name, self.size = name, size
        self._stream, self._path, self._left = stream, path, size

    def read(self) -> bytes:
        """Return the whole content, `size` bytes."""
        content = _exactly(self._stream, self._left, self._path)
        self._left = 0
        return content

    def skip(self) -> None:
        """Skip the content that was not read, and the padding of the last block."""
        left = self._left + -self.size % BLOCK
        while left:
            left -= len(_exactly(self._stream, min(left, CHUNK_BYTES), self._path))
        self._left = 0


def members(file: IO[bytes], path: object) -> Iterator[TarMember]:
    """Yield the regular files of an archive, plain or compressed, in their order.

    Parameters
    ----------
    file : opened for reading, at its beginning
    path : for the error messages

    Raises
    ------
    TruncatedError : the archive ends before its end mark
    SizeLimitError : it has more than 100,000 files, a name that is too long, or unpacks to more
        than 64 MiB and 20 times its size
    FormatError : it is not a tar archive, or is damaged
    """
    stream = io.BufferedReader(Unpacking(file, path), CHUNK_BYTES)
    count = 0
    while (member := _next(stream, path, first=count == 0)) is not None:
        count += 1
        if count > MAX_MEMBERS:
            raise SizeLimitError(f"{path}: has more than {MAX_MEMBERS:,} files and folders")
        if member.name:
            yield member
        member.skip()
    while stream.read(CHUNK_BYTES):  # reading to the end verifies the checksum of the compression
        pass


def _next(stream: IO[bytes], path: object, *, first: bool) -> TarMember | None:
    """Return the next member, with an empty name if it is not a regular file; None at the end."""
    name, size = "", None
    for _ in range(MAX_EXTENSIONS + 1):
        header = stream.read(BLOCK)
        if len(header) < BLOCK:
            end = "ends within a header" if header else "has no end mark"
            raise TruncatedError(path, f"is not a complete tar archive: it {end}")
        if not any(header):
            return None
        _check_sum(header, path, first=first)
        kind, declared = header[156:157], _number(header[124:136], path)
        if kind in SPARSE_OR_MULTI_VOLUME:
            raise UnsupportedError(path, "holds a sparse or multi-volume file")
        if kind not in (LONG_NAME, LONG_LINK, *ATTRIBUTES, COMMON_ATTRIBUTES):
            declared = 0 if kind in WITHOUT_CONTENT else declared if size is None else size
            if declared > MAX_BYTES:
                raise SizeLimitError(
                    f"{path}: declares a file of {declared:,} bytes; at most {MAX_BYTES:,} are read"
                )
            name = (name or _name(header)) if kind in FILES else ""
            if name.endswith("/"):  # how old archives mark folders
                name = ""
            return TarMember(name, declared, stream, path)
        extension = _extension(stream, declared, path)
        if kind == LONG_NAME:
            name = _text(extension, path)
        elif kind in ATTRIBUTES:
            name, size = _attributes(extension, name, size, path)
    raise FormatError(path, f"has more than {MAX_EXTENSIONS} extension headers for one file")


def _check_sum(header: bytes, path: object, *, first: bool) -> None:
    """Check the sum of a header's bytes, in which the sum's own field counts as spaces."""
    found, rest = _number(header[148:156], path, first=first), header[:148] + header[156:]
    total = sum(rest) + 8 * ord(" ")
    # Some old programs add the bytes as signed numbers.
    if found != total and found != total - 256 * sum(byte > 127 for byte in rest):
        what = "is not a tar archive" if first else "is damaged: the checksum of a header is wrong"
        raise FormatError(path, what)


def _number(field: bytes, path: object, *, first: bool = False) -> int:
    """Decode a number of a header: octal digits or, if large, the byte 128 and a binary number."""
    if field[0] == 128:
        return int.from_bytes(field[1:], "big")
    digits = field.split(b"\0")[0].strip(b" ")
    if digits.strip(b"01234567"):
        what = "is not a tar archive" if first else "is damaged: a header field is not a number"
        raise FormatError(path, what)
    return int(digits or b"0", 8)


def _name(header: bytes) -> str:
    name = header[:100].split(b"\0")[0]
    prefix = header[345:500].split(b"\0")[0] if header[257:263] == POSIX else b""
    return _decoded(prefix + b"/" + name if prefix else name)


def _decoded(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def _extension(stream: IO[bytes], size: int, path: object) -> bytes:
    if size > MAX_EXTENSION:
        raise SizeLimitError(
            f"{path}: has a header of {size:,} bytes; at most {MAX_EXTENSION:,} are read"
        )
    content = _exactly(stream, size, path)
    _exactly(stream, -size % BLOCK, path)
    return content


def _text(raw: bytes, path: object) -> str:
    raw = raw.split(b"\0")[0]
    if len(raw) > MAX_NAME:
        raise SizeLimitError(
            f"{path}: has a name of {len(raw):,} bytes; at most {MAX_NAME:,} are read"
        )
    return _decoded(raw)


def _attributes(
    content: bytes, name: str, size: int | None, path: object
) -> tuple[str, int | None]:
    """Read name and size from lines of the form "<length of the line> <key>=<value>"."""
    begin = 0
    while begin < len(content) and content[begin]:
        digits = content[begin : begin + MAX_DIGITS + 1].split(b" ")[0]
        end = begin + _decimal(digits, path)
        line = content[begin + len(digits) + 1 : end]
        key, equals, value = line.partition(b"=")
        if not line.endswith(b"\n") or not equals or end > len(content):
            raise FormatError(path, ATTRIBUTES_DAMAGED)
        if key.startswith(b"GNU.sparse"):
            raise UnsupportedError(path, "holds a sparse file")
        if key == b"path":
            name = _text(value[:-1], path)
        elif key == b"size":
            size = _decimal(value[:-1], path)
        begin = end
    return name, size


def _decimal(digits: bytes, path: object) -> int:
    if not digits.isdigit() or len(digits) > MAX_DIGITS:
        raise FormatError(path, ATTRIBUTES_DAMAGED)
    return int(digits)


def _exactly(stream: IO[bytes], size: int, path: object) -> bytes:
    content = stream.read(size) if size else b""
    if len(content) < size:
        raise TruncatedError(path, f"ends {size - len(content):,} bytes before the end of a file")
    return content
