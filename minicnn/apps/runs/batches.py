"""Batches for `fit`: the images of a split, preprocessed and, for training, augmented."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minicnn import random
from minicnn.apps.runs.image_splits import Split
from minicnn.apps.runs.settings import Settings
from minicnn.data import RandomShift
from minicnn.data.directory import DirectoryBatches
from minicnn.data.generator import ImageDataGenerator
from minicnn.data.image_list import ImageList
from minicnn.data.own_rows import own_rows
from minicnn.data.preprocess import Preprocess
from minicnn.errors import ArgumentError

# Pixels per batch at most: 32 images of 512 x 512 x 3 take 100 MB as float32.
MAX_PIXELS = 32 * 512 * 512

# How the arguments of ImageDataGenerator begin that change the scale of the pixels.
SCALING = ("rescale", "samplewise_", "featurewise_", "zca_")

Pair = tuple[np.ndarray, np.ndarray]


class PreparedBatches:
    """Preprocessed batches (x float32, labels) whose order depends on the seed and epoch alone."""

    prepares_own_rows = True

    def __init__(
        self, split: Split, preprocess: Preprocess, batch_size: int, *, shuffle: bool = False
    ) -> None:
        self.split, self.preprocess = split, preprocess
        self.batch_size, self.shuffle = batch_size, shuffle

    def __len__(self) -> int:
        """Return the number of batches per epoch."""
        return -(-self.split.total // self.batch_size)

    def for_epoch(self, epoch: int) -> Iterator[Pair]:
        """Yield the batches of one epoch."""
        count = self.split.total
        order = np.arange(count)
        if self.shuffle:
            order = random.epoch_order(count, epoch)
        for start in range(0, count, self.batch_size):
            rows = order[start : start + self.batch_size]
            own = own_rows(len(rows))
            x = self.preprocess(self.split.images[rows[own]])
            yield in_whole_batch(x, own, len(rows)), self.split.labels[rows]


class PreprocessedBatches:
    """The batches of another source, whose images of 0...255 are preprocessed."""

    prepares_own_rows = True

    def __init__(self, source: Any, preprocess: Preprocess) -> None:
        self.source, self.preprocess = source, preprocess

    def __len__(self) -> int:
        """Return the number of batches per epoch."""
        return len(self.source)

    def for_epoch(self, epoch: int) -> Iterator[Pair]:
        """Yield the batches of one epoch."""
        for x, y in self.source.for_epoch(epoch):
            own = own_rows(len(x))
            yield in_whole_batch(self.preprocess(x[own]), own, len(x)), y


def in_whole_batch(x: np.ndarray, own: slice, size: int) -> np.ndarray:
    """Return a batch with the images `x` in these rows, and zeros in those of other processes."""
    if own.stop - own.start == size:
        return x
    batch = np.zeros((size, *x.shape[1:]), x.dtype)
    batch[own] = x
    return batch


def training_batches(split: Split, settings: Settings, preprocess: Preprocess) -> Any:
    """Return shuffled batches for training, augmented if the settings say so."""
    _check_augmentation(settings)
    if split.on_disk is not None:
        return batches_from_files(split.on_disk, settings, preprocess)
    if settings.shift:
        shifted = RandomShift(split.images, split.labels, settings.batch_size, settings.shift)
        return PreprocessedBatches(shifted, preprocess)
    if settings.augmentation:
        return _augmented(split, settings, preprocess)
    return PreparedBatches(split, preprocess, settings.batch_size, shuffle=True)


def _check_augmentation(settings: Settings) -> None:
    """Refuse what changes the scale of pixels: validation and test images would not get it."""
    wrong = [name for name in settings.augmentation if name.startswith(SCALING)]
    if wrong:
        raise ArgumentError(
            f"[augmentation] cannot have {', '.join(wrong)}: images for validation and test would "
            "have another scale. Use the setting normalize = true, or --normalize"
        )
    if settings.shift and settings.augmentation:
        raise ArgumentError(
            "shift moves images by whole pixels and cannot be combined with [augmentation]; use "
            "its width_shift_range and height_shift_range"
        )


def _augmented(split: Split, settings: Settings, preprocess: Preprocess) -> Any:
    """Return augmented batches, if possible rescaled in the same pass over the pixels."""
    rescale = None if preprocess.background else preprocess.scale
    generator = ImageDataGenerator(**settings.augmentation, rescale=rescale)
    batches = generator.flow(split.images, split.labels, batch_size=settings.batch_size)
    if rescale is None:
        return PreprocessedBatches(batches, preprocess)
    if preprocess.mean or preprocess.std:
        return PreprocessedBatches(batches, preprocess._replace(scale=1.0))
    return batches


def batches_from_files(images: ImageList, settings: Settings, preprocess: Preprocess) -> Any:
    """Return training batches whose images are read from their files during the training."""
    generator = ImageDataGenerator(**settings.augmentation)
    batches = DirectoryBatches(
        images,
        preprocess.size,
        preprocess.color_mode,
        settings.batch_size,
        "sparse",
        interpolation=preprocess.interpolation,
        upright=preprocess.upright,
        allow_unreadable=settings.allow_unreadable,
        prepare=generator.preparation() if settings.augmentation else None,
        dtype="float32" if settings.augmentation else "uint8",
        verbose=False,
    )
    return PreprocessedBatches(batches, preprocess)


def evaluation_batch_size(preprocess: Preprocess) -> int:
    """Return the number of images per batch where nothing is learned: 250, or fewer large ones."""
    h, w, _ = preprocess.image_shape
    return max(1, min(250, MAX_PIXELS // (h * w)))
