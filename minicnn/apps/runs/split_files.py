"""What may stand on the disk, and which files of it train, validate and test.

DIR/train/CLASS/*  DIR/test/CLASS/*  (DIR/val/CLASS/*)     parts that somebody made
DIR/CLASS/*                                                no parts: split here, by the seed
DIR/train.txt  DIR/test.txt                                lines "path label"
"""

from __future__ import annotations

import errno
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minicnn.apps.runs.settings import Settings
from minicnn.data.folder_layouts import TEST, TRAIN, VALIDATION, find_splits, split_folder
from minicnn.data.folders import ImageList, list_folder, read_list
from minicnn.data.tools.split import plan_split
from minicnn.errors import ArgumentError

NEEDED = (
    "Needed is a folder with one folder of images a class, or with train/ and test/ that have one "
    "each; give it with --data DIR"
)


class Listing(NamedTuple):
    """Lists of files before anything is read; `validation` may be missing."""

    train: ImageList
    validation: ImageList | None
    test: ImageList


def find_lists(folder: Path, settings: Settings) -> Listing:
    """The files of a folder in three parts: its own, or by chance where it has none.

    Raises
    ------
    FileNotFoundError
        There are no images, or none of a part.
    ArgumentError
        There is one class or one part alone.
    """
    if (folder / "train.txt").is_file() and (folder / "test.txt").is_file():
        train, test = (read_list(folder / f"{part}.txt", folder) for part in ("train", "test"))
        listing = Listing(train, None, test)
    else:
        listing = _own_parts(folder, settings) or _split(folder, settings)
    _check(listing, folder)
    return listing


def class_names(folder: Path, settings: Settings) -> list[str]:
    """The classes that a training on this folder would learn; no image is read."""
    return find_lists(folder, settings).train.class_names


def split(images: ImageList, settings: Settings) -> Listing:
    """Cut a list into train, validation and test, each with every class's share; seeded."""
    shares = dict(zip(("train", "val", "test"), map(float, settings.split), strict=True))
    if not shares["train"] or not shares["test"]:
        raise ArgumentError(
            f"split must have shares above 0 to train and to test; got {list(settings.split)}"
        )
    wanted = {name: share for name, share in shares.items() if share}
    plan = plan_split(images, wanted, group_by=settings.group_by or None)
    parts = {part.name: images.pick(part.rows) for part in plan}
    return Listing(parts["train"], parts.get("val"), parts["test"])


def found_text(listing: Listing) -> str:
    """What was found, as Keras says it."""
    classes = len(listing.train.class_names)
    parts = zip(("training", "validation", "test"), listing, strict=True)
    return "\n".join(
        f"Found {len(part.paths)} {what} images belonging to {classes} classes."
        for what, part in parts
        if part is not None
    )


def missing(path: Path, text: str) -> FileNotFoundError:
    """The error for what is not there."""
    return FileNotFoundError(errno.ENOENT, text, str(path))


def _own_parts(folder: Path, settings: Settings) -> Listing | None:
    """The parts that the folder has; None if it has none."""
    train, validation, test = (split_folder(folder, names) for names in (TRAIN, VALIDATION, TEST))
    if train is None and test is None:
        if others := find_splits(folder):
            raise ArgumentError(
                f"{folder} has the parts {', '.join(others)}; call them train and test, so that it "
                "is plain which is which"
            )
        return None
    if train is None or test is None:
        there, other = ("train", "test") if test is None else ("test", "train")
        raise ArgumentError(
            f"{folder} has a part {there}/ but no {other}/; add it, or put the class folders into "
            "one folder and minicnn splits them"
        )
    whole = list_folder(train, list(settings.classes) or None)
    names = whole.class_names
    return Listing(
        whole,
        None if validation is None else list_folder(validation, names),
        list_folder(test, names),
    )


def _split(folder: Path, settings: Settings) -> Listing:
    images = list_folder(folder, list(settings.classes) or None)
    _check_classes(images.class_names, folder)
    return split(images, settings)


def _check_classes(names: list[str], folder: Path) -> None:
    if len(names) < 2:
        raise ArgumentError(
            f"{folder} has one class, {names[0]!r}; a classifier needs two or more. {NEEDED}"
        )


def _check(listing: Listing, folder: Path) -> None:
    names = listing.train.class_names
    _check_classes(names, folder)
    if listing.test.class_names != names:
        raise ArgumentError(
            f"{folder}: test has the classes {listing.test.class_names}, train has {names}"
        )
    for what, part in (("train", listing.train), ("test", listing.test)):
        if not len(part.paths):
            raise missing(folder, f"has no images to {what} with. {NEEDED}")
    counts = np.bincount(listing.train.labels, minlength=len(names))
    empty = [name for name, count in zip(names, counts, strict=True) if not count]
    if empty:
        raise missing(folder, f"has no training image of {', '.join(empty)}; fill or remove it")
