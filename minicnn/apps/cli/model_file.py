"""Load a model from a `.mcnn` file or from a run folder."""

from __future__ import annotations

import errno
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from minicnn import zoo
from minicnn.apps.runs.folder import RunFolder, fold_paths
from minicnn.checks import nearest
from minicnn.data.preprocess import Preprocess
from minicnn.errors import ArgumentError
from minicnn.models import Model, load_model

# The networks of the zoo by their names, spelled as in `minicnn train --model`.
ZOO: dict[str, Callable[..., Model]] = {
    name.replace("_", "-"): getattr(zoo, name) for name in zoo.__all__
}


class Classifier(NamedTuple):
    """A model with its preprocessing and the names of its classes."""

    model: Model
    preprocess: Preprocess
    class_names: list[str]


def load_classifier(path: Path) -> Classifier:
    """Load a model that has its preprocessing and class names saved with it.

    Raises
    ------
    FileNotFoundError
        There is nothing at `path`, or a folder without best.mcnn.
    ArgumentError
        The model has no preprocessing or no class names.
    """
    model = load_network(path)
    if model.preprocess is None or not model.class_names:
        lacks = "class names" if model.preprocess is not None else "preprocessing"
        raise ArgumentError(
            f"the model in {path} has no {lacks}, so it cannot classify images. Set "
            "model.preprocess and model.class_names before model.save"
        )
    return Classifier(model, model.preprocess, list(model.class_names))


def load_sorter_model(path: Path | None) -> Model:
    """Load a classifier as `load_classifier` does; None is the one that comes with minicnn."""
    return zoo.photo_small(weights="photos") if path is None else load_classifier(path).model


def load_network(path: Path) -> Model:
    """Load any model, also one without preprocessing and class names."""
    return load_model(network_file(path))


def saved_or_named(path: Path) -> Model:
    """Load a model, or build the network of the zoo that is called so, with initial weights.

    Raises
    ------
    FileNotFoundError
        There is nothing at `path`, and no network is called so.
    """
    if path.exists():
        return load_network(path)
    if str(path) not in ZOO:
        raise FileNotFoundError(
            errno.ENOENT,
            f"no such file or network{nearest(str(path), ZOO)}; give a model file (.mcnn, .keras, "
            f".onnx, ...), the folder of a run, or one of {', '.join(ZOO)}",
            str(path),
        )
    build = ZOO[str(path)]
    takes_weights = "weights" in inspect.signature(build).parameters
    return build(weights=None) if takes_weights else build()


def network_file(path: Path) -> Path:
    """Return the file of a model: the path itself, or the best model of a run folder.

    Raises
    ------
    FileNotFoundError
        There is nothing at `path`, or a folder without best.mcnn, or that of a cross-validation.
    """
    if folds := fold_paths(path) if path.is_dir() else []:
        raise FileNotFoundError(
            errno.ENOENT,
            f"this is a cross-validation, whose {len(folds)} folds have a model each; give the "
            f"folder of one, {folds[0]} to {folds[-1].name}",
            str(path),
        )
    file = RunFolder(path).best if path.is_dir() else path
    if not file.exists():
        seen = f"this folder has no {file.name}" if path.is_dir() else "no such file"
        raise FileNotFoundError(
            errno.ENOENT,
            f"{seen}; give a model file (.mcnn, .keras, .onnx, ...) or the folder of a run "
            "that has trained an epoch",
            str(path),
        )
    return file
