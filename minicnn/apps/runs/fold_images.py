"""The images of one fold of a cross-validation: those that train, choose the epoch and test.

The fold's images test. Of the others, a tenth of each class chooses the best epoch, so that the
images that test have chosen nothing, and the rest trains. Groups of images stay together in both
steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minicnn import random
from minicnn.apps.runs.settings import Settings
from minicnn.apps.runs.split_files import (
    FoundFiles,
    SplitFiles,
    check_splits,
    given_splits,
    list_unsplit,
)
from minicnn.data.image_list import ImageList
from minicnn.data.tools.folds import folds
from minicnn.data.tools.split import assign, group_keys
from minicnn.errors import ArgumentError

VALIDATION = 0.1  # share of the images that do not test


class FoldRows(NamedTuple):
    """Indices of the images that a fold's run uses."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def fold_rows(
    labels: np.ndarray,
    class_names: Sequence[str],
    settings: Settings,
    groups: Sequence[str] | None = None,
) -> FoldRows:
    """Divide images by their class indices into the parts of the settings' fold.

    Raises
    ------
    ArgumentError : there are too few images or groups, in all or of a class
    """
    named = np.array(class_names)[labels]  # for the warning about a rare class
    others, test = folds(named, settings.folds, groups, settings.seed)[settings.fold - 1]
    own_groups = None if groups is None else [groups[row] for row in others]
    with random.seeded(settings.seed):
        chosen = _validation(labels[others], own_groups)
    return FoldRows(others[~chosen], others[chosen], test)


def _validation(labels: np.ndarray, groups: Sequence[str] | None) -> np.ndarray:
    """Return which of the images that do not test choose the epoch, bool (n,)."""
    part = assign(labels, np.array([1 - VALIDATION, VALIDATION]), groups)
    if part.any():
        return part == 1
    if groups is not None and len(set(groups)) > 1:  # each is larger than the share
        names, sizes = np.unique(groups, return_counts=True)
        return np.asarray(groups) == names[sizes.argmin()]
    raise ArgumentError(
        f"{len(labels)} images are too few to choose the epoch with {VALIDATION:.0%} of each "
        "class; a cross-validation needs about ten images per class or more"
    )


def fold_files(folder: Path, settings: Settings) -> FoundFiles:
    """Return the files of the settings' fold.

    If the folder is split already, its training images are divided, and its test images are left
    alone. Validation images of its own choose the epoch of every fold.
    """
    given = given_splits(folder, settings)
    images = list_unsplit(folder, settings) if given is None else given.train
    keys = group_keys(images, settings.group_by) if settings.group_by else None
    rows = fold_rows(images.labels, images.class_names, settings, keys)
    train, validation, test = (images.pick(one) for one in rows)
    if given is not None and given.validation is not None:
        train, validation = _joined(images, rows), given.validation
    files = SplitFiles(train, validation, test)
    check_splits(files, folder, settings)
    return FoundFiles(files, 0 if given is None else len(given.test.paths))


def _joined(images: ImageList, rows: FoldRows) -> ImageList:
    return images.pick(np.sort(np.concatenate([rows.train, rows.validation])))
