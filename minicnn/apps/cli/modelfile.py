"""A trained classifier from a `.mcnn` file or from a run folder."""

from __future__ import annotations

from pathlib import Path

from minicnn.apps.runs.folder import RunFolder
from minicnn.errors import ArgumentError
from minicnn.models import Model, load_model


def load_classifier(path: Path) -> Model:
    """The model, which must know its classes and how its images are prepared.

    Raises
    ------
    FileNotFoundError
        There is nothing at `path`, or a folder without best.mcnn.
    ArgumentError
        The model does not say what its images and classes are.
    """
    file = RunFolder(path).best if path.is_dir() else path
    model = load_model(file)
    if model.preprocess is None or not model.class_names:
        raise ArgumentError(
            f"{file} does not say how images become its input, or what its classes are. Set "
            "model.preprocess and model.class_names before model.save"
        )
    return model
