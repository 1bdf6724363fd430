"""Assign the image files of a folder to training, validation and test.

DIR/train/CLASS/*  DIR/test/CLASS/*  (DIR/val/CLASS/*)     already split
DIR/CLASS/*                                                split at random with the seed
DIR/train.txt  DIR/test.txt                                lines "path label"
"""

from __future__ import annotations

import errno
import os
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minicnn.apps.runs.settings import Settings
from minicnn.apps.runs.throttled_progress import Say
from minicnn.data.folder_layouts import TEST, TRAIN, VALIDATION, find_splits, split_folder
from minicnn.data.folders import list_folder
from minicnn.data.image_list import ImageList, read_list
from minicnn.data.tools.split import plan_split
from minicnn.errors import ArgumentError

NEEDED = (
    "Give a folder that has one folder of images per class, or train/ and test/ with one folder "
    "per class each: --data DIR"
)


class SplitFiles(NamedTuple):
    """The files of each split; there may be none for validation."""

    train: ImageList
    validation: ImageList | None
    test: ImageList


class FoundFiles(NamedTuple):
    """The files of a run, and the number of test files that a cross-validation does not use."""

    files: SplitFiles
    left_alone: int


def split_files(folder: Path, settings: Settings) -> SplitFiles:
    """Return the files of a folder by split: the folder's own splits, or random ones.

    Raises
    ------
    FileNotFoundError
        There are no images, or none in one of the splits.
    ArgumentError
        There is only one class, or only one of train/ and test/.
    """
    files = given_splits(folder, settings)
    if files is None:
        files = split_at_random(list_unsplit(folder, settings), settings)
    check_splits(files, folder, settings)
    return files


def given_splits(folder: Path, settings: Settings) -> SplitFiles | None:
    """Return the splits that the folder itself has, as folders or lists; None if it has none."""
    if _has_lists(folder):
        train, test = (read_list(folder / f"{name}.txt", folder) for name in ("train", "test"))
        return SplitFiles(train, None, test)
    return _existing_splits(folder, settings)


def list_unsplit(folder: Path, settings: Settings) -> ImageList:
    """Return all images of a folder that is not split, of the settings' classes."""
    images = list_folder(folder, list(settings.classes) or None)
    _check_classes(images.class_names, folder, settings)
    return images


def class_names(folder: Path, settings: Settings) -> list[str]:
    """Return the classes that a training on this folder would learn, without reading images."""
    return split_files(folder, settings).train.class_names


def split_at_random(images: ImageList, settings: Settings) -> SplitFiles:
    """Split a list of files at random, each class in the same proportions."""
    shares = dict(zip(("train", "val", "test"), map(float, settings.split), strict=True))
    if not shares["train"] or not shares["test"]:
        raise ArgumentError(
            f"split must give training and test images a share above 0; got {list(settings.split)}"
        )
    wanted = {name: share for name, share in shares.items() if share}
    plan = plan_split(images, wanted, group_by=settings.group_by or None)
    lists = {split.name: images.pick(split.rows) for split in plan}
    return SplitFiles(lists["train"], lists.get("val"), lists["test"])


def is_split(folder: Path) -> bool:
    """Return whether the folder has splits of its own, and needs no random ones."""
    return _has_lists(folder) or split_folder(folder, TRAIN) is not None


def new_files(files: SplitFiles, known: Collection[str], say: Say) -> SplitFiles:
    """Return the files without those whose real path is in `known`.

    Raises
    ------
    ArgumentError : no training image is left
    """
    validation = None if files.validation is None else _without(files.validation, known)
    left = SplitFiles(_without(files.train, known), validation, _without(files.test, known))
    count = sum(len(one.paths) for one in files if one is not None)
    dropped = count - sum(len(one.paths) for one in left if one is not None)
    if not left.train.paths:
        raise ArgumentError(
            f"the {len(files.train.paths)} training images in {files.train.root} have been learned "
            "already; there is nothing new. Give a folder with other images: --data DIR"
        )
    if dropped:
        say(f"{dropped} of these images are known already and do not count as new.")
    return left


def found_text(files: SplitFiles) -> str:
    """Return how many images each split has, in Keras's words."""
    classes = len(files.train.class_names)
    return "\n".join(
        f"Found {len(images.paths)} {name} images belonging to {classes} classes."
        for name, images in zip(("training", "validation", "test"), files, strict=True)
        if images is not None
    )


def missing(path: Path, text: str) -> FileNotFoundError:
    """Return the error for a path that does not hold what is needed."""
    return FileNotFoundError(errno.ENOENT, text, str(path))


def _has_lists(folder: Path) -> bool:
    return (folder / "train.txt").is_file() and (folder / "test.txt").is_file()


def _without(images: ImageList, known: Collection[str]) -> ImageList:
    rows = [i for i, path in enumerate(images.paths) if os.path.realpath(path) not in known]
    return images.pick(rows)


def _existing_splits(folder: Path, settings: Settings) -> SplitFiles | None:
    """Return the splits that the folder has on disk, or None if it has none."""
    train, validation, test = (split_folder(folder, names) for names in (TRAIN, VALIDATION, TEST))
    if train is None and test is None:
        if others := find_splits(folder):
            raise ArgumentError(
                f"{folder} is split into {', '.join(others)}; name the folders train and test, so "
                "that it is clear which is which"
            )
        return None
    if train is None or test is None:
        there, other = ("train", "test") if test is None else ("test", "train")
        raise ArgumentError(
            f"{folder} has {there}/ but no {other}/; add it, or put all class folders into one "
            "folder, which minicnn splits"
        )
    training_images = list_folder(train, list(settings.classes) or None)
    names = training_images.class_names
    return SplitFiles(
        training_images,
        None if validation is None else list_folder(validation, names),
        list_folder(test, names),
    )


def _check_classes(names: list[str], folder: Path, settings: Settings) -> None:
    if len(names) < 2 and not settings.start:  # the earlier run knows others
        raise ArgumentError(
            f"{folder} has one class, {names[0]!r}; a classifier needs two or more. {NEEDED}"
        )


def check_splits(files: SplitFiles, folder: Path, settings: Settings) -> None:
    """Raise if a split is empty, lacks a class, or if there is only one class.

    Raises
    ------
    FileNotFoundError, ArgumentError : as `split_files`
    """
    names = files.train.class_names
    _check_classes(names, folder, settings)
    if files.test.class_names != names:
        raise ArgumentError(
            f"{folder}: test has the classes {files.test.class_names}, but train has {names}"
        )
    for name, images in (("training", files.train), ("test", files.test)):
        if not len(images.paths):
            raise missing(folder, f"has no {name} images. {NEEDED}")
    counts = np.bincount(files.train.labels, minlength=len(names))
    empty = [name for name, count in zip(names, counts, strict=True) if not count]
    if empty:
        raise missing(
            folder, f"has no training image of {', '.join(empty)}; add images or remove the folder"
        )
