"""Writing HDF5 in memory: the same content gives the same bytes."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minicnn.interop.keras.hdf5_reading import imported

HEADER_BYTES = 64_512  # what an HDF5 object has room for; Keras splits longer lists


def hdf5_bytes(fill: Callable[[Any], None]) -> bytes:
    """Return the bytes of a new HDF5 file whose root group `fill` was given."""
    h5py = imported()
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        fill(file)
    return memory.getvalue()


def put_array(group: Any, name: str, array: np.ndarray) -> None:
    """Add an array of numbers; no time of its making is kept."""
    group.create_dataset(name, data=np.asarray(array), track_times=False)


def put_texts(group: Any, name: str, texts: Sequence[str]) -> None:
    """Add a list of texts as an attribute, or several if it is long, as Keras does."""
    encoded = np.asarray([text.encode() for text in texts])
    count = 1
    while any(part.nbytes > HEADER_BYTES for part in np.array_split(encoded, count)):
        count += 1
    if count == 1:
        group.attrs[name] = encoded
        return
    for i, part in enumerate(np.array_split(encoded, count)):
        group.attrs[f"{name}{i}"] = part
