"""Reading HDF5: plain numbers and texts that are inside the file, no more than it holds.

An HDF5 file may name other files (external links, virtual data sets, external storage), declare
arrays that it does not hold, and ask for plugins that unpack them. All of that is refused before
the library follows it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np

from minicnn.errors import (
    FormatError,
    MiniCNNError,
    SizeLimitError,
    TruncatedError,
    UnsafeFileError,
    UnsupportedError,
)
from minicnn.installed import missing_extra
from minicnn.interop.keras.hdf5_heaps import check_heaps
from minicnn.models.saving.archive.container import shown

MAX_NAMES = 100_000  # members of one group
MAX_TEXT_BYTES = 32 << 20
MAX_EXPANSION = 16  # of what is compressed
FREE_BYTES = 1 << 20  # that may be declared whatever the file's size
PLAIN_FILTERS = {1, 2, 3}  # deflate, shuffle, fletcher32: they need no plugin
# What h5py raises for damaged files.
DAMAGE = (OSError, KeyError, ValueError, RuntimeError, TypeError, LookupError, ArithmeticError)


class Hdf5:
    """An open HDF5 file, of which parts are read by their paths.

    `left` counts down the bytes that may still be read: a file that lists the same data twice
    cannot fill the memory.
    """

    def __init__(self, file: Any, path: object, size: int) -> None:
        self.file, self.path, self.size = file, path, size
        self.left = MAX_EXPANSION * size + FREE_BYTES

    def has(self, place: str) -> bool:
        """Return whether there is something at this path, all on the way being inside the file."""
        return self._find(place) is not None

    def names(self, place: str = "") -> list[str]:
        """Return the names in a group; [] if there is no such group."""
        group = self._group(place)
        if group is None:
            return []
        if len(group) > MAX_NAMES:
            raise SizeLimitError(f"{self.path}: {shown(place)} has {len(group):,} members")
        return list(group)

    def array(self, place: str) -> np.ndarray:
        """Return the numbers at a path.

        Raises
        ------
        FormatError : there is no array of numbers, it is not all inside the file, or too large
        """
        found = self._find(place)
        if found is None or not hasattr(found, "is_virtual"):
            raise FormatError(self.path, f"it has no array {shown(place)}")
        if found.shape is None:
            raise FormatError(self.path, f"the array {shown(place)} has no values")
        self._check_plain(found, place)
        self._take(math.prod(found.shape) * found.dtype.itemsize, place)
        return np.asarray(found[()])

    def text(self, name: str, place: str = "") -> str | None:
        """Return a text among a group's attributes; None if it has none of that name."""
        value = self._attribute(name, place)
        return None if value is None else self._decoded(value, f"{place}@{name}")

    def texts(self, name: str, place: str = "") -> list[str] | None:
        """Return a list of texts among a group's attributes; Keras splits a long one."""
        value = self._attribute(name, place)
        if value is None:
            parts: list[Any] = []
            while (part := self._attribute(f"{name}{len(parts)}", place)) is not None:
                parts.append(part)
            if not parts:
                return None
            value = np.concatenate([np.atleast_1d(part) for part in parts])
        return [self._decoded(one, f"{place}@{name}") for one in np.atleast_1d(value)]

    def _find(self, place: str) -> Any:
        """Return the group or the array at a path; None if there is none."""
        import h5py

        found = self.file
        for name in filter(None, place.split("/")):
            if not isinstance(found, h5py.Group) or name == ".":
                return None
            link = found.get(name, getlink=True)
            if link is None:
                return None
            if not isinstance(link, h5py.HardLink):
                kind = type(link).__name__
                raise UnsafeFileError(
                    self.path,
                    f"{shown(place)} is reached by a link ({kind}), which is not followed",
                )
            found = found[name]
        return found

    def _group(self, place: str) -> Any:
        import h5py

        found = self._find(place)
        return found if isinstance(found, h5py.Group) else None

    def _attribute(self, name: str, place: str) -> Any:
        group = self._group(place)
        if group is None or name not in group.attrs:
            return None
        entry = group.attrs.get_id(name)
        if entry.dtype.kind not in "SO" and math.prod(entry.shape):
            raise UnsupportedError(self.path, f"{shown(place)}@{shown(name)} is not a text")
        self._take(math.prod(entry.shape) * entry.dtype.itemsize, f"{place}@{name}")
        return group.attrs[name]

    def _decoded(self, value: Any, what: str) -> str:
        if isinstance(value, bytes):
            try:
                value = value.decode()
            except UnicodeDecodeError as error:
                raise FormatError(self.path, f"{shown(what)} is not UTF-8") from error
        if not isinstance(value, str) or len(value) > MAX_TEXT_BYTES:
            raise FormatError(self.path, f"{shown(what)} is not a text")
        return str(value)

    def _take(self, count: int, what: str) -> None:
        self.left -= count
        if self.left < 0:
            raise SizeLimitError(
                f"{self.path}: {shown(what)} declares {count:,} bytes, and the file has "
                f"{self.size:,}"
            )

    def _check_plain(self, found: Any, place: str) -> None:
        """Raise unless a data set is one of numbers, all of which the file itself holds."""
        if found.is_virtual or found.external:
            raise UnsafeFileError(
                self.path, f"{shown(place)} is in another file, which is not read"
            )
        if found.dtype.kind not in "fiub" or found.dtype.itemsize > 8:
            raise UnsupportedError(
                self.path, f"{shown(place)} has the type {found.dtype}; weights are numbers"
            )
        layout = found.id.get_create_plist()
        filters = {layout.get_filter(i)[0] for i in range(layout.get_nfilters())}
        if filters - PLAIN_FILTERS:
            raise UnsafeFileError(self.path, f"{shown(place)} needs a plugin to be unpacked")
        declared, stored = found.size * found.dtype.itemsize, found.id.get_storage_size()
        if declared > (MAX_EXPANSION * stored + FREE_BYTES if filters else stored):
            raise TruncatedError(
                self.path, f"{shown(place)} declares {declared:,} bytes and holds {stored:,}"
            )


@contextmanager
def opened(source: BinaryIO, path: object, size: int) -> Iterator[Hdf5]:
    """Open HDF5 for reading; what the library raises inside the block becomes a FormatError.

    Parameters
    ----------
    source : a file that is open for reading bytes
    path : for the error messages
    size : its bytes
    """
    h5py = imported()
    check_heaps(source, path)
    try:
        with h5py.File(source, "r") as file:
            yield Hdf5(file, path, size)
    except MiniCNNError:
        raise
    except DAMAGE as error:
        raise FormatError(path, f"its HDF5 part is damaged: {str(error)[:120]}") from error


def imported() -> Any:
    """Return the package h5py.

    Raises
    ------
    MissingExtraError : it is not installed
    """
    try:
        import h5py
    except ImportError as error:
        raise missing_extra("Keras's files need h5py", "keras") from error
    return h5py
