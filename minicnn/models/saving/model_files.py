"""Models on disk: one `.mcnn` file each, written whole or not at all."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from minicnn import losses, metrics, optimizers
from minicnn.checks import check_int, check_number
from minicnn.data.preprocess import Preprocess
from minicnn.errors import ArgumentError, CheckpointError, FormatError, MiniCNNError, SizeLimitError
from minicnn.history import joined, numbers
from minicnn.models.batches import Place
from minicnn.models.graph import check_names
from minicnn.models.saving.archive import Archive, read_archive, write_archive
from minicnn.models.saving.graph_config import (
    check_rebuildable,
    network_from_document,
    network_to_document,
)
from minicnn.models.saving.optimizer_slots import read_slots, saved_slots
from minicnn.models.training.state import TrainingState
from minicnn.support import memory_limits, registry
from minicnn.support.registry import Classes, UnknownClassError

if TYPE_CHECKING:
    from minicnn.models.model import Model

Path = str | os.PathLike[str]
EXTENSION = ".mcnn"
# What code that builds something says to values of a wrong kind.
WRONG_CONTENT = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)


def save_model(model: Model, path: Path, *, include_optimizer: bool = True) -> None:
    """Layers, weights, class names, preprocessing, history; the optimizer with its state.

    Refused, before anything is written, if `load_model` could not build it again.
    """
    _point_out_extension(path)
    check_savable(model, include_optimizer=include_optimizer)
    training, arrays = {}, {}
    if include_optimizer:
        training, arrays = training_to_document(model), saved_slots(model)
    write(model, path, network_to_document(model), training, arrays)


def check_savable(model: Model, *, include_optimizer: bool = True) -> None:
    """Raise ArgumentError, by name, for what `load_model` could not build again."""
    check_rebuildable(model)
    if include_optimizer:
        _check_training_rebuildable(model)


def save_weights(model: Model, path: Path) -> None:
    """`save_model` without the optimizer. Of a network that `load_model` could not build again,
    the weights alone: `load_weights` needs no more.
    """
    _point_out_extension(path)
    write(model, path, network_or_names(model), {}, {})


def load_weights(model: Model, path: Path) -> None:
    """Take over the weights of a file; refused, with the differences, if it is of another network.

    The layers may have other names there.
    """
    archive = read_archive(path)
    stored = stored_parameters(archive, path)
    if stored is None:  # a file that does not say their order
        there = load_model(path, compile=False)
        stored = {p.name: p.value for p in there.parameters}
    check_same_network(model, stored, path)
    model.set_weights(list(stored.values()))


def load_model(path: Path, compile: bool = True, custom_objects: Classes | None = None) -> Model:
    """A model from a `.mcnn` file: the same layers, weights, class names and optimizer.

    Nothing in the file is ever run or imported: layers are built from minicnn's own table, from
    what `mc.utils.register_serializable` was given, and from `custom_objects`.

    Parameters
    ----------
    path : the file
    compile : take over the optimizer, the loss and the metrics too
    custom_objects : classes of yours that the file names, {"Scale": Scale}

    Raises
    ------
    FormatError : the file is cut, damaged, hostile, or made by a newer minicnn; it says which
    FileNotFoundError, IsADirectoryError, PermissionError : as from `open`
    """
    archive = read_archive(path)
    with registry.custom_objects(custom_objects):
        try:
            return _rebuilt(archive, compile, path)
        except FormatError:
            raise
        except SizeLimitError as err:
            raise SizeLimitError(f"{path}: {err}") from err
        except UnknownClassError as err:
            raise FormatError(path, _advice(err)) from err
        except (MiniCNNError, *WRONG_CONTENT) as err:
            raise FormatError(path, f"its layers cannot be built: {err}") from err


def _advice(err: UnknownClassError) -> str:
    near = f" (did you mean {err.near}?)" if err.near else ""
    return (
        f"its layers cannot be built: unknown {err.kind} {err.name!r}{near}. If it is a class of "
        f"yours: load_model(path, custom_objects={{{err.name!r}: TheClass}})"
    )


def _rebuilt(archive: Archive, compile: bool, path: Path) -> Model:
    held = sum(array.nbytes for array in archive.weights.values())
    with memory_limits.budget(held):
        model: Model = network_from_document(archive.documents["config"])
    for parameter, value in _pairs(model, archive, path):
        parameter.assign(value)
    model.class_names = archive.documents.get("classes")
    preprocess = archive.documents.get("preprocess")
    model.preprocess = Preprocess.from_config(preprocess) if preprocess else None
    model.saved_history = numbers(archive.documents.get("history", {}))
    training = archive.documents.get("training", {})
    if compile and training.get("optimizer"):
        _compile(model, training)
        for array, value in read_slots(model, archive, training["parameters"]):
            array[...] = value
    return model


def _pairs(model: Model, archive: Archive, path: Path) -> list[tuple[Any, np.ndarray]]:
    """Each parameter with its value: by their order, or by name where the file tells no order."""
    stored = stored_parameters(archive, path)
    if stored is None:
        if {p.name for p in model.parameters} != set(archive.weights):
            raise ValueError("its weights are not those of its layers")
        return [(p, archive.weights[p.name]) for p in model.parameters]
    if len(stored) != len(model.parameters):
        raise ValueError("its weights are not those of its layers")
    return list(zip(model.parameters, stored.values(), strict=True))


def stored_parameters(archive: Archive, path: Path) -> dict[str, np.ndarray] | None:
    """The weights in the order of the network; None of a file that does not tell it."""
    config = archive.documents["config"]
    names = config.get("parameters") if isinstance(config, Mapping) else None
    if names is None:
        return None
    fine = isinstance(names, list) and all(isinstance(name, str) for name in names)
    if not fine or sorted(names) != sorted(archive.weights):
        raise FormatError(path, "its list of parameters is not that of its weights")
    return {name: archive.weights[name] for name in names}


def write(
    model: Model,
    path: Path,
    network: dict[str, Any],
    training: dict[str, Any],
    arrays: dict[str, np.ndarray],
) -> None:
    """Write the file."""
    documents: dict[str, Any] = {
        "config": network,
        "classes": model.class_names or [],
        "preprocess": model.preprocess.as_config() if model.preprocess else {},
        "history": _finite(joined(model.saved_history, model.history)),
        "training": _finite(training),
    }
    write_archive(path, {p.name: p.value for p in model.parameters}, documents, arrays)


def network_or_names(model: Model) -> dict[str, Any]:
    """The network; if it could not be built again, what its parameters are called."""
    check_names(model.graph.layers)
    try:
        check_rebuildable(model)
    except ArgumentError:
        names = [parameter.name for parameter in model.parameters]
        return {"class": type(model).__name__, "parameters": names}
    return network_to_document(model)


def _finite(value: Any) -> Any:
    """NaN and infinity, which JSON cannot hold, as null."""
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _point_out_extension(path: Path) -> None:
    if not os.fspath(path).endswith(EXTENSION):
        warnings.warn(
            f"{os.fspath(path)!r} gets minicnn's own format whatever its extension; {EXTENSION} "
            "would say so",
            stacklevel=4,
        )


def training_to_document(model: Model) -> dict[str, Any]:
    """The optimizer with its state, the loss and the metrics."""
    if model.optimizer is None or model.loss is None:
        return {}
    return {
        "parameters": [p.name for p in model.parameters],
        "multipliers": {p.name: p.multiplier for p in model.parameters if p.multiplier != 1.0},
        "optimizer": optimizers.serialize(model.optimizer),
        "optimizer_state": model.optimizer.get_state(),
        "passes": model.training_state.passes,
        "loss": losses.serialize(model.loss),
        "metrics": [metrics.serialize(m) for m in model.compiled_metrics],
    }


def _check_training_rebuildable(model: Model) -> None:
    if model.optimizer is None or model.loss is None:
        return
    optimizers.check_rebuildable(model.optimizer, f"the optimizer {type(model.optimizer).__name__}")
    losses.check_rebuildable(model.loss, f"the loss {type(model.loss).__name__}")
    for metric in model.compiled_metrics:
        if not isinstance(metric, str):
            metrics.check_rebuildable(metric, f"the metric {metric.name!r}")


def _compile(model: Model, training: dict[str, Any]) -> None:
    model.compile(
        optimizers.deserialize(training["optimizer"]),
        losses.deserialize(training["loss"]),
        [metrics.deserialize(m) for m in training["metrics"]],
    )
    model.optimizer.set_state(training["optimizer_state"])  # type: ignore[union-attr]
    passes = check_int(training.get("passes", 0), "passes", 0)
    model.training_state = TrainingState(place=Place(passes))
    model.new_metrics()  # an unknown one is refused now
    here = dict(zip(training["parameters"], model.parameters, strict=True))
    for name, multiplier in training["multipliers"].items():
        here[name].multiplier = check_number(multiplier, f"the multiplier of {name}", 0.0)


def check_same_network(model: Model, stored: Mapping[str, np.ndarray], path: Path) -> None:
    """Raise CheckpointError, with the differences, if parameters have other shapes there."""
    here = [p.shape for p in model.parameters]
    there = [(name, array.shape) for name, array in stored.items()]
    differences = [
        f"{name}: {shape} there, {own} here"
        for (name, shape), own in zip(there, here, strict=False)
        if shape != own
    ]
    if len(there) != len(here):
        differences.append(f"{len(there)} parameters there, {len(here)} here")
    if differences:
        shown = "; ".join(differences[:3]) + ("; ..." if len(differences) > 3 else "")
        raise CheckpointError(f"{path} is of another network ({shown})")
