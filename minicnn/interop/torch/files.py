"""PyTorch's two kinds of files: an archive of a pickle and storages, and before 1.6 one stream."""

from __future__ import annotations

import errno
import os
import zipfile
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np

from minicnn.errors import FormatError, SizeLimitError, TruncatedError, UnsupportedError
from minicnn.interop.torch.tensors import Storage, Tensor
from minicnn.interop.torch.unpickling import TensorMachine
from minicnn.support.files import Path, open_regular
from minicnn.support.text import quoted

Values = Callable[[Storage], np.ndarray]
MAX_PICKLE_BYTES = 64 << 20
MAX_MEMBERS = 200_000
# What the objects of the pickle may take; tensors are read after it.
MAX_OBJECT_BYTES = 256 << 20
MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
BAD_ZIP = (
    zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, ValueError,
    OverflowError,
)  # fmt: skip


def with_arrays(path: Path, choose: Callable[[Any], dict[str, Tensor]]) -> dict[str, np.ndarray]:
    """Return the arrays of the tensors that `choose` takes from the object of a file.

    Raises
    ------
    UnsafeFileError : the pickle asks for anything but tensors and containers
    FormatError : it is not a file of PyTorch, or it is damaged
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if file.read(2) == b"PK":
            return _from_archive(file, size, path, choose)
        file.seek(0)
        return _from_stream(file, size, path, choose)


def _from_archive(file: BinaryIO, size: int, path: Path, choose: Any) -> dict[str, np.ndarray]:
    try:
        with zipfile.ZipFile(file) as archive:
            members = _members(archive, size, path)
            data = archive.read(members["data.pkl"])
            order = archive.read(members["byteorder"]) if "byteorder" in members else b"little"
            tensors = choose(TensorMachine(path, MAX_OBJECT_BYTES).run(data))
            big = order.strip() == b"big"
            return _arrays(tensors, lambda one: _stored(archive, members, one, big, path))
    except (FormatError, SizeLimitError):
        raise
    except BAD_ZIP as error:
        raise FormatError(path, f"its archive is damaged: {error}") from error
    except OSError as error:
        if error.errno != errno.EINVAL:  # that of a place before the file's start
            raise
        raise FormatError(path, "its archive is damaged: a member lies outside of it") from error


def _members(archive: zipfile.ZipFile, size: int, path: Path) -> dict[str, zipfile.ZipInfo]:
    """Return the members by their names below the archive's only folder."""
    infos = archive.infolist()
    if len(infos) > MAX_MEMBERS:
        raise SizeLimitError(f"{os.fspath(path)}: has {len(infos):,} members, over {MAX_MEMBERS:,}")
    pickles = [one.filename for one in infos if one.filename.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise FormatError(path, f"has {len(pickles)} members data.pkl; PyTorch's files have one")
    folder = pickles[0].removesuffix("data.pkl")
    members = {one.filename.removeprefix(folder): one for one in infos}
    if len(members) != len(infos):
        raise FormatError(path, "two of its members have the same name")
    for one in infos:
        if one.compress_type != zipfile.ZIP_STORED or one.flag_bits & 1:
            raise UnsupportedError(path, f"its member {quoted(one.filename)} is compressed")
    if (
        sum(one.file_size for one in infos) > size
        or members["data.pkl"].file_size > MAX_PICKLE_BYTES
    ):
        raise SizeLimitError(f"{os.fspath(path)}: its members are larger than the file, or the "
                             f"pickle than {MAX_PICKLE_BYTES:,} bytes")  # fmt: skip
    return members


def _stored(
    archive: zipfile.ZipFile, members: dict[str, Any], storage: Storage, big: bool, path: Path
) -> np.ndarray:
    member = members.get(f"data/{storage.key}")
    needed = storage.size * storage.dtype.itemsize
    if member is None or member.file_size < needed:
        held = 0 if member is None else member.file_size
        raise TruncatedError(
            path, f"its storage {quoted(storage.key, 40)} has {held:,} bytes and needs {needed:,}"
        )
    dtype = storage.dtype.newbyteorder(">") if big else storage.dtype
    values = np.frombuffer(archive.read(member), dtype, storage.size)
    return values.astype(storage.dtype)


def _from_stream(file: BinaryIO, size: int, path: Path, choose: Any) -> dict[str, np.ndarray]:
    """Read the pickles of the older kind, then the storages, each behind its length."""
    bounded = _Bounded(file, size)
    machines = (TensorMachine(path, MAX_OBJECT_BYTES) for _ in range(5))
    magic, protocol, _system, content, keys = (one.run(bounded) for one in machines)
    if (magic, protocol) != (MAGIC, PROTOCOL) or not isinstance(keys, list):
        raise FormatError(path, "is not a file of torch.save")
    tensors = choose(content)
    wanted = {one.storage.key: one.storage for one in tensors.values()}
    found: dict[str, np.ndarray] = {}
    sizes = _sizes(content)
    for key in keys:
        storage = wanted.get(key) or sizes.get(key)
        if storage is None:
            raise FormatError(path, f"its storage {quoted(key, 40)} belongs to no tensor")
        values = _next_storage(bounded, storage, path)
        if key in wanted:
            found[key] = values
    missing = [key for key in wanted if key not in found]
    if missing:
        raise TruncatedError(path, f"its storage {quoted(missing[0], 40)} is missing")
    return _arrays(tensors, lambda one: found[one.key])


def _sizes(content: Any) -> dict[str, Storage]:
    """Return all storages of an object by their keys; those of an optimizer's state, too."""
    found: dict[str, Storage] = {}
    waiting, seen = [content], set[int]()
    while waiting:
        one = waiting.pop()
        if isinstance(one, Tensor):
            found[one.storage.key] = one.storage
        elif isinstance(one, (dict, list, tuple)) and id(one) not in seen:
            seen.add(id(one))
            waiting += list(one.values()) if isinstance(one, dict) else list(one)
    return found


def _next_storage(file: _Bounded, storage: Storage, path: Path) -> np.ndarray:
    count = int.from_bytes(file.read(8), "little")
    data = file.read(storage.size * storage.dtype.itemsize)
    if count != storage.size or len(data) != storage.size * storage.dtype.itemsize:
        raise TruncatedError(
            path,
            f"its storage {quoted(storage.key, 40)} has {count:,} numbers in {len(data):,} bytes "
            f"and needs {storage.size:,}",
        )
    return np.frombuffer(data, storage.dtype)


def _arrays(tensors: dict[str, Tensor], values: Values) -> dict[str, np.ndarray]:
    """Return the array of each tensor; the values of a storage are read once."""
    read: dict[Storage, np.ndarray] = {}
    arrays = {}
    for name, one in tensors.items():
        if one.storage not in read:
            read[one.storage] = values(one.storage)
        arrays[name] = one.array(read[one.storage])
    return arrays


class _Bounded:
    """A file that never asks for more bytes than there are, whatever a length in it says."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.file, self.size = file, size

    def read(self, count: int) -> bytes:
        """Return so many bytes, or those that are left."""
        return self.file.read(max(min(count, self.size - self.file.tell()), 0))

    def readline(self) -> bytes:
        """Return the rest of a line."""
        return self.file.readline()

    def tell(self) -> int:
        """Return the place in the file."""
        return self.file.tell()
