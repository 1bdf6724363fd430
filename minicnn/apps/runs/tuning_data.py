"""What a search works on: its folder's settings, and images that leave the test part alone."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from minicnn import random
from minicnn.apps.runs.experiment import wanted_preprocess
from minicnn.apps.runs.load_images import Part, load_in_memory
from minicnn.apps.runs.settings import Settings, from_toml, write_toml
from minicnn.errors import ArgumentError
from minicnn.tune import study

CONFIG = "config.toml"
HEAD = "A minicnn search: what its networks are trained on."
VALIDATION = 0.2  # of each class's training images, where the data have no part for it


def agreed(folder: Path, **choices: Any) -> Settings:
    """These settings, written down the first time; the ones that are there must be the same.

    Raises
    ------
    ArgumentError
        The search was begun with others: its results could not be compared with new ones.
    """
    settings = Settings(**choices)
    path = folder / CONFIG
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_toml(path, settings, HEAD)
        return settings
    before, now = asdict(from_toml(path)), asdict(settings)
    differ = [name for name in now if before[name] != now[name]]
    if differ:
        had = ", ".join(f"{name} {before[name]}" for name in differ)
        wanted = ", ".join(f"{name} {now[name]}" for name in differ)
        raise ArgumentError(
            f"the search in {folder} was begun with {had}, and this is {wanted}; go on with the "
            "same options, give it another --name, or delete it with --force"
        )
    return settings


def settings_of(folder: Path) -> Settings:
    """What the search in this folder was begun with."""
    path = folder / CONFIG
    if not path.exists():
        raise FileNotFoundError(
            errno.ENOENT,
            "is no search; begin one with: minicnn tune search --data DIR",
            str(folder),
        )
    return from_toml(path)


def begun(folder: Path) -> tuple[str, dict[str, Any]]:
    """How the networks of a search are chosen, and the `Tuner`'s arguments that go with it."""
    settings_of(folder)
    known = study.known_settings(folder)
    return known["sampler"], {
        "objective": known["objective"],
        "executions_per_trial": known["executions_per_trial"],
        "seed": known["seed"],
    }


def forget(folder: Path) -> None:
    """Delete a search, and nothing else that lies in its folder."""
    study.remove(folder)
    (folder / CONFIG).unlink(missing_ok=True)


def remove_unused(folder: Path) -> None:
    """Take the folder of a search away that has not begun: it would hold its name for others."""
    if [path.name for path in folder.iterdir()] == [CONFIG]:
        (folder / CONFIG).unlink()
        folder.rmdir()


def load(settings: Settings, say: Callable[[str], None]) -> tuple[Part, Part, list[str]]:
    """Images to train on and images to judge by, uint8; and the classes' names."""
    images = load_in_memory(settings, wanted_preprocess(settings), say)
    if not images.shared:
        return images.train, images.validation, images.class_names
    train, validation = divided(images.train)
    say(f"Judged by {validation.total} of the training images; the test images are left alone.")
    return train, validation, images.class_names


def divided(part: Part) -> tuple[Part, Part]:
    """A part cut in two, each with every class's share; the smaller one is the second."""
    second: list[int] = []
    for label in np.unique(part.labels):
        own = random.generator("validation", int(label)).permutation(
            np.flatnonzero(part.labels == label)
        )
        second += own[: round(len(own) * VALIDATION)].tolist()
    if not second:
        raise ArgumentError(
            f"{part.total} training images are too few to judge by a fifth of each class; needed "
            "are 3 of a class, or a part val/"
        )
    rows = np.zeros(part.total, bool)
    rows[second] = True
    return _pick(part, ~rows), _pick(part, rows)


def _pick(part: Part, rows: np.ndarray) -> Part:
    files = [file for file, taken in zip(part.files, rows, strict=False) if taken]
    return Part(part.images[rows], part.labels[rows], files)
