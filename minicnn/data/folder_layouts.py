"""How a folder of images is laid out: parts of class folders, or class folders alone.

DIR/train/CLASS/*  DIR/test/CLASS/*  (DIR/val/CLASS/*)     parts, by the usual names
DIR/fit/CLASS/*  DIR/check/CLASS/*                         parts of other names, of the same classes
DIR/CLASS/*                                                classes; pictures may lie deeper
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

from minicnn.data.folders import ImageList, class_folders, is_image, list_folder
from minicnn.data.image_files import PathLike

TRAIN = ("train", "training", "seg_train", "training_set")
VALIDATION = ("val", "valid", "validation", "seg_val")
TEST = ("test", "testing", "seg_test", "test_set")
USUAL = (TRAIN, VALIDATION, TEST)


def find_splits(directory: PathLike) -> dict[str, Path]:
    """The parts of a data set: {"train": DIR/train, "test": DIR/test}; {} where there are none.

    Usual names come first, in the order train, validation, test, each as it is called there.
    Folders of other names are parts if they have two folders or more in common, and no pictures
    beside them: so `cats/2023` and `dogs/2023` are classes.

    Raises
    ------
    FileNotFoundError
        There is no such folder.
    """
    root = Path(directory)
    found = {names: split_folder(root, names) for names in USUAL}
    if found[TRAIN] is not None or found[TEST] is not None:
        return {_name(root, path): path for path in found.values() if path is not None}
    folders = [root / name for name in class_folders(root)]
    if len(folders) > 1 and len(set.intersection(*(set(_classes(one)) for one in folders))) > 1:
        return {folder.name: folder for folder in folders}
    return {}


def list_splits(
    directory: PathLike, classes: Sequence[str] | None = None, *, skip_locked: bool = False
) -> dict[str, ImageList]:
    """The images of each part, {"train": ..., "test": ...}; without parts one, named as the folder.

    `skip_locked` takes a folder that cannot be looked into for an empty one, as in `list_folder`.
    """
    root = Path(directory)
    parts = find_splits(root) or {root.name or str(root): root}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of empty classes: who asks counts them
        return {
            name: list_folder(path, classes, skip_locked=skip_locked)
            for name, path in parts.items()
        }


def split_folder(folder: Path, names: Sequence[str]) -> Path | None:
    """The subfolder of one of these names that has class folders, if there is one.

    Of seg_train/seg_train, as one archive has it, the inner one.
    """
    for name in names:
        part = folder / name
        if part.is_dir():
            part = part / name if (part / name).is_dir() else part
            if _classes(part):
                return part
    return None


def _classes(folder: Path) -> list[str]:
    """Names of the class folders in a part; none in a folder that has pictures itself."""
    try:
        pictures = any(is_image(path.name) and path.is_file() for path in folder.iterdir())
        return [] if pictures else class_folders(folder)
    except PermissionError:
        return []


def _name(root: Path, part: Path) -> str:
    """What the part is called in the folder: of seg_train/seg_train the first."""
    return part.relative_to(root).parts[0]
