"""The heaps of an HDF5 file, in which texts of any length lie: the library trusts their sizes.

HDF5 1.14 goes from one object of such a heap to the next by the size that it has in the file; an
object of size 0 keeps it there forever. So all heaps are gone through here before the library is.

    "GCOL", version 1, 3 zeros, size of the heap | number, references, 4 zeros, size, data | ...
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO

from minicnn.errors import FormatError, SizeLimitError

MARK = b"GCOL\x01\0\0\0"
HEADER = OBJECT = 16  # bytes before the objects, and before the data of each
CHUNK_BYTES = 1 << 20
LENGTHS = b"\x08\x08"  # the bytes of an address, and of a size, in all files of Keras


def check_heaps(source: BinaryIO, path: object) -> None:
    """Raise unless each object of each heap has a size that leads on to the next one.

    Parameters
    ----------
    source : the file, open for reading; it is at its start afterwards
    path : for the error messages

    Raises
    ------
    FormatError : a size is wrong, or addresses are not of 8 bytes
    SizeLimitError : heaps lie in one another, so that going through them could take very long
    """
    start = source.read(16)
    lengths = start[13:15] if start[8:9] < b"\x02" else start[9:11]
    if lengths != LENGTHS:
        raise FormatError(path, "its HDF5 part is damaged: its addresses are not of 8 bytes")
    size = source.seek(0, os.SEEK_END)
    left = size // OBJECT
    for place in list(_places(source)):
        left -= _check_heap(source, place, size, path)
        if left < 0:
            raise SizeLimitError(f"{path}: its HDF5 part has heaps that lie in one another")
    source.seek(0)


def _places(source: BinaryIO) -> Iterator[int]:
    """Yield the place of everything that begins as a heap does."""
    source.seek(0)
    before, begin = b"", 0
    while part := source.read(CHUNK_BYTES):
        block = before + part
        at = block.find(MARK)
        while at >= 0:
            yield begin + at
            at = block.find(MARK, at + 1)
        before = block[1 - len(MARK) :]
        begin += len(block) - len(before)


def _check_heap(source: BinaryIO, place: int, size: int, path: object) -> int:
    """Return how many objects a heap has."""
    source.seek(place + len(MARK))
    length = int.from_bytes(source.read(8), "little")
    if not HEADER <= length <= size - place:
        raise FormatError(path, "its HDF5 part is damaged: a heap is larger than the file", place)
    content = source.read(length - HEADER)
    at = count = 0
    while at + OBJECT <= len(content):
        number, data = struct.unpack_from("<H6xQ", content, at)
        # What is free has the number 0, and a size with that of its header.
        step = OBJECT + (data + 7) // 8 * 8 if number else data
        if not OBJECT <= step <= len(content) - at:
            raise FormatError(
                path, f"its HDF5 part is damaged: an object in a heap has {data:,} bytes", place
            )
        at, count = at + step, count + 1
    return count
