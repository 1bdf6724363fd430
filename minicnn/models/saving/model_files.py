"""Models on disk: one `.mcnn` file each, which is written completely or not at all."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from minicnn import losses, metrics, optimizers
from minicnn.checks import check_flag, check_int, check_number
from minicnn.data.preprocess import Preprocess
from minicnn.errors import ArgumentError, CheckpointError, FormatError, MiniCNNError, SizeLimitError
from minicnn.history import numbers
from minicnn.metrics import as_metrics
from minicnn.models.batches import EpochStart
from minicnn.models.compiled_network import CompiledNetwork
from minicnn.models.graph import check_names
from minicnn.models.saving.archive import Archive, read_archive, write_archive
from minicnn.models.saving.network_document import (
    check_rebuildable,
    network_from_document,
    network_to_document,
)
from minicnn.models.saving.optimizer_slots import read_slots, saved_slots
from minicnn.models.saving.samples import samples_of, take_samples
from minicnn.models.training.measures import Reported
from minicnn.models.training.state import TrainingState
from minicnn.support import memory_limits, registry
from minicnn.support.files import Path
from minicnn.support.registry import Classes, UnknownClassError
from minicnn.support.structures import leaves, mapped

EXTENSION = ".mcnn"
# What constructors raise for values of a wrong kind in a file.
WRONG_CONTENT = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)


def save_model(model: CompiledNetwork, path: Path, *, include_optimizer: bool = True) -> None:
    """Write layers, weights, class names, preprocessing, calibration, history and the optimizer.

    Raises
    ------
    ArgumentError : `load_model` could not rebuild the model; nothing is written
    """
    _point_out_extension(path)
    check_savable(model, include_optimizer=include_optimizer)
    training, arrays = {}, {}
    if include_optimizer:
        training, arrays = training_to_document(model), saved_slots(model)
    write(model, path, network_to_document(model), training, arrays)


def check_savable(model: CompiledNetwork, *, include_optimizer: bool = True) -> None:
    """Raise ArgumentError, by name, for what `load_model` could not rebuild."""
    check_rebuildable(model)
    if include_optimizer:
        _check_training_rebuildable(model)


def save_weights(model: CompiledNetwork, path: Path) -> None:
    """Write what `save_model` writes without the optimizer.

    Of a network that `load_model` could not rebuild, it writes the weights alone, which is all that
    `load_weights` needs.
    """
    _point_out_extension(path)
    write(model, path, network_or_names(model), {}, {})


def load_weights(model: CompiledNetwork, path: Path) -> None:
    """Load the weights of a file of the same network; its layers may have other names there.

    Raises
    ------
    CheckpointError : the file is of another network; the message lists the differences
    """
    archive = read_archive(path)
    stored = stored_parameters(archive, path)
    if stored is None:  # an older file, without the order of its parameters
        there = read_model(path, compile=False)
        stored = {name: p.value for name, p in there.named_parameters().items()}
    check_same_network(model, stored, path)
    model.set_weights(list(stored.values()))


def read_model(path: Path, compile: bool = True, custom_objects: Classes | None = None) -> Any:
    """Return the model of a file: see `minicnn.models.load_model`."""
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


def _rebuilt(archive: Archive, compile: bool, path: Path) -> CompiledNetwork:
    # Weights of a file may be float16; those of a network are float32.
    held = sum(max(array.nbytes, 4 * array.size) for array in archive.weights.values())
    with memory_limits.budget(held):
        model = network_from_document(archive.documents["config"])
    for parameter, value in _pairs(model, archive, path):
        parameter.assign(value)
    model.class_names = archive.documents.get("classes")
    preprocess = archive.documents.get("preprocess")
    model.preprocess = Preprocess.from_config(preprocess) if preprocess else None
    take_samples(model, archive.samples)
    model.session.state.past = numbers(archive.documents.get("history", {}))
    training = archive.documents.get("training", {})
    if compile and training.get("optimizer"):
        _compile(model, training)
        for array, value in read_slots(model, archive, training["parameters"]):
            array[...] = value
    return model


def _pairs(model: CompiledNetwork, archive: Archive, path: Path) -> list[tuple[Any, np.ndarray]]:
    """Return each parameter with its value: in their order, or by name if the file has no order."""
    stored = stored_parameters(archive, path)
    if stored is None:
        named = model.named_parameters()
        if set(named) != set(archive.weights):
            raise ValueError("its weights do not match its layers")
        return [(p, archive.weights[name]) for name, p in named.items()]
    if len(stored) != len(model.parameters):
        raise ValueError("its weights do not match its layers")
    return list(zip(model.parameters, stored.values(), strict=True))


def stored_parameters(archive: Archive, path: Path) -> dict[str, np.ndarray] | None:
    """Return the weights in the order of the network; None if the file does not list it."""
    config = archive.documents["config"]
    names = config.get("parameters") if isinstance(config, Mapping) else None
    if names is None:
        return None
    fine = isinstance(names, list) and all(isinstance(name, str) for name in names)
    if not fine or sorted(names) != sorted(archive.weights):
        raise FormatError(path, "its list of parameters does not match its weights")
    return {name: archive.weights[name] for name in names}


def write(
    model: CompiledNetwork,
    path: Path,
    network: dict[str, Any],
    training: dict[str, Any],
    arrays: dict[str, np.ndarray],
) -> None:
    """Write a model or a checkpoint to one file."""
    documents: dict[str, Any] = {
        "config": network,
        "classes": model.class_names or [],
        "preprocess": model.preprocess.as_config() if model.preprocess else {},
        "history": _finite(model.session.curves),
        "training": _finite(training),
    }
    weights = {name: p.value for name, p in model.named_parameters().items()}
    write_archive(path, weights, documents, arrays, samples_of(model))


def network_or_names(model: CompiledNetwork) -> dict[str, Any]:
    """Return the network's document; the names of its parameters if it could not be rebuilt."""
    check_names(model.graph.layers)
    try:
        check_rebuildable(model)
    except ArgumentError:
        names = list(model.named_parameters())
        return {"class": type(model).__name__, "parameters": names}
    return network_to_document(model)


def _finite(value: Any) -> Any:
    """Replace NaN and infinity, which JSON cannot hold, by null."""
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _point_out_extension(path: Path) -> None:
    if not os.fspath(path).endswith(EXTENSION):
        warnings.warn(
            f"{os.fspath(path)!r} is written in minicnn's own format whatever its extension is; "
            f"name it {EXTENSION}",
            stacklevel=4,
        )


def training_to_document(model: CompiledNetwork) -> dict[str, Any]:
    """Return the optimizer with its state, the loss and the metrics; {} if not compiled."""
    if model.optimizer is None or model.loss is None:
        return {}
    named = model.named_parameters()
    return {
        "parameters": list(named),
        "multipliers": {name: p.multiplier for name, p in named.items() if p.multiplier != 1.0},
        "optimizer": optimizers.serialize(model.optimizer),
        "optimizer_state": model.optimizer.get_state(),
        "passes": model.session.state.passes,
        "loss": mapped(model.loss, _loss_to_document),
        "loss_weights": model.loss_weights,
        "metrics": [_metric_to_document(one) for one in model.compiled_metrics],
    }


def _metric_to_document(one: Reported) -> Any:
    """Return the metric alone, or with its output if that is not the first or it is weighted."""
    document = metrics.serialize(one.metric)
    if one == Reported(one.metric):
        return document
    return {"metric": document, "output": one.output, "weighted": one.weighted}


def _reported(document: Any) -> Reported:
    plain = not (isinstance(document, dict) and "metric" in document)
    of = {"metric": document, "output": 0, "weighted": False} if plain else document
    (metric,) = as_metrics([metrics.deserialize(of["metric"])])
    output, weighted = check_int(of["output"], "output", 0), check_flag(of["weighted"], "weighted")
    return Reported(metric, output, weighted)


def _loss_to_document(loss: losses.Loss | None) -> dict[str, Any] | None:
    return None if loss is None else losses.serialize(loss)


def _loss(document: dict[str, Any] | None) -> Any:
    return None if document is None else losses.deserialize(document)


def _check_training_rebuildable(model: CompiledNetwork) -> None:
    if model.optimizer is None or model.loss is None:
        return
    optimizers.check_rebuildable(model.optimizer, f"the optimizer {type(model.optimizer).__name__}")
    for loss in leaves(model.loss, losses.Loss):
        losses.check_rebuildable(loss, f"the loss {type(loss).__name__}")
    for one in model.compiled_metrics:
        if not isinstance(one.metric, str):
            metrics.check_rebuildable(one.metric, f"the metric {one.metric.name!r}")


def _compile(model: CompiledNetwork, training: dict[str, Any]) -> None:
    optimizer = optimizers.deserialize(training["optimizer"])
    saved = training["loss"]
    loss = [_loss(one) for one in saved] if isinstance(saved, list) else _loss(saved)
    reported = [_reported(document) for document in training["metrics"]]
    weights = training.get("loss_weights")
    model.set_training(optimizer, loss, reported, fuse=True, loss_weights=weights)
    optimizer.set_state(training["optimizer_state"])
    passes = check_int(training.get("passes", 0), "passes", 0)
    model.session.state = TrainingState(start=EpochStart(passes), past=model.session.state.past)
    model.new_metrics()  # raises now if one is unknown
    here = dict(zip(training["parameters"], model.parameters, strict=True))
    for name, multiplier in training["multipliers"].items():
        here[name].multiplier = check_number(multiplier, f"the multiplier of {name}", 0.0)


def check_same_network(
    model: CompiledNetwork, stored: Mapping[str, np.ndarray], path: Path
) -> None:
    """Raise CheckpointError, with the differences, unless the parameters have the same shapes."""
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
