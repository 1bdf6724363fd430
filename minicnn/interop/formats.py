"""The table of the formats, and how each is recognized by the first bytes of a file."""

from __future__ import annotations

import zipfile
from typing import BinaryIO

from minicnn.models.saving.formats import Format

HDF5 = b"\x89HDF\r\n\x1a\n"
ZIP = b"PK\x03\x04"


def is_keras_archive(file: BinaryIO) -> bool:
    """Return whether it is a zip file with the parts of a `.keras` file."""
    if file.read(4) != ZIP:
        return False
    try:
        with zipfile.ZipFile(file) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False
    return {"config.json", "model.weights.h5"} <= names


def is_hdf5(file: BinaryIO) -> bool:
    """Return whether it begins as HDF5 files do."""
    return file.read(8) == HDF5


ALL = [
    Format(
        "a Keras 3 archive",
        (".keras",),
        is_keras_archive,
        "minicnn.interop.keras.archive",
        ("read_model", "write_model", "read_weights"),
    ),
    Format(
        "an HDF5 file of Keras",
        (".h5", ".hdf5"),
        is_hdf5,
        "minicnn.interop.keras.hdf5",
        ("read_model", "write_model", "read_weights", "write_weights"),
    ),
]
