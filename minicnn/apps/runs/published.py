"""MNIST and CIFAR-10 in their published form: images in arrays, without a file for each.

DIR/train-images-idx3-ubyte(.gz) ...                       MNIST's four files
cifar10.tar.xz, DIR/data_batch_1.bin, DIR/data_batch_1     CIFAR-10
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from minicnn.apps.runs.fold_images import fold_rows
from minicnn.apps.runs.image_splits import ImageSplits, Split
from minicnn.apps.runs.limit_images import share_of, some_rows
from minicnn.apps.runs.settings import Settings
from minicnn.apps.runs.throttled_progress import Say, throttled_progress
from minicnn.data.preprocess import Preprocess
from minicnn.datasets import cifar10, mnist
from minicnn.errors import ArgumentError

DIGITS = tuple(map(str, range(10)))
Arrays = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def is_published(path: Path) -> bool:
    """Return whether the path holds MNIST or CIFAR-10 in its published form."""
    return (path.is_dir() and any(path.glob("*-idx3-ubyte*"))) or is_cifar10(path)


def is_cifar10(path: Path) -> bool:
    """Return whether the path holds CIFAR-10 in its published form."""
    batches = ("data_batch_1", "data_batch_1.bin")
    return (path.is_file() and ".tar" in path.name) or any((path / n).exists() for n in batches)


def read_published(path: Path, say: Say, preprocess: Preprocess | None = None) -> ImageSplits:
    """Read MNIST or CIFAR-10.

    Raises
    ------
    ArgumentError : the images have another shape than `preprocess`, if given, asks for
    """
    if is_cifar10(path):
        progress = throttled_progress(say, f"Reading {path.name}, bytes")
        arrays, names = cifar10.load_data(path, progress=progress), list(cifar10.CLASS_NAMES)
    else:
        arrays, names = mnist.load_data(path), list(DIGITS)
    images = _splits_of(arrays, names)
    shape = images.train.images.shape[1:]
    if preprocess is not None and shape != preprocess.image_shape:
        raise ArgumentError(
            f"{path} has images of {shape}, but the network takes {preprocess.image_shape}; train "
            f"one with --image-size {shape[0]} {shape[1]}, or another --model"
        )
    return images


def own_digits() -> ImageSplits:
    """Return the MNIST that the package contains."""
    return _splits_of(mnist.load_data(), DIGITS)


def chosen_images(images: ImageSplits, settings: Settings) -> ImageSplits:
    """Return as many images as the settings name, and of them those of the settings' fold."""
    return _images_of_fold(_limited(images, settings.images), settings)


def _splits_of(arrays: Arrays, class_names: Sequence[str]) -> ImageSplits:
    """Wrap arrays, which come without files and without validation images."""
    train, test = (
        Split(x[..., None] if x.ndim == 3 else x, np.ravel(y).astype(np.int64), [])
        for x, y in arrays
    )
    return ImageSplits(train, test, test, list(class_names), [], shared=True)


def _limited(splits: ImageSplits, images: int) -> ImageSplits:
    """Return a share of the images of each split: `images` of the training images; 0: all."""
    share = share_of(splits.train.labels, images)
    if share == 1:
        return splits
    train, test = (
        split.pick(some_rows(split.labels, share)) for split in (splits.train, splits.test)
    )
    return splits._replace(train=train, validation=test, test=test)


def _images_of_fold(images: ImageSplits, settings: Settings) -> ImageSplits:
    """Return the images of the settings' fold, which divides the training images; or all."""
    if not settings.fold:
        return images
    if settings.group_by:
        raise ArgumentError("group_by searches the names of files, and these images have none")
    names, alone = images.class_names, images.test.total
    parts = fold_rows(images.train.labels, names, settings)
    train, validation, test = (_numbered(images.train, rows) for rows in parts)
    return ImageSplits(train, validation, test, names, [], shared=False, left_alone=alone)


def _numbered(split: Split, rows: np.ndarray) -> Split:
    """Return some images, whose names are their indices among all."""
    return split.pick(rows)._replace(files=[f"image {row}" for row in rows])
