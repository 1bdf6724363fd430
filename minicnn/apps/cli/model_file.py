"""A trained classifier from a `.mcnn` file or from a run folder."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import NamedTuple

from minicnn.apps.runs.folder import RunFolder
from minicnn.data.preprocess import Preprocess
from minicnn.errors import ArgumentError
from minicnn.models import Model, load_model


class Classifier(NamedTuple):
    """A model, how images become its input, and what its classes are called."""

    model: Model
    preprocess: Preprocess
    class_names: list[str]


def load_classifier(path: Path) -> Classifier:
    """The model, which must know its classes and how its images are prepared.

    Raises
    ------
    FileNotFoundError
        There is nothing at `path`, or a folder without best.mcnn.
    ArgumentError
        The model does not say what its images and classes are.
    """
    model = load_network(path)
    if model.preprocess is None or not model.class_names:
        raise ArgumentError(
            f"{path} does not say how images become its input, or what its classes are. Set "
            "model.preprocess and model.class_names before model.save"
        )
    return Classifier(model, model.preprocess, list(model.class_names))


def load_network(path: Path) -> Model:
    """Any model, whether it knows its classes or not."""
    file = RunFolder(path).best if path.is_dir() else path
    if not file.exists():
        seen = f"no {file.name} in this folder" if path.is_dir() else "there is nothing"
        raise FileNotFoundError(
            errno.ENOENT,
            f"{seen}; needed is a .mcnn file, or the folder of a run that has trained an epoch",
            str(path),
        )
    return load_model(file)
