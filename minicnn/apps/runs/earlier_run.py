"""The run whose network is trained further: its model, its settings and what they pass on."""

from __future__ import annotations

import errno
import shlex
from pathlib import Path
from typing import Any, NamedTuple

from minicnn.apps.runs.folder import RunFolder
from minicnn.apps.runs.optimizer import RATE
from minicnn.apps.runs.settings import Settings, from_toml
from minicnn.data.preprocess import Preprocess
from minicnn.errors import ArgumentError
from minicnn.models import Model, load_model

EPOCHS = 20
SLOWER = 0.1  # learning rate, relative to that of a network with new weights


class EarlierRun(NamedTuple):
    """A trained network, and where it comes from as far as that is known."""

    name: str  # of the run's folder, or of the model file
    model: Model
    class_names: list[str]
    preprocess: Preprocess
    settings: Settings | None  # None for a model file that is in no run folder
    folder: RunFolder | None


def find_run(path: Path) -> EarlierRun:
    """Return the finished run of a folder, or of one of its model files, or any model file.

    Raises
    ------
    FileNotFoundError
        There is nothing at `path`, or a folder that is not a run's.
    ArgumentError
        The run is unfinished or a fold of a cross-validation, or the model has no class names or no
        preprocessing.
    """
    folder = _folder_of(path)
    settings = None if folder is None else _settings_of(folder)
    file = folder.best if folder is not None and path.is_dir() else path
    if not file.is_file():
        raise FileNotFoundError(
            errno.ENOENT,
            "is neither a run folder, such as runs/scene-1, nor a model file",
            str(path),
        )
    model = load_model(file, compile=False)
    if model.preprocess is None or not model.class_names:
        lacks = "class names" if model.preprocess is not None else "preprocessing"
        raise ArgumentError(
            f"the model in {file} has no {lacks}, so it cannot be trained further on images. Set "
            "model.preprocess and model.class_names before model.save"
        )
    name = (folder.path if folder is not None else file.resolve()).name
    return EarlierRun(name, model, list(model.class_names), model.preprocess, settings, folder)


def inherited_settings(start: Path, data: str, **choices: Any) -> Settings:
    """Return the settings with which the network of `start` is trained further.

    They are those of its run, with a tenth of the learning rate, 20 epochs and balanced classes.
    A run that was continual learning itself passes its learning rate on unchanged.

    Parameters
    ----------
    start : a run folder or a model file
    data : the folder of the new images
    choices : other settings to change; None leaves a value as it is
    """
    run = find_run(start)
    before = run.settings or Settings(model=run.model.name, data=data)
    rate = float(before.optimizer.get("learning_rate", RATE))
    settings = before.changed(
        start=str(start),
        data=data,
        keep="",
        keep_per_class=Settings.keep_per_class,
        classes=(),
        images=0,
        network={},
        normalize=False,  # the model's preprocessing contains it
        balance=True,
        epochs=EPOCHS,
        fine_tune=0,
        optimizer={**before.optimizer, "learning_rate": rate if before.start else rate * SLOWER},
    )
    return settings.changed(**choices)


def _settings_of(folder: RunFolder) -> Settings:
    """Return the settings of a run; raise ArgumentError if its network is no start."""
    if not folder.is_complete:
        command = ["minicnn", "train", str(folder.config), "--runs", str(folder.path.parent)]
        raise ArgumentError(
            f"the run in {folder.path} is unfinished, so its network cannot be trained further; to "
            f"finish it: {shlex.join(command)} --resume"
        )
    settings = from_toml(folder.config)
    if settings.folds:
        what = "a fold of a cross-validation" if settings.fold else "a cross-validation"
        raise ArgumentError(
            f"{folder.path} is {what}, of which no network has learned from all images; train one "
            "on all of them, without --folds, and name its run with --from"
        )
    return settings


def _folder_of(path: Path) -> RunFolder | None:
    """Return the run folder at `path`, or the one that the model file at `path` belongs to."""
    if path.is_dir():
        folder = RunFolder(path)
        return folder if folder.is_begun else None
    for folder in map(RunFolder, path.absolute().parents[:2]):
        if folder.is_begun and path.absolute() in (folder.best, folder.last):
            return folder
    return None
