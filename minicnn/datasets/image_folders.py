"""The papers' sets of photographs: where their folders are looked for, and where to get them.

Nothing is downloaded.
"""

from __future__ import annotations

import errno
from pathlib import Path
from typing import NamedTuple

from minicnn.checks import check_choice
from minicnn.data.folder_layouts import TEST, TRAIN, VALIDATION, find_splits, split_folder
from minicnn.data.folders import class_folders
from minicnn.datasets.places import default_folder
from minicnn.errors import ArgumentError

UNLABELED = ("seg_pred", "pred", "unlabeled")  # names of folders whose images have no classes


class ImageFolders(NamedTuple):
    """The folders of a data set; None for each that it does not have."""

    root: Path
    train: Path | None = None  # with one folder of images per class, as `validation` and `test`
    validation: Path | None = None
    test: Path | None = None
    unlabeled: Path | None = None  # with images of unknown classes


class _KnownSet(NamedTuple):
    """What the error says about a data set that is not there."""

    classes: str
    source: str
    is_split: bool = True


SETS = {
    "scenes": _KnownSet(
        "buildings, forest, glacier, mountain, sea, street",
        'the images are those of "Intel Image Classification" on Kaggle, in seg_train and seg_test',
    ),
    "xray": _KnownSet(
        "NORMAL, PNEUMONIA",
        'the images are those of "Chest X-Ray Images (Pneumonia)" by Kermany and others, on Kaggle '
        "and on Mendeley Data",
    ),
    "catdog": _KnownSet(
        "cats, dogs",
        'the images are those of "Dogs vs. Cats" on Kaggle, which Microsoft offers too',
    ),
    "photos": _KnownSet(
        "animals, architecture, car, food, nature, people",
        "take your own photographs, or let `minicnn data fetch people.csv ... --to photos` "
        "download images from lists of links",
        is_split=False,
    ),
}


def find_images(name: str, path: str | Path | None = None) -> ImageFolders:
    """Find the folders of a data set and check that each has the same class folders.

    Parameters
    ----------
    name : "scenes", "xray", "catdog" or "photos"; the last one is not split, and only its `root`
        is returned
    path : the folder of the data set, or one that contains it under its name; default: the folder
        `name` in the folder that MINICNN_DATA names, or else in `data`

    Raises
    ------
    FileNotFoundError
        The folder, or one of its splits, does not exist. The message says what is needed and
        where the images can be had.
    ArgumentError
        There are fewer than two classes, or training and test images have different ones.

    Notes
    -----
    The class folders may have any names. `seg_train`, `seg_test` and the like are recognized, also
    one inside the other, as archives from Kaggle have them.
    """
    known = SETS[check_choice(name, "name", list(SETS))]
    root = default_folder() / name if path is None else Path(path)
    if path is not None and (root / name).is_dir():
        root = root / name
    if not root.is_dir():
        raise _missing(name, root, "is a file" if root.exists() else "there is no such folder")
    return _splits(name, root) if known.is_split else _classes(name, root)


def needed_text(name: str) -> str:
    """Return which folders a data set needs, and where its images can be had."""
    known = SETS[name]
    layout = "train/CLASS/ and test/CLASS/" if known.is_split else "CLASS/"
    return (
        f"Needed is a folder with {layout}, where CLASS is each of {known.classes}; {known.source}"
    )


def _splits(name: str, root: Path) -> ImageFolders:
    train, validation, test = (split_folder(root, names) for names in (TRAIN, VALIDATION, TEST))
    if train is None or test is None:
        lacking = " and ".join(
            f"{part}/" for part, folder in (("train", train), ("test", test)) if folder is None
        )
        raise _missing(name, root, f"has no {lacking} with one folder of images per class")
    names, others = class_folders(train), class_folders(test)
    if names != others:
        raise ArgumentError(f"{train} has the classes {names}, but {test} has {others}")
    _check_count(train, names)
    return ImageFolders(root, train, validation, test, _unlabeled(root))


def _classes(name: str, root: Path) -> ImageFolders:
    if there := find_splits(root):
        raise ArgumentError(
            f"{root} is split already, into {', '.join(there)}; give a folder with one folder of "
            "images per class"
        )
    names = class_folders(root)
    if not names:
        raise _missing(name, root, "has no folders of images")
    _check_count(root, names)
    return ImageFolders(root)


def _unlabeled(root: Path) -> Path | None:
    """Return the folder of images without classes, the inner one of seg_pred/seg_pred."""
    found = [root / name for name in UNLABELED if (root / name).is_dir()]
    inner = [folder / folder.name for folder in found[:1] if (folder / folder.name).is_dir()]
    return next(iter(inner or found), None)


def _check_count(folder: Path, names: list[str]) -> None:
    if len(names) < 2:
        raise ArgumentError(
            f"{folder} has one class, {names[0]!r}; a classifier needs two or more folders of "
            "images"
        )


def _missing(name: str, root: Path, seen: str) -> FileNotFoundError:
    """Return the error that says what is there, what is needed, and where to get it."""
    text = (
        f"{seen}. {needed_text(name)}. Nothing is downloaded: name its folder, or set MINICNN_DATA "
        f"to the one that contains {name}/"
    )
    if SETS[name].is_split:
        text += (
            ". To split class folders that you have: minicnn data split FOLDER NEW --parts 80/20"
        )
    return FileNotFoundError(errno.ENOENT, text, str(root))
