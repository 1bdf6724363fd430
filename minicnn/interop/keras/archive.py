"""`.keras` files of Keras 3: a zip of the config, the metadata and an HDF5 file of the weights."""

from __future__ import annotations

import io
from typing import Any

from minicnn.errors import FormatError
from minicnn.interop.keras import whole_models
from minicnn.interop.keras.hdf5_reading import Hdf5, opened
from minicnn.interop.keras.hdf5_writing import hdf5_bytes, put_array
from minicnn.interop.keras.layer_weights import KERAS_VERSION
from minicnn.interop.keras.optimizer_state import state_arrays, take_numbered
from minicnn.interop.keras.training import compile_config, compile_from
from minicnn.interop.keras.weight_paths import changes, write_stores
from minicnn.interop.keras.writing_networks import network_config
from minicnn.interop.keras.zip_reading import read_members
from minicnn.models.model import Model
from minicnn.models.saving.archive.container import pack
from minicnn.support.atomic_files import write_atomically
from minicnn.support.files import Path
from minicnn.support.registry import Classes

METADATA, CONFIG, WEIGHTS = "metadata.json", "config.json", "model.weights.h5"
STATE = "optimizer/vars"
NO_DATE = "1980-01-01@00:00:00"  # so that the same network gives the same file


def read_model(path: Path, compile: bool = True, custom_objects: Classes | None = None) -> Model:
    """Return the network of a `.keras` file; see `minicnn.models.load_model`.

    Raises
    ------
    FormatError : the file is damaged or hostile, or holds what minicnn does not have
    MissingExtraError : h5py is not installed
    """
    members = _members(path)
    size = sum(map(len, members.values()))
    with whole_models.building(path, custom_objects, size):
        network, config = whole_models.network_of(members[CONFIG], path)
        training = config.get("compile_config")
        if compile and isinstance(training, dict):
            compile_from(network, training, path)
        with opened(io.BytesIO(members[WEIGHTS]), path, len(members[WEIGHTS])) as file:
            whole_models.assign(changes(network, file))
            if network.optimizer is not None:
                take_numbered(network, numbered_arrays(file, STATE), path)
        if METADATA in members:
            metadata = whole_models.parsed(members[METADATA], path, METADATA)
            whole_models.take_notes(network, metadata.get(whole_models.NOTES))
    return network


def write_model(model: Model, path: Path, *, include_optimizer: bool = True) -> None:
    """Write a network as Keras 3 does, atomically; the same network gives the same bytes.

    Raises
    ------
    ArgumentError : the network cannot be rebuilt from a file
    UnsupportedError : Keras's format cannot describe it; nothing is written
    """
    whole_models.checked_for_writing(model, include_optimizer=include_optimizer)
    config = network_config(model, path)
    compiled = compile_config(model, path) if include_optimizer else {}
    if compiled:
        config["compile_config"] = compiled
    metadata: dict[str, Any] = {"keras_version": KERAS_VERSION, "date_saved": NO_DATE}
    notes = whole_models.notes_of(model)
    if notes:
        metadata[whole_models.NOTES] = notes

    def fill(group: Any) -> None:
        write_stores(model, group)
        if compiled:
            _write_state(model, group)

    members = {
        METADATA: whole_models.as_json(metadata).encode(),
        CONFIG: whole_models.as_json(config).encode(),
        WEIGHTS: hdf5_bytes(fill),
    }
    write_atomically(path, pack(members))


def read_weights(model: Model, path: Path) -> None:
    """Give a network the weights of a `.keras` file of the same network.

    Raises
    ------
    CheckpointError : it is of another network; nothing was changed
    """
    content = _members(path)[WEIGHTS]
    with opened(io.BytesIO(content), path, len(content)) as file:
        found = changes(model, file)
    whole_models.assign(found)


def numbered_arrays(file: Hdf5, place: str) -> list[Any]:
    """Return the arrays "0", "1", ... of a group."""
    return [file.array(f"{place}/{i}") for i in range(len(file.names(place)))]


def _members(path: Path) -> dict[str, bytes]:
    members = read_members(path, (METADATA, CONFIG, WEIGHTS))
    for name in (CONFIG, WEIGHTS):
        if name not in members:
            raise FormatError(path, f"it has no member {name}")
    return members


def _write_state(model: Model, group: Any) -> None:
    inner = group.create_group(STATE)
    optimizer, _ = model.need_compiled()
    inner.attrs["name"] = optimizer.name
    for i, (_, value) in enumerate(state_arrays(model)):
        put_array(inner, str(i), value)
