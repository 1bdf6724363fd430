"""The layouts of image folders: training, validation and test splits, or class folders alone.

DIR/train/CLASS/*  DIR/test/CLASS/*  (DIR/val/CLASS/*)     splits with the usual names
DIR/fit/CLASS/*  DIR/check/CLASS/*                         splits with other names, the same classes
DIR/CLASS/*                                                classes; images may lie deeper
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

from minicnn.data.folders import class_folders, is_image, list_folder
from minicnn.data.image_files import PathLike
from minicnn.data.image_list import ImageList

TRAIN = ("train", "training", "seg_train", "training_set")
VALIDATION = ("val", "valid", "validation", "seg_val")
TEST = ("test", "testing", "seg_test", "test_set")
USUAL = (TRAIN, VALIDATION, TEST)


def find_splits(directory: PathLike) -> dict[str, Path]:
    """Return the splits of a data set, {"train": DIR/train, "test": DIR/test}; or {}.

    Splits with the usual names are returned under their own names, in the order training,
    validation, test. Folders with other names are splits if they have at least two class folders
    in common and no images beside those. So `cats/2023` and `dogs/2023` are classes.

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
    directory: PathLike, classes: Sequence[str] | None = None, *, skip_inaccessible: bool = False
) -> dict[str, ImageList]:
    """Return the images of each split, {"train": ..., "test": ...}.

    Without splits there is one entry, with the name of the folder. `classes` and
    `skip_inaccessible` are those of `list_folder`.
    """
    root = Path(directory)
    splits = find_splits(root) or {root.name or str(root): root}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about empty classes, which the callers report themselves
        return {
            name: list_folder(path, classes, skip_inaccessible=skip_inaccessible)
            for name, path in splits.items()
        }


def split_folder(folder: Path, names: Sequence[str]) -> Path | None:
    """Return the first subfolder with one of these names that has class folders, or None.

    Of nested folders of the same name, such as seg_train/seg_train, the inner one is returned.
    """
    for name in names:
        split = folder / name
        if split.is_dir():
            split = split / name if (split / name).is_dir() else split
            if _classes(split):
                return split
    return None


def _classes(folder: Path) -> list[str]:
    """Return the names of the class folders in a split; none if the folder has images itself."""
    try:
        has_images = any(is_image(path.name) and path.is_file() for path in folder.iterdir())
        return [] if has_images else class_folders(folder)
    except PermissionError:
        return []


def _name(root: Path, split: Path) -> str:
    """Return the name of the split's folder directly in `root`."""
    return split.relative_to(root).parts[0]
