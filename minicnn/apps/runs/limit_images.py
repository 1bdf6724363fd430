"""Use only some of the images: the same share of every class, chosen at random with the seed."""

from __future__ import annotations

import numpy as np

from minicnn import random
from minicnn.apps.runs.split_files import SplitFiles
from minicnn.data.image_list import ImageList


def share_of(labels: np.ndarray, count: int) -> float:
    """Return the share that `count` images are of those with these labels; all are if it is 0.

    >>> share_of(np.zeros(200), 50), share_of(np.zeros(200), 0), share_of(np.zeros(200), 900)
    (0.25, 1.0, 1.0)
    """
    return min(1.0, count / max(1, len(labels))) if count else 1.0


def some_rows(labels: np.ndarray, share: float) -> np.ndarray:
    """Return the rows of a share of the images in ascending order, at least one of every class.

    Every class keeps this share of its images, rounded up or down so that the sum is right.

    >>> labels = np.repeat([0, 1], [30, 70])
    >>> np.bincount(labels[some_rows(labels, 0.1)]).tolist()
    [3, 7]
    """
    classes = np.unique(labels)
    place = np.empty(len(labels))  # 0...1: how much of the image's class comes before it
    for label in classes:
        own = np.flatnonzero(labels == label)
        order = random.generator("some images", int(label), len(labels)).permutation(own)
        place[order] = np.arange(len(own)) / len(own)
    count = max(len(classes), round(share * len(labels)))
    return np.sort(np.argsort(place, kind="stable")[:count])


def limited_files(files: SplitFiles, images: int) -> SplitFiles:
    """Return a share of the files of each split: `images` of the training images; 0: all."""
    share = share_of(files.train.labels, images)
    if share == 1:
        return files

    def some(one: ImageList) -> ImageList:
        return one.pick(some_rows(one.labels, share))

    validation = None if files.validation is None else some(files.validation)
    return SplitFiles(some(files.train), validation, some(files.test))
