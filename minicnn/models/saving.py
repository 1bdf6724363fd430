"""Models and checkpoints on disk: one `.mcnn` file each, written whole or not at all."""

from __future__ import annotations

import math
import os
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from minicnn import limits, losses, metrics, optimizers
from minicnn.checks import check_int, check_number
from minicnn.data.preprocess import Preprocess
from minicnn.errors import CheckpointError, FormatError, MiniCNNError, SizeLimitError
from minicnn.history import joined, numbers
from minicnn.models.archive import Archive, read_archive, write_archive
from minicnn.models.batches import Place
from minicnn.models.config import graph_from_config, graph_to_config
from minicnn.models.state import TrainingState

if TYPE_CHECKING:
    from minicnn.models.model import Model

Path = str | os.PathLike[str]
EXTENSION = ".mcnn"
# What code that builds something says to values of a wrong kind.
WRONG_CONTENT = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
# What a training moves on, or what is compared by itself.
UNCOMPARED = ("optimizer_state", "parameters", "multipliers", "passes")


def save_model(model: Model, path: Path, *, include_optimizer: bool = True) -> None:
    """Layers, weights, class names, preprocessing, history; the optimizer with its state."""
    if not os.fspath(path).endswith(EXTENSION):
        warnings.warn(
            f"{os.fspath(path)!r} gets minicnn's own format whatever its extension; {EXTENSION} "
            "would say so",
            stacklevel=3,
        )
    if include_optimizer:
        _write(model, path, _training(model), _slots(model))
    else:
        _write(model, path, {}, {})


def load_weights(model: Model, path: Path) -> None:
    """Take over the weights of a file; refused, with the differences, if it is of another network.

    The layers may have other names there.
    """
    there = load_model(path, compile=False)
    _check_same_network(model, [(p.name, p.shape) for p in there.parameters], path)
    model.set_weights([p.value for p in there.parameters])


def save_checkpoint(model: Model, path: Path) -> None:
    """Everything of `save_model`, and how far `fit` and its callbacks have come."""
    arrays = _slots(model)
    callbacks = []
    for i, callback in enumerate(model.running_callbacks):
        callbacks.append({"class": type(callback).__name__, "state": callback.get_state()})
        for name, array in callback.get_arrays().items():
            arrays[f"callback/{i}/{name}"] = array
    progress = {**model.training_state.get_state(), "callbacks": callbacks}
    _write(model, path, _training(model) | {"progress": progress}, arrays)


def load_checkpoint(model: Model, path: Path) -> None:
    """Take over a checkpoint; refused, with the differences, if it is of another network."""
    archive = read_archive(path)
    try:
        _take_checkpoint(model, archive, path)
    except MiniCNNError:
        raise
    except WRONG_CONTENT as err:
        raise FormatError(path, f"its training cannot be taken up: {err}") from err


def _take_checkpoint(model: Model, archive: Archive, path: Path) -> None:
    training = archive.documents.get("training", {})
    progress = training.get("progress")
    if progress is None:
        raise CheckpointError(f"{path} is a saved model, not a checkpoint: mc.load_model reads it")
    there = training["parameters"]
    _check_same_network(model, [(name, archive.weights[name].shape) for name in there], path)
    _check_same_training(model, training, path)
    model.training_state.set_state(progress)
    for name, parameter in zip(there, model.parameters, strict=True):
        parameter.assign(archive.weights[name])
    _take_slots(model, archive, there)
    model.optimizer.set_state(training["optimizer_state"])  # type: ignore[union-attr]
    _take_callbacks(model, archive, progress["callbacks"], path)


def load_model(path: Path, compile: bool = True) -> Model:
    """A model from a `.mcnn` file: the same layers, weights, class names and optimizer.

    Nothing in the file is ever run or imported: layers are built from minicnn's own table and
    from what `register_layer` was given.

    Raises
    ------
    FormatError : the file is cut, damaged, hostile, or made by a newer minicnn; it says which
    FileNotFoundError, IsADirectoryError, PermissionError : as from `open`
    """
    archive = read_archive(path)
    try:
        return _rebuilt(archive, compile)
    except FormatError:
        raise
    except SizeLimitError as err:
        raise SizeLimitError(f"{path}: {err}") from err
    except (MiniCNNError, *WRONG_CONTENT) as err:
        raise FormatError(path, f"its layers cannot be built: {err}") from err


def _rebuilt(archive: Archive, compile: bool) -> Model:
    config = archive.documents["config"]
    held = sum(array.nbytes for array in archive.weights.values())
    with limits.budget(held):
        model = _empty(config["class"], config["name"])
        model.take_graph(graph_from_config(config))
    if {p.name for p in model.parameters} != set(archive.weights):
        raise ValueError("its weights are not those of its layers")
    for parameter in model.parameters:
        parameter.assign(archive.weights[parameter.name])
    model.class_names = archive.documents.get("classes")
    preprocess = archive.documents.get("preprocess")
    model.preprocess = Preprocess.from_config(preprocess) if preprocess else None
    model.saved_history = numbers(archive.documents.get("history", {}))
    training = archive.documents.get("training", {})
    if compile and training.get("optimizer"):
        _compile(model, training)
        _take_slots(model, archive, training["parameters"])
    return model


def _empty(class_name: str, name: str) -> Model:
    found = {kind.__name__: kind for kind in _model_classes}
    if class_name not in found:
        raise ValueError(f"unknown kind of model {class_name!r}; there are {sorted(found)}")
    model: Model = object.__new__(found[class_name])
    model._start(str(name))
    return model


_model_classes: list[type[Model]] = []


def know_models(*classes: type[Model]) -> None:
    """Say which classes a file may name; this module is below them and cannot import them."""
    _model_classes.extend(classes)


def _write(
    model: Model, path: Path, training: dict[str, Any], arrays: dict[str, np.ndarray]
) -> None:
    documents: dict[str, Any] = {
        "config": {"class": type(model).__name__, "name": model.name}
        | graph_to_config(model.graph),
        "classes": model.class_names or [],
        "preprocess": model.preprocess.as_config() if model.preprocess else {},
        "history": _finite(joined(model.saved_history, model.history)),
        "training": _finite(training),
    }
    write_archive(path, {p.name: p.value for p in model.parameters}, documents, arrays)


def _finite(value: Any) -> Any:
    """NaN and infinity, which JSON cannot hold, as null."""
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _training(model: Model) -> dict[str, Any]:
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
    parameters = {p.name: p for p in model.parameters}
    for name, multiplier in training["multipliers"].items():
        parameters[name].multiplier = check_number(multiplier, f"the multiplier of {name}", 0.0)


def _slots(model: Model) -> dict[str, np.ndarray]:
    return {f"slot/{name}/{parameter}": a for (parameter, name), a in model.slots.items()}


def _take_slots(model: Model, archive: Archive, there: list[str]) -> None:
    """`there` are the parameters' names in the file: a rebuilt layer may be called otherwise."""
    here = dict(zip(there, model.parameters, strict=True))
    model.reset_slots()
    for name, array in archive.arrays.items():
        kind, _, rest = name.partition("/")
        slot, _, parameter = rest.partition("/")
        if kind == "slot":
            if here[parameter].shape != array.shape or array.dtype != np.float32:
                raise ValueError(f"the optimizer's {name} does not fit its parameter")
            model.slot(here[parameter].name, slot)[...] = array


def _check_same_network(model: Model, there: list[tuple[str, tuple[int, ...]]], path: Path) -> None:
    here = [(p.name, p.shape) for p in model.parameters]
    differences = [
        f"{name}: {shape} there, {own} here"
        for (name, shape), (_, own) in zip(there, here, strict=False)
        if shape != own
    ]
    if len(there) != len(here):
        differences.append(f"{len(there)} parameters there, {len(here)} here")
    if differences:
        shown = "; ".join(differences[:3]) + ("; ..." if len(differences) > 3 else "")
        raise CheckpointError(f"{path} is of another network ({shown})")


def _check_same_training(model: Model, training: dict[str, Any], path: Path) -> None:
    for key, ours in (_training(model)).items():
        if key not in UNCOMPARED and training[key] != _as_json(ours):
            raise CheckpointError(
                f"{path} is of a training with another {key}: {training[key]} there, {ours} here"
            )


def _as_json(value: Any) -> Any:
    """Tuples as lists, as JSON gives them back."""
    if isinstance(value, dict):
        return {k: _as_json(v) for k, v in value.items()}
    return [_as_json(v) for v in value] if isinstance(value, (list, tuple)) else value


def _take_callbacks(
    model: Model, archive: Archive, saved: list[dict[str, Any]], path: Path
) -> None:
    running = model.running_callbacks
    if [type(c).__name__ for c in running] != [item["class"] for item in saved]:
        raise CheckpointError(
            f"{path} was made with the callbacks {[item['class'] for item in saved]}; this "
            f"training has {[type(c).__name__ for c in running]}"
        )
    for i, (callback, item) in enumerate(zip(running, saved, strict=True)):
        callback.set_state(item["state"])
        prefix = f"callback/{i}/"
        own = {k.removeprefix(prefix): v for k, v in archive.arrays.items() if k.startswith(prefix)}
        callback.set_arrays(own)
