"""`.h5` files of Keras 2 and 3: whole models, and weights alone in the layouts of both.

`model.save_weights` chooses the layout by the name: `.weights.h5` is that of Keras 3, any other
`.h5` the one that Keras 2 knows, too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from minicnn.errors import ArgumentError, FormatError
from minicnn.interop.keras import layer_weights, weight_paths, whole_models
from minicnn.interop.keras.hdf5_reading import Hdf5, opened
from minicnn.interop.keras.hdf5_writing import hdf5_bytes, put_array, put_texts
from minicnn.interop.keras.optimizer_state import state_arrays, take_named
from minicnn.interop.keras.training import compile_from, legacy_training_config
from minicnn.interop.keras.weight_paths import Change
from minicnn.interop.keras.writing_networks import network_config
from minicnn.models.model import Model
from minicnn.support.atomic_files import write_atomically
from minicnn.support.files import Path, open_regular
from minicnn.support.registry import Classes

MODEL, TRAINING, WEIGHTS, STATE = (
    "model_config", "training_config", "model_weights", "optimizer_weights",
)  # fmt: skip
WEIGHTS_ENDING = ".weights.h5"


def read_model(path: Path, compile: bool = True, custom_objects: Classes | None = None) -> Model:
    """Return the network of an HDF5 file of Keras 2 or 3; see `minicnn.models.load_model`.

    Raises
    ------
    FormatError : the file is damaged or hostile, holds weights alone, or what minicnn does not have
    MissingExtraError : h5py is not installed
    """
    with _opened(path) as file, whole_models.building(path, custom_objects, file.size):
        config = file.text(MODEL)
        if config is None:
            raise FormatError(
                path, "it holds weights alone, no layers. Build the network in code, then "
                f"model.load_weights({os.fspath(path)!r})"
            )  # fmt: skip
        network, _ = whole_models.network_of(config.encode(), path)
        training = file.text(TRAINING)
        if compile and training is not None:
            compile_from(network, whole_models.parsed(training.encode(), path, TRAINING), path)
        whole_models.assign(layer_weights.changes(network, file, WEIGHTS))
        if network.optimizer is not None:
            take_named(network, _named_arrays(file), path)
        notes = file.text(whole_models.NOTES)
        if notes is not None:
            what = whole_models.NOTES
            whole_models.take_notes(network, whole_models.parsed(notes.encode(), path, what))
    return network


def write_model(model: Model, path: Path, *, include_optimizer: bool = True) -> None:
    """Write a network as Keras 3 writes `.h5` files, atomically.

    Raises
    ------
    ArgumentError : the network cannot be rebuilt from a file, or the name is one of weights alone
    UnsupportedError : Keras's format cannot describe it; nothing is written
    """
    if os.fspath(path).lower().endswith(WEIGHTS_ENDING):
        raise ArgumentError(
            f"{WEIGHTS_ENDING} is the ending of weights alone; use model.save_weights, or name the "
            "file .h5 or .keras"
        )
    whole_models.checked_for_writing(model, include_optimizer=include_optimizer)
    if model.is_subclassed:
        raise ArgumentError(
            f"{model.name} has a `call` of its own, which .h5 files cannot describe; name the file "
            ".keras"
        )
    config = network_config(model, path, legacy=True)
    training = legacy_training_config(model, path) if include_optimizer else {}
    notes = whole_models.notes_of(model)

    def fill(group: Any) -> None:
        group.attrs["keras_version"] = layer_weights.KERAS_VERSION
        group.attrs["backend"] = "tensorflow"
        group.attrs[MODEL] = whole_models.as_json(config)
        if training:
            group.attrs[TRAINING] = whole_models.as_json(training)
        if notes:
            group.attrs[whole_models.NOTES] = whole_models.as_json(notes)
        layer_weights.write_weights(model, group.create_group(WEIGHTS))
        if training:
            _write_state(model, group.create_group(STATE))

    write_atomically(path, [hdf5_bytes(fill)])


def read_weights(model: Model, path: Path) -> None:
    """Give a network the weights of an HDF5 file of the same network, in any of the layouts.

    Raises
    ------
    CheckpointError : it is of another network; nothing was changed
    """
    with _opened(path) as file:
        found = _changes(model, file)
    whole_models.assign(found)


def write_weights(model: Model, path: Path) -> None:
    """Write the weights alone, in Keras 3's layout if the name ends in `.weights.h5`.

    Raises
    ------
    ArgumentError : the network has no weights yet
    """
    if not model.is_built:
        raise ArgumentError(f"{model.name} does not know its input's shape yet; build or fit it")
    numbered = os.fspath(path).lower().endswith(WEIGHTS_ENDING)
    write = weight_paths.write_stores if numbered else layer_weights.write_weights
    write_atomically(path, [hdf5_bytes(lambda group: write(model, group))])


def _changes(model: Model, file: Hdf5) -> list[Change]:
    for place in ("", WEIGHTS):
        if layer_weights.is_legacy(file, place):
            return layer_weights.changes(model, file, place)
    return weight_paths.changes(model, file)


@contextmanager
def _opened(path: Path) -> Iterator[Hdf5]:
    with open_regular(path) as source:
        size = os.fstat(source.fileno()).st_size
        with opened(source, path, size) as file:
            yield file


def _named_arrays(file: Hdf5) -> list[tuple[str, np.ndarray]]:
    names = file.texts("weight_names", STATE) or []
    return [(name, file.array(f"{STATE}/{name}")) for name in names]


def _write_state(model: Model, group: Any) -> None:
    arrays = state_arrays(model)
    put_texts(group, "weight_names", [name for name, _ in arrays])
    for name, value in arrays:
        put_array(group, name, value)
