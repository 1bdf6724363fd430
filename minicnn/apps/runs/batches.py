"""Batches for `fit`: the images of a part in memory, made ready as the model file says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minicnn import random
from minicnn.apps.runs.load_images import Part
from minicnn.apps.runs.settings import Settings
from minicnn.data import RandomShift
from minicnn.data.directory import DirectoryBatches
from minicnn.data.folders import ImageList
from minicnn.data.generator import ImageDataGenerator
from minicnn.data.preprocess import Preprocess
from minicnn.errors import ArgumentError

Pair = tuple[np.ndarray, np.ndarray]


class Prepared:
    """The images in batches (x float32, labels); the order is a function of (seed, epoch) alone."""

    def __init__(
        self, part: Part, preprocess: Preprocess, batch_size: int, *, shuffle: bool = False
    ) -> None:
        self.part, self.preprocess = part, preprocess
        self.batch_size, self.shuffle = batch_size, shuffle

    def __len__(self) -> int:
        """Batches in an epoch."""
        return -(-self.part.total // self.batch_size)

    def for_epoch(self, epoch: int) -> Iterator[Pair]:
        """The batches of one epoch."""
        count = self.part.total
        order = np.arange(count)
        if self.shuffle:
            order = random.epoch_order(count, epoch)
        for start in range(0, count, self.batch_size):
            rows = order[start : start + self.batch_size]
            yield self.preprocess(self.part.images[rows]), self.part.labels[rows]


class Rescaled:
    """Batches of another source, its images 0...255, made ready."""

    def __init__(self, source: Any, preprocess: Preprocess) -> None:
        self.source, self.preprocess = source, preprocess

    def __len__(self) -> int:
        """Batches in an epoch."""
        return len(self.source)

    def for_epoch(self, epoch: int) -> Iterator[Pair]:
        """The batches of one epoch."""
        for x, y in self.source.for_epoch(epoch):
            yield self.preprocess(x), y


def training_batches(part: Part, settings: Settings, preprocess: Preprocess) -> Any:
    """What the training looks at: shuffled, and augmented if the settings say so."""
    size = settings.batch_size
    if settings.shift and settings.augmentation:
        raise ArgumentError(
            "shift moves whole pixels and is for training without [augmentation]; there it is "
            "width_shift_range and height_shift_range"
        )
    if part.listing is not None:
        return from_files(part.listing, settings, preprocess)
    if settings.shift:
        return Rescaled(RandomShift(part.images, part.labels, size, settings.shift), preprocess)
    if settings.augmentation and preprocess.background:
        generator = ImageDataGenerator(**settings.augmentation)
        return Rescaled(generator.flow(part.images, part.labels, batch_size=size), preprocess)
    if settings.augmentation:
        # The generator multiplies in its one pass over the pixels.
        generator = ImageDataGenerator(**settings.augmentation, rescale=preprocess.scale)
        batches = generator.flow(part.images, part.labels, batch_size=size)
        normalized = preprocess.mean or preprocess.std
        return Rescaled(batches, preprocess._replace(scale=1.0)) if normalized else batches
    return Prepared(part, preprocess, size, shuffle=True)


def from_files(listing: ImageList, settings: Settings, preprocess: Preprocess) -> Any:
    """Such batches too, their images read while the network trains."""
    generator = ImageDataGenerator(**settings.augmentation)
    batches = DirectoryBatches(
        listing,
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
    return Rescaled(batches, preprocess)
