"""The features that a frozen base finds in images: they are computed once, for all epochs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minicnn import random
from minicnn.apps.runs.image_splits import Split
from minicnn.apps.runs.throttled_progress import Say, throttled_progress
from minicnn.data.images import read_images
from minicnn.data.preprocess import Preprocess
from minicnn.data.unreadable import check_unreadable
from minicnn.models import Model

BATCH = 32  # images at once: their activations stay in the processor's cache


class Features(NamedTuple):
    """The features of some images, and their labels."""

    values: np.ndarray  # float32 (N, C)
    labels: np.ndarray  # (N,)

    def batches(self, batch_size: int, *, shuffle: bool = False) -> FeatureBatches:
        """Return them as batches for `fit`."""
        return FeatureBatches(self, batch_size, shuffle)


class FeatureBatches:
    """Batches (features, labels) whose order depends on the seed and epoch alone."""

    def __init__(self, features: Features, batch_size: int, shuffle: bool) -> None:
        self.features, self.batch_size, self.shuffle = features, batch_size, shuffle

    def __len__(self) -> int:
        """Return the number of batches per epoch."""
        return -(-len(self.features.labels) // self.batch_size)

    def for_epoch(self, epoch: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the batches of one epoch."""
        values, labels = self.features
        order = np.arange(len(labels))
        if self.shuffle:
            order = random.epoch_order(len(labels), epoch)
        for start in range(0, len(labels), self.batch_size):
            rows = order[start : start + self.batch_size]
            yield values[rows], labels[rows]


def compute_features(
    base: Model,
    split: Split,
    preprocess: Preprocess,
    say: Say,
    *,
    what: str,
    allow_unreadable: float,
) -> Features:
    """Return the base's features of all images of a split, in memory or on disk.

    Parameters
    ----------
    base : the network from images to features
    split, preprocess : the images, and how they are scaled for the base
    say : called with the progress; `what` names the images, such as "training"
    allow_unreadable : the share of files on disk that may be unreadable

    Raises
    ------
    UnreadableImagesError : more of the files on disk cannot be read
    """
    progress = throttled_progress(say, f"Computing the features of {what} images")
    features, labels = [], []
    for images, rows in _batches(split, preprocess, allow_unreadable):
        features.append(base.predict_on_batch(preprocess(images)))
        labels.append(split.labels[rows])
        progress(int(rows[-1]) + 1, split.total)
    return Features(np.concatenate(features), np.concatenate(labels))


def _batches(
    split: Split, preprocess: Preprocess, share: float
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield images and their indices in the split, without those that cannot be read."""
    failures: list[tuple[Path, str]] = []
    for start in range(0, split.total, BATCH):
        rows = np.arange(start, min(start + BATCH, split.total))
        if split.on_disk is None:
            yield split.images[rows], rows
            continue
        paths = [split.on_disk.paths[row] for row in rows]
        images, kept, failed = read_images(paths, **preprocess.reading)
        failures += failed
        check_unreadable(failures, split.total, share, split.on_disk.root)
        if len(kept):
            yield images, rows[kept]
