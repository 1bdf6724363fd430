"""The members of a `.mcnn` file: named documents and named arrays, each checked.

    config.json                         the layers
    weights.safetensors                 their parameters and statistics
    preprocess.json, classes.json       how an image becomes the input, and the classes' names
    history.json                        the curves of the training so far
    training.json, training.safetensors what the training needs to continue
    samples.safetensors                 calibrated answers, and features of some images
    metadata.json                       versions, and the SHA-256 of every other member

A file contains no code. Reading it executes nothing and looks nothing up by name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from minicnn.errors import ArgumentError, ChecksumError, FormatError, UnsupportedError
from minicnn.models.saving.archive.container import MAX_BYTES, pack, shown, unpack
from minicnn.models.saving.archive.documents import dump_document, load_document
from minicnn.models.saving.archive.tensors import dump_tensors, load_tensors
from minicnn.shapes import is_int
from minicnn.support.atomic_files import write_atomically
from minicnn.support.files import Path, read_whole
from minicnn.version import __version__

FORMAT_VERSION = 1
WEIGHTS, TRAINING, METADATA = "weights.safetensors", "training.safetensors", "metadata.json"
SAMPLES = "samples.safetensors"
# In their order in the file; the last one describes the others.
MEMBERS = (
    "config.json",
    WEIGHTS,
    "preprocess.json",
    "classes.json",
    "history.json",
    "training.json",
    TRAINING,
    SAMPLES,
    METADATA,
)
REQUIRED = ("config.json", WEIGHTS, METADATA)
DOCUMENTS = tuple(name.removesuffix(".json") for name in MEMBERS if name.endswith(".json"))

Tensors = Mapping[str, np.ndarray]
Document = dict[str, Any] | list[Any]


class Archive(NamedTuple):
    """The contents of a `.mcnn` file."""

    weights: dict[str, np.ndarray]
    documents: dict[str, Any]  # by name: config, metadata, and others if they were written
    arrays: dict[str, np.ndarray]  # the state of the optimizer and of callbacks; may be empty
    samples: dict[str, np.ndarray]  # calibrated answers and features of images; may be empty


def write_archive(
    path: Path,
    weights: Tensors,
    documents: Mapping[str, Document],
    arrays: Tensors | None = None,
    samples: Tensors | None = None,
) -> None:
    """Write a `.mcnn` file, all of it or none of it; the same content gives the same bytes.

    Parameters
    ----------
    path : str or path
        The file to create or replace.
    weights : dict of arrays
        Arrays of any shape and layout, by name.
    documents : dict
        Dictionaries or lists that JSON can represent (a tuple becomes a list), under the names in
        `DOCUMENTS`. "config" is required. The versions and the digests are added to "metadata",
        which may contain notes of yours.
    arrays : dict of arrays, optional
        A second set: the state of the optimizer, to continue the training.
    samples : dict of arrays, optional
        A third set: what was measured on single images.

    Raises
    ------
    ArgumentError, DTypeError, SizeLimitError
        Such a file cannot hold something; nothing was written.
    OSError
        The system reported an error; an old file is intact.
    """
    _check_names(documents)
    members = {
        f"{name}.json": dump_document(document, f"documents[{name!r}]")
        for name, document in documents.items()
    }
    members[WEIGHTS] = dump_tensors(weights, "weights")
    if arrays:
        members[TRAINING] = dump_tensors(arrays, "arrays")
    if samples:
        members[SAMPLES] = dump_tensors(samples, "samples")
    members = {name: members[name] for name in MEMBERS[:-1] if name in members}
    metadata = {
        **documents.get("metadata", {}),  # type: ignore[dict-item]
        "format_version": FORMAT_VERSION,
        "minicnn_version": __version__,
        "members": {name: hashlib.sha256(content).hexdigest() for name, content in members.items()},
    }
    members[METADATA] = dump_document(metadata, "documents['metadata']")
    write_atomically(path, pack(members))


def read_archive(path: Path) -> Archive:
    """Return what `write_archive` wrote; raise an error for everything else.

    Raises
    ------
    TruncatedError, ChecksumError
        The file is cut short or was changed.
    UnsupportedError
        A newer version of minicnn wrote it.
    UnsafeFileError, SizeLimitError
        It has what no model needs: paths, compression, sizes or nesting beyond the limits.
    FormatError
        It is not a `.mcnn` file, or another program packed it. The errors above except
        SizeLimitError are FormatErrors too.
    OSError
        As from `open`: `FileNotFoundError`, `IsADirectoryError`, `PermissionError`.
    """
    return parse_archive(read_whole(path, MAX_BYTES), path)


def parse_archive(data: bytes, path: object = "<bytes>") -> Archive:
    """Return the contents of the bytes of a file; `path` is for the error messages."""
    members = unpack(data, path)
    metadata = _read_metadata(members, path)
    _check_members(members, metadata["members"], path)
    documents = {
        name.removesuffix(".json"): _read_document(members, name, path)
        for name in members
        if name.endswith(".json")
    }
    weights = load_tensors(members[WEIGHTS], path, WEIGHTS)
    arrays, samples = (
        load_tensors(members[name], path, name) if name in members else {}
        for name in (TRAINING, SAMPLES)
    )
    return Archive(weights, documents, arrays, samples)


def _check_names(documents: Mapping[str, Document]) -> None:
    unknown = sorted(set(documents) - set(DOCUMENTS))
    if unknown or "config" not in documents:
        raise ArgumentError(
            f"documents must have 'config' and may have {', '.join(DOCUMENTS[1:])}; "
            f"got {', '.join(documents) or 'none'}"
        )
    for name, document in documents.items():
        kinds = (dict,) if name == "metadata" else (dict, list)
        if not isinstance(document, kinds):
            wanted = " or a ".join(kind.__name__ for kind in kinds)
            raise ArgumentError(
                f"documents[{name!r}] must be a {wanted}; got {type(document).__name__}"
            )


def _read_metadata(members: Mapping[str, memoryview], path: object) -> dict[str, Any]:
    """Return the metadata, after a check of the version."""
    if METADATA not in members:
        names = ", ".join(members)
        raise FormatError(path, f"has no {METADATA}, so it is not a .mcnn file; it has {names}")
    metadata = _read_document(members, METADATA, path)
    version = metadata.get("format_version", 0) if isinstance(metadata, dict) else 0
    if not is_int(version) or version < 1:
        raise FormatError(path, f"{METADATA} must have a format_version >= 1")
    if version > FORMAT_VERSION:
        raise UnsupportedError(
            path,
            f"made by minicnn {shown(str(metadata.get('minicnn_version')))} in format {version}; "
            f"this is minicnn {__version__}, which reads format {FORMAT_VERSION}. "
            "Install a newer minicnn",
        )
    if not isinstance(metadata.get("members"), dict):
        raise FormatError(path, f"{METADATA} must list the members and their SHA-256")
    return metadata


def _check_members(
    members: Mapping[str, memoryview], digests: Mapping[str, Any], path: object
) -> None:
    """Check that all required members and no others are there, in order, with the right digests."""
    missing = [name for name in REQUIRED if name not in members]
    unknown = [name for name in members if name not in MEMBERS]
    if missing or unknown:
        raise FormatError(
            path,
            f"has the members {', '.join(members)}: {', '.join(missing) or 'none'} missing, "
            f"{', '.join(unknown) or 'none'} unknown",
        )
    if list(members) != [name for name in MEMBERS if name in members]:
        raise FormatError(path, f"has its members in another order than {', '.join(MEMBERS)}")
    found = {
        name: hashlib.sha256(content).hexdigest()
        for name, content in members.items()
        if name != METADATA
    }
    for name in [*found, *digests]:
        if found.get(name) != digests.get(name):
            raise ChecksumError(
                path,
                f"{shown(name)} has the SHA-256 {str(found.get(name))[:12]}, {METADATA} says "
                f"{shown(str(digests.get(name))[:12])}; the file was changed",
            )


def _read_document(members: Mapping[str, memoryview], name: str, path: object) -> Any:
    document = load_document(members[name], path, name)
    if not isinstance(document, dict | list):
        raise FormatError(path, f"{name} must be a JSON object or list")
    return document
