"""A zip of stored members, with exactly one way to write any given content.

Any zip program opens what is written here. What is *read* must be, byte for byte, what would be
written for the same members: no compression, no dates, no attributes, no comments, nothing before,
between or after them. So two readers cannot understand a file differently, and no flipped bit goes
unnoticed.

    local header, content | local header, content | ... | directory | end
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Mapping

from minicnn.errors import (
    ChecksumError,
    FormatError,
    SizeLimitError,
    TruncatedError,
    UnsafeFileError,
)

# Signature; version, flags, method, time, date; checksum, packed size, size; name, extra length.
LOCAL = struct.Struct("<4s5H3L2H")
# Signature; versions made by and needed, flags, method, time, date; checksum, packed size, size;
# name, extra and comment length, disk, internal attributes; external attributes, offset.
CENTRAL = struct.Struct("<4s6H3L5H2L")
# Signature; disk, disk of the directory, members here, members; directory size, offset; comment.
END = struct.Struct("<4s4H2LH")
LOCAL_MARK, CENTRAL_MARK, END_MARK = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"

STORED = 0
NEEDED = 20  # the first version of the zip format with stored members
MADE_BY = 3 << 8 | NEEDED  # on Unix, so that the attributes below are a file mode
MODE = 0o100644 << 16
MIDNIGHT, NEW_YEAR_1980 = 0, 1 << 5 | 1
MAX_BYTES = 2**32 - 2  # beyond that, a zip needs 64-bit fields
MAX_MEMBERS = 64
PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")


def pack(members: Mapping[str, bytes]) -> list[bytes]:
    """Return the pieces of the file, to be written one after the other."""
    total = sum(map(len, members.values()))
    if total > MAX_BYTES - 2**16:  # 64 members have less than 64 KiB of headers
        raise SizeLimitError(
            f"the model has {total:,} bytes; a .mcnn file holds {MAX_BYTES:,}. Save it without "
            "the optimizer's state, or the weights alone"
        )
    parts = []
    for name, content in members.items():
        parts += [_local(name, zlib.crc32(content), len(content)), content]
    return [*parts, _closing(members)]


def unpack(data: bytes, path: object) -> dict[str, memoryview]:
    """Return the members of a container, in their order; `path` is for the error messages."""
    if not data.startswith(LOCAL_MARK):
        raise _foreign(data[:4], path)
    members: dict[str, memoryview] = {}
    offset, view = 0, memoryview(data)
    while data.startswith(LOCAL_MARK, offset):
        name, content = _member(view, offset, path)
        if name in members:
            raise UnsafeFileError(path, f"member {shown(name)} is there twice", offset)
        if len(members) == MAX_MEMBERS:
            raise UnsafeFileError(path, f"has more than {MAX_MEMBERS} members", offset)
        members[name] = content
        offset += LOCAL.size + len(name) + len(content)
    _check_closing(view[offset:], _closing(members), offset, path)
    return members


def shown(text: str) -> str:
    """Return text from a file for an error message, escaped and shortened."""
    escaped = ascii(text)
    return escaped if len(escaped) <= 60 else f"{escaped[:56]}...'"


def _local(name: str, checksum: int, size: int) -> bytes:
    stamp = (NEEDED, 0, STORED, MIDNIGHT, NEW_YEAR_1980)
    return LOCAL.pack(LOCAL_MARK, *stamp, checksum, size, size, len(name), 0) + name.encode("ascii")


def _closing(members: Mapping[str, bytes | memoryview]) -> bytes:
    """Return the directory and the end of a container with these members."""
    directory, offset = b"", 0
    for name, content in members.items():
        stamp = (MADE_BY, NEEDED, 0, STORED, MIDNIGHT, NEW_YEAR_1980)
        sizes = (zlib.crc32(content), len(content), len(content), len(name), 0, 0, 0, 0)
        directory += CENTRAL.pack(CENTRAL_MARK, *stamp, *sizes, MODE, offset) + name.encode("ascii")
        offset += LOCAL.size + len(name) + len(content)
    count = len(members)
    return directory + END.pack(END_MARK, 0, 0, count, count, len(directory), offset, 0)


def _foreign(first: bytes, path: object) -> FormatError:
    """Return the error for a file that does not begin like a container."""
    if LOCAL_MARK.startswith(first):
        return TruncatedError(path, f"ends after {len(first)} bytes", len(first))
    return FormatError(
        path,
        f"begins with {first.hex(' ')}, a .mcnn file with {LOCAL_MARK.hex(' ')}; "
        "give a file that model.save() wrote",
        0,
    )


def _member(view: memoryview, offset: int, path: object) -> tuple[str, memoryview]:
    """Return name and content of the member whose local header is at `offset`."""
    header = bytes(_slice(view, offset, LOCAL.size, "the header of a member", path))
    _, _, _, method, _, _, checksum, packed, size, name_length, _ = LOCAL.unpack(header)
    raw = _slice(view, offset + LOCAL.size, name_length, "the name of a member", path)
    name = str(raw, "latin-1")
    if not PLAIN_NAME.fullmatch(name):
        raise UnsafeFileError(
            path, f"has a member {shown(name)}; in a .mcnn file all have plain file names", offset
        )
    if method != STORED or packed != size:
        raise UnsafeFileError(
            path,
            f"member {name} is compressed (method {method}, {packed:,} bytes for {size:,}); "
            ".mcnn files are not. Was it packed by another program? Save it again",
            offset,
        )
    if header + raw != _local(name, checksum, size):
        raise FormatError(path, f"the header of {name} is not as minicnn writes it", offset)
    content = _slice(view, offset + len(header) + name_length, size, name, path)
    if zlib.crc32(content) != checksum:
        found = f"CRC-32 {zlib.crc32(content):08x}, its header says {checksum:08x}"
        raise ChecksumError(path, f"{name} has the {found}; the file is damaged", offset)
    return name, content


def _slice(view: memoryview, begin: int, size: int, what: str, path: object) -> memoryview:
    if begin + size > len(view):
        raise TruncatedError(
            path,
            f"ends at byte {len(view):,}, {what} needs bytes {begin:,}-{begin + size:,}",
            len(view),
        )
    return view[begin : begin + size]


def _check_closing(found: memoryview, wanted: bytes, offset: int, path: object) -> None:
    """All that is behind the last member must be the directory of these members."""
    if found == wanted:
        return
    cut_short = len(found) < len(wanted) and wanted.startswith(bytes(found))
    if cut_short or LOCAL_MARK.startswith(bytes(found[: len(LOCAL_MARK)])):
        need = f"its members end at byte {offset:,}, and more must follow"
        raise TruncatedError(path, f"ends at byte {offset + len(found):,}; {need}")
    pairs = enumerate(zip(found, wanted, strict=False))
    same = next((i for i, (a, b) in pairs if a != b), len(wanted))
    raise FormatError(
        path, "what follows the members is not the directory of these members", offset + same
    )
