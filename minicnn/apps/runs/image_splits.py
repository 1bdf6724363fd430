"""The images of a training in three splits, and how splits are divided, joined and relabeled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from minicnn import random
from minicnn.data.image_list import ImageList
from minicnn.errors import ArgumentError

VALIDATION = 0.1  # share of each class's training images, where the data have no validation split
NO_IMAGES = np.empty((0, 0, 0, 0), np.uint8)
NO_LABELS = np.empty(0, np.int64)
Skipped = list[tuple[str, str]]  # (file that could not be read, reason)


class Split(NamedTuple):
    """The images of one split, training, validation or test, and their labels."""

    images: np.ndarray  # uint8 (N, H, W, C); empty if `on_disk` is given
    labels: np.ndarray  # (N,)
    files: list[str]  # the file of each image; empty if the images come from an archive
    on_disk: ImageList | None = None  # the files to read in every epoch, if memory is too small

    @property
    def total(self) -> int:
        """Number of images, in memory or on disk."""
        return len(self.labels)

    def pick(self, rows: np.ndarray) -> Split:
        """Return the images with these indices."""
        files = [self.files[i] for i in rows] if self.files else []
        if self.on_disk is None:
            return Split(self.images[rows], self.labels[rows], files)
        return Split(self.images, self.labels[rows], files, self.on_disk.pick(rows))


EMPTY = Split(NO_IMAGES, NO_LABELS, [])
Part = ImageList | Split  # files that are not read yet, or images in memory
P = TypeVar("P", ImageList, Split)


class ImageSplits(NamedTuple):
    """All images of a training, and the files that were left out."""

    train: Split
    validation: Split
    test: Split
    class_names: list[str]
    skipped: Skipped
    shared: bool  # whether the test images are also the validation images, as in the papers
    left_alone: int = 0  # test images of the data that a cross-validation does not use


def split_off_validation(train: Split, share: float = VALIDATION) -> tuple[Split, Split]:
    """Split the training images at random into training and validation, class by class.

    Raises
    ------
    ArgumentError : no class has enough images
    """
    chosen = np.zeros(train.total, bool)
    for label in np.unique(train.labels):
        own = np.flatnonzero(train.labels == label)
        order = random.generator("validation", int(label)).permutation(own)
        chosen[order[: round(len(own) * share)]] = True
    if not chosen.any():
        raise ArgumentError(
            f"{train.total} training images are too few to use {share:.0%} of each class for "
            "validation; add a folder val/, or have more images per class"
        )
    return train.pick(np.flatnonzero(~chosen)), train.pick(np.flatnonzero(chosen))


def validation_text(count: int) -> str:
    """Return the message that this number of training images became validation images."""
    return f"{count} of the training images are used for validation; no test image is."


def joined(splits: Sequence[Split]) -> Split:
    """Return the images of several splits in memory as one split."""
    filled = [split for split in splits if split.total]
    if not filled:
        return EMPTY
    return Split(
        np.concatenate([split.images for split in filled]),
        np.concatenate([split.labels for split in filled]),
        [file for split in filled for file in _file_names(split)],
    )


def relabeled(part: P, names: Sequence[str], wanted: Sequence[str]) -> P:
    """Return the images of the classes `wanted`, with the indices of `wanted` as labels.

    The labels of `part` are indices of `names`.
    """
    index = [wanted.index(name) if name in wanted else -1 for name in names]
    labels = np.array(index, np.int64)[part.labels]
    rows = np.flatnonzero(labels >= 0)
    return part.pick(rows)._replace(labels=labels[rows])


def _file_names(split: Split) -> list[str]:
    return split.files or [f"image {i}" for i in range(split.total)]
