"""Writing state dicts: a network's weights under PyTorch's names and in its layout."""

from __future__ import annotations

import io
import os
import struct
import zipfile
from typing import Any

import numpy as np

from minicnn import layers
from minicnn.errors import UnsupportedError
from minicnn.interop.torch.layouts import places
from minicnn.interop.torch.mapping import COUNTER
from minicnn.models.saving.archive.tensors import dump_tensors
from minicnn.support.atomic_files import write_atomically
from minicnn.support.files import Path

STORAGE_NAMES = {"float32": "FloatStorage", "int64": "LongStorage"}
NEW_YEAR_1980 = (1980, 1, 1, 0, 0, 0)


def write_weights(model: Any, path: Path) -> None:
    """Write the weights as PyTorch names and turns them, to `.safetensors` or `.pth`.

    A layer `conv1` becomes `conv1.weight` and `conv1.bias`; `torch.load(path)` gives what
    `load_state_dict` of a network with layers of these names takes.

    Raises
    ------
    UnsupportedError : a layer has weights that PyTorch's layers do not have; nothing is written
    """
    tensors = state_dict(model, path)
    if os.fspath(path).lower().endswith(".safetensors"):
        write_atomically(path, [dump_tensors(tensors, "the state dict")])
    else:
        write_atomically(path, [archive_of(tensors)])


def state_dict(model: Any, path: Path = "<state dict>") -> dict[str, np.ndarray]:
    """Return the weights of a network by PyTorch's names."""
    try:
        found = places(model)
    except ValueError as error:
        raise UnsupportedError(path, str(error)) from error
    tensors = {}
    for place in found:
        stem = place.path.replace("/", ".")
        for part in place.parts:
            array = part.to_torch(part.parameter.value)
            tensors[f"{stem}.{part.name}"] = np.ascontiguousarray(array, np.float32)
        if isinstance(place.layer, layers.BatchNormalization):
            tensors[f"{stem}.{COUNTER}"] = np.array(0, np.int64)
    return tensors


def archive_of(tensors: dict[str, np.ndarray]) -> bytes:
    """Return the bytes of a file of `torch.save` with these tensors."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        _add(archive, "data.pkl", _pickle(tensors))
        _add(archive, "byteorder", b"little")
        for key, array in enumerate(tensors.values()):
            _add(archive, f"data/{key}", array.astype(array.dtype.newbyteorder("<")).tobytes())
        _add(archive, "version", b"3\n")
    return content.getvalue()


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(f"archive/{name}", NEW_YEAR_1980), data)


def _pickle(tensors: dict[str, np.ndarray]) -> bytes:
    """Return a pickle of protocol 2 of an ordered dictionary with these tensors."""
    new_dict = b"ccollections\nOrderedDict\n)R"
    items = [
        _text(name) + _tensor(array, str(key), new_dict)
        for key, (name, array) in enumerate(tensors.items())
    ]
    return b"\x80\x02" + new_dict + b"(" + b"".join(items) + b"u."


def _tensor(array: np.ndarray, key: str, new_dict: bytes) -> bytes:
    """Return the call that builds a tensor on the storage of this key."""
    kind = f"ctorch\n{STORAGE_NAMES[array.dtype.name]}\n".encode()
    storage = b"(" + _text("storage") + kind + _text(key) + _text("cpu") + _int(array.size) + b"tQ"
    steps = tuple(step // array.itemsize for step in array.strides)
    what = storage + _int(0) + _ints(array.shape) + _ints(steps) + b"\x89" + new_dict
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + what + b"tR"


def _text(text: str) -> bytes:
    data = text.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def _int(value: int) -> bytes:
    if value < 2**31:
        return b"J" + struct.pack("<i", value)
    return b"\x8a\x08" + struct.pack("<q", value)


def _ints(values: tuple[int, ...]) -> bytes:
    return b"(" + b"".join(map(_int, values)) + b"t"
