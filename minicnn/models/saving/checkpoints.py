"""Checkpoints on disk: a saved model with the progress of `fit` and the state of its callbacks."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.callbacks import Callback
from minicnn.errors import CheckpointError, FormatError, MiniCNNError
from minicnn.models.compiled_network import CompiledNetwork
from minicnn.models.saving.archive import Archive, read_archive
from minicnn.models.saving.model_files import (
    WRONG_CONTENT,
    check_same_network,
    network_or_names,
    stored_parameters,
    training_to_document,
    write,
)
from minicnn.models.saving.optimizer_slots import read_slots, saved_slots
from minicnn.models.training.measuring import new_measures
from minicnn.models.training.totals import Totals
from minicnn.support.files import Path
from minicnn.support.registry import as_json

# What a training changes, or what is compared elsewhere.
UNCOMPARED = ("optimizer_state", "parameters", "multipliers", "passes")


def save_checkpoint(model: CompiledNetwork, path: Path) -> None:
    """Write what `save_model` writes, and the progress of `fit` and of its callbacks."""
    arrays = saved_slots(model)
    callbacks = []
    for i, callback in enumerate(model.session.callbacks):
        callbacks.append({"class": type(callback).__name__, "state": callback.get_state()})
        for name, array in callback.get_arrays().items():
            arrays[f"callback/{i}/{name}"] = array
    progress = {**model.session.state.get_state(), "callbacks": callbacks}
    training = training_to_document(model) | {"progress": progress}
    write(model, path, network_or_names(model), training, arrays)


def load_checkpoint(model: CompiledNetwork, path: Path) -> None:
    """Load weights, optimizer state and progress of `fit` from a checkpoint.

    Raises
    ------
    CheckpointError : it is of another network or training; the message lists the differences
    FormatError : the file is damaged. In both cases nothing was changed
    """
    archive = read_archive(path)
    try:
        apply = _checked(model, archive, path)
        _load_callbacks(model, archive, path)
    except (CheckpointError, FormatError):
        raise
    except (MiniCNNError, *WRONG_CONTENT) as err:
        raise FormatError(path, f"its training cannot be resumed: {err}") from err
    apply()


def _checked(model: CompiledNetwork, archive: Archive, path: Path) -> Callable[[], None]:
    """Read everything that concerns the model and try it on copies; return what applies it."""
    training = archive.documents.get("training", {})
    progress = training.get("progress")
    if progress is None:
        raise CheckpointError(f"{path} is a saved model, not a checkpoint: mc.load_model reads it")
    there = training["parameters"]
    weights = stored_parameters(archive, path) or {name: archive.weights[name] for name in there}
    check_same_network(model, weights, path)
    _check_same_training(model, training, path)
    optimizer, _ = model.need_compiled()
    slots = read_slots(model, archive, there)
    copy.copy(model.session.state).set_state(progress)
    if progress["totals"] is not None:
        Totals(new_measures(model)).set_state(progress["totals"])
    copy.deepcopy(optimizer).set_state(training["optimizer_state"])

    def apply() -> None:
        model.set_weights(list(weights.values()))
        for array, value in slots:
            array[...] = value
        optimizer.set_state(training["optimizer_state"])
        model.session.state.set_state(progress)

    return apply


def _check_same_training(model: CompiledNetwork, training: dict[str, Any], path: Path) -> None:
    for key, ours in training_to_document(model).items():
        there = training.get(key)
        if key not in UNCOMPARED and there != as_json(ours):
            raise CheckpointError(
                f"{path} is of a training with another {key}: {there!s:.80} there, {ours!s:.80} "
                "here"
            )


def _load_callbacks(model: CompiledNetwork, archive: Archive, path: Path) -> None:
    """Give the callbacks their states; if one raises an error, restore all earlier states."""
    running, saved = model.session.callbacks, archive.documents["training"]["progress"]["callbacks"]
    if [type(c).__name__ for c in running] != [item["class"] for item in saved]:
        raise CheckpointError(
            f"{path} was made with the callbacks {[item['class'] for item in saved]}; this "
            f"training has {[type(c).__name__ for c in running]}"
        )
    before = [(c, copy.deepcopy(c.get_state()), c.get_arrays()) for c in running]
    stopping = model.stop_training
    try:
        for i, (callback, item) in enumerate(zip(running, saved, strict=True)):
            _set(callback, item["state"], _arrays_of(archive, f"callback/{i}/"))
    except Exception:
        for callback, state, arrays in before:
            _set(callback, state, arrays)
        model.stop_training = stopping
        raise


def _arrays_of(archive: Archive, prefix: str) -> dict[str, np.ndarray]:
    return {k.removeprefix(prefix): v for k, v in archive.arrays.items() if k.startswith(prefix)}


def _set(callback: Callback, state: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    callback.set_state(state)
    callback.set_arrays(arrays)
