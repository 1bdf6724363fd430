"""What the two formats of whole models do alike: build the network, fill it, add our own notes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from minicnn.data import Preprocess
from minicnn.errors import ArgumentError, CheckpointError, FormatError, MiniCNNError, SizeLimitError
from minicnn.interop.keras.hdf5_reading import FREE_BYTES, MAX_EXPANSION
from minicnn.interop.keras.reading_networks import network_from
from minicnn.interop.keras.weight_paths import Change
from minicnn.models.model import Model
from minicnn.models.saving.archive.documents import load_document
from minicnn.models.saving.model_files import WRONG_CONTENT, check_savable
from minicnn.support import memory_limits
from minicnn.support.files import Path
from minicnn.support.registry import Classes, custom_objects

MAX_CONFIG_BYTES = 32 << 20  # a network of a thousand layers has 2 MB
MAX_CONFIG_MARKS = 8_000_000
NOTES = "minicnn"  # the name under which a Keras file has what only minicnn knows


@contextmanager
def building(path: Path, classes: Classes | None, size: int) -> Iterator[None]:
    """Turn what goes wrong while a file's network is built into a FormatError.

    Parameters
    ----------
    classes : the user's `custom_objects`
    size : the bytes of the file, of which the weights cannot take much more
    """
    with custom_objects(classes):
        try:
            with memory_limits.budget(MAX_EXPANSION * size + FREE_BYTES):
                yield
        except FormatError:
            raise
        except SizeLimitError as error:
            raise SizeLimitError(f"{path}: {error}") from error
        except CheckpointError as error:
            text = str(error).removeprefix(f"{path} ")
            raise FormatError(path, f"its weights do not match its layers: {text}") from error
        except (MiniCNNError, *WRONG_CONTENT) as error:
            raise FormatError(path, f"its layers cannot be built: {error}") from error


def network_of(text: bytes, path: Path) -> tuple[Model, dict[str, Any]]:
    """Return the network of a config's JSON, and the whole config."""
    config = parsed(text, path, "the config")
    return network_from(config, path), config


def parsed(text: bytes, path: Path, what: str) -> dict[str, Any]:
    """Return the JSON object of a file of Keras.

    Raises
    ------
    FormatError : it is no JSON object, or holds NaN or a key twice
    """
    found = load_document(text, path, what, MAX_CONFIG_BYTES, MAX_CONFIG_MARKS, writer="Keras")
    if not isinstance(found, dict):
        raise FormatError(path, f"{what} must be a JSON object")
    return found


def assign(changes: list[Change]) -> None:
    """Give each weight its value."""
    for parameter, value in changes:
        parameter.assign(value)


def notes_of(network: Model) -> dict[str, Any]:
    """Return what Keras's formats have no place for: the classes' names, how images are read."""
    found: dict[str, Any] = {}
    if network.class_names:
        found["class_names"] = network.class_names
    if network.preprocess:
        found["preprocess"] = network.preprocess.as_config()
    return found


def take_notes(network: Model, notes: Any) -> None:
    """Give a network what `notes_of` returned for it."""
    if not isinstance(notes, Mapping):
        return
    if notes.get("class_names"):
        network.class_names = notes["class_names"]
    if notes.get("preprocess"):
        network.preprocess = Preprocess.from_config(notes["preprocess"])


def checked_for_writing(network: Model, *, include_optimizer: bool) -> None:
    """Raise ArgumentError, by name, for what could not be rebuilt from a file."""
    if not network.is_built:
        raise ArgumentError(
            f"{network.name} does not know its input's shape yet, so it has no weights to save; "
            "add mc.Input(...) as its first element, or fit it"
        )
    check_savable(network, include_optimizer=include_optimizer)


def as_json(value: Any) -> str:
    """Return a config as JSON; the same config gives the same text.

    Raises
    ------
    ArgumentError : it has a number that JSON does not have
    """
    try:
        return json.dumps(value, allow_nan=False)
    except ValueError as error:
        raise ArgumentError(
            f"the network's arguments cannot be written as JSON: {error}"
        ) from error
