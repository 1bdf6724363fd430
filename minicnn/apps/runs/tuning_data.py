"""The settings of a search for hyperparameters, and its images, which exclude the test split."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from minicnn.apps.runs.image_splits import Split, split_off_validation, validation_text
from minicnn.apps.runs.load_images import load_in_memory
from minicnn.apps.runs.networks import input_preprocess
from minicnn.apps.runs.settings import Settings, from_toml, write_toml
from minicnn.apps.runs.throttled_progress import Say
from minicnn.errors import ArgumentError, MiniCNNError
from minicnn.tune import study

CONFIG = "config.toml"
HEAD = "A minicnn search: the settings of its trainings."
VALIDATION = 0.2  # share of each class's training images, where the data have no validation split


def search_settings(folder: Path, **choices: Any) -> Settings:
    """Write the settings of a new search, or check that a continued search has the same.

    Raises
    ------
    ArgumentError
        The search was started with other settings, so new results could not be compared.
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
            f"the search in {folder} was started with {had}, not {wanted}; continue it with the "
            "same options, choose another --name, or delete it with --force"
        )
    return settings


def saved_settings(folder: Path) -> Settings:
    """Return the settings that the search in this folder was started with."""
    path = folder / CONFIG
    if not path.exists():
        raise FileNotFoundError(
            errno.ENOENT,
            "is not the folder of a search; start one with: minicnn tune search --data DIR",
            str(folder),
        )
    return from_toml(path)


def saved_tuner(folder: Path, storage: str | None = None) -> tuple[str, dict[str, Any]]:
    """Return a search's way of choosing networks, and the `Tuner` arguments that go with it.

    A search in a database, at the address `storage`, may have no folder on this machine.
    """
    if storage is None:
        saved_settings(folder)
    known = study.known_settings(study.storage_of(folder, storage))
    return known["sampler"], {
        "objective": known["objective"],
        "executions_per_trial": known["executions_per_trial"],
        "seed": known["seed"],
        "storage": storage,
    }


def delete_search(folder: Path, storage: str | None = None) -> None:
    """Delete the files of a search, and no other files in its folder, and its database record."""
    study.remove(study.storage_of(folder, storage), folder)
    (folder / CONFIG).unlink(missing_ok=True)


@contextmanager
def removed_if_unused(folder: Path) -> Iterator[None]:
    """Remove the folder if an error ends the block before the search has any results in it.

    Otherwise a search of the same name with other options would be refused.
    """
    try:
        yield
    except (MiniCNNError, OSError):
        if [path.name for path in folder.iterdir()] == [CONFIG]:
            (folder / CONFIG).unlink()
            folder.rmdir()
        raise


def load_search_images(settings: Settings, say: Say) -> tuple[Split, Split, list[str]]:
    """Return a search's training images, validation images and class names."""
    images = load_in_memory(settings, input_preprocess(settings), say)
    if not images.shared:
        return images.train, images.validation, images.class_names
    train, validation = split_off_validation(images.train, VALIDATION)
    say(validation_text(validation.total))
    return train, validation, images.class_names
