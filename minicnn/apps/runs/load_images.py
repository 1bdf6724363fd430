"""Load a folder, an archive or a list of files as three splits of images in memory.

Besides the layouts that `split_files` describes, these are read in their published form:

DIR/train-images-idx3-ubyte(.gz) ...                       MNIST's four files
cifar10.tar.xz, DIR/data_batch_1.bin, DIR/data_batch_1     CIFAR-10
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minicnn import random
from minicnn.apps.runs.fold_images import fold_files, fold_rows
from minicnn.apps.runs.limit_images import limited_files, share_of, some_rows
from minicnn.apps.runs.settings import Settings
from minicnn.apps.runs.split_files import (
    NEEDED,
    SplitFiles,
    found_text,
    missing,
    new_files,
    split_files,
)
from minicnn.apps.runs.throttled_progress import Say, throttled_progress
from minicnn.data.folder_layouts import TEST, split_folder
from minicnn.data.folders import list_folder
from minicnn.data.image_list import ImageList
from minicnn.data.image_list import found_text as list_found_text
from minicnn.data.images import read_images
from minicnn.data.preprocess import Preprocess
from minicnn.data.unreadable import ALLOWED_SHARE, check_unreadable
from minicnn.datasets import cifar10, mnist
from minicnn.errors import ArgumentError

DIGITS = tuple(map(str, range(10)))
NO_IMAGES = np.empty((0, 0, 0, 0), np.uint8)
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


class ImageSplits(NamedTuple):
    """All images of a training, and the files that were left out."""

    train: Split
    validation: Split
    test: Split
    class_names: list[str]
    skipped: Skipped
    shared: bool  # whether the test images are also the validation images, as in the papers
    left_alone: int = 0  # test images of the data that a cross-validation does not use


def load_images(
    settings: Settings,
    preprocess: Preprocess,
    say: Say,
    known: Collection[str] = (),
    *,
    any_shape: bool = False,
) -> ImageSplits:
    """Find the images of `settings.data` and read them at the size that the network takes.

    With `settings.fold`, they are those of that fold's run, which `fold_images` describes. With
    `any_shape`, MNIST and CIFAR-10 in their published form keep their own. Files whose real path
    is in `known` are left out.

    Raises
    ------
    FileNotFoundError
        The folder or the images in it do not exist.
    ArgumentError
        There is only one class, or only one of train/ and test/, or no image that is not known.
    UnreadableImagesError
        More images cannot be read than the settings allow.
    """
    found = _find(settings, preprocess, say, any_shape=any_shape)
    if isinstance(found, ImageSplits):
        return found
    files, left_alone = found
    if known:
        files = new_files(files, known, say)
    say(found_text(files))
    return _read(files, preprocess, settings, say)._replace(left_alone=left_alone)


def load_test_images(
    settings: Settings, preprocess: Preprocess, class_names: Sequence[str], say: Say
) -> tuple[Split, Skipped]:
    """Load only the test images of a training with these settings.

    The errors are those of `load_images`; a folder that has other classes now is one too.
    """
    with random.seeded(settings.seed):  # which the split of a folder depends on
        found = _find(settings, preprocess, say)
    if isinstance(found, ImageSplits):
        return found.test, []
    test = found[0].test
    if test.class_names != list(class_names):
        raise ArgumentError(
            f"{settings.data} has the classes {test.class_names} now, but the model was "
            f"trained on {list(class_names)}; give the folder of the test images"
        )
    say(list_found_text(test))
    skipped: Skipped = []
    share = settings.allow_unreadable
    return read_split(test, preprocess, skipped, say, share), skipped


def _find(
    settings: Settings, preprocess: Preprocess, say: Say, *, any_shape: bool = False
) -> ImageSplits | tuple[SplitFiles, int]:
    """Find the images of `settings.data`; those in an archive or in the package are loaded.

    The number is that of the test images that a cross-validation leaves alone.
    """
    if not settings.data and settings.model.startswith("lenet"):
        return _chosen_arrays(_splits_of_arrays(mnist.load_data(), DIGITS), settings)
    path = Path(settings.data)
    if not path.exists():
        raise missing(path, f"does not exist. {NEEDED}")
    if is_published(path):
        published = _read_published(path, say)
        if not any_shape:
            _check_shape(published, path, preprocess)
        return _chosen_arrays(published, settings)
    if not path.is_dir():
        raise missing(path, f"is neither a folder nor an archive of CIFAR-10. {NEEDED}")
    if settings.fold:
        files, left_alone = fold_files(path, settings)
    else:
        files, left_alone = split_files(path, settings), 0
    return limited_files(files, settings.images), left_alone


def load_in_memory(
    settings: Settings, preprocess: Preprocess, say: Say, *, any_shape: bool = False
) -> ImageSplits:
    """Load the splits that a training with these settings uses; all images must fit in memory.

    The global seed is set to that of the settings, as it decides which images these are.
    """
    random.set_random_seed(settings.seed)
    images = load_images(settings, preprocess, say, any_shape=any_shape)
    if images.train.on_disk is not None:
        raise ArgumentError(
            "the training images do not fit into memory; try a smaller --image-size"
        )
    return images


def load_test_split(
    folder: Path,
    preprocess: Preprocess,
    class_names: Sequence[str],
    say: Say,
    allow_unreadable: float = ALLOWED_SHARE,
) -> tuple[Split, Skipped]:
    """Load the images of these classes from a folder, or from its test split if it has one.

    Raises
    ------
    UnreadableImagesError : more than the share `allow_unreadable` of them cannot be read
    """
    published = load_published(folder, preprocess, say) if folder.exists() else None
    if published is not None:
        return published.test, []
    if not folder.is_dir():
        raise missing(folder, "there is no such folder. Give a folder with one folder per class")
    inner = split_folder(folder, TEST)
    if inner is not None:
        say(f"Using the images in {inner}")
    images = list_folder(inner or folder, list(class_names))
    say(list_found_text(images))
    skipped: Skipped = []
    return read_split(images, preprocess, skipped, say, allow_unreadable), skipped


def load_published(path: Path, preprocess: Preprocess, say: Say) -> ImageSplits | None:
    """Load MNIST or CIFAR-10 in its published form; return None if `path` is neither.

    Raises
    ------
    ArgumentError : the images have another shape than `preprocess` asks for
    """
    if not is_published(path):
        return None
    found = _read_published(path, say)
    _check_shape(found, path, preprocess)
    return found


def is_published(path: Path) -> bool:
    """Return whether the path holds MNIST or CIFAR-10 in its published form."""
    return (path.is_dir() and any(path.glob("*-idx3-ubyte*"))) or is_cifar10(path)


def is_cifar10(path: Path) -> bool:
    """Return whether the path holds CIFAR-10 in its published form."""
    batches = ("data_batch_1", "data_batch_1.bin")
    return (path.is_file() and ".tar" in path.name) or any((path / n).exists() for n in batches)


def _read_published(path: Path, say: Say) -> ImageSplits:
    """Read MNIST or CIFAR-10, whatever shape the images have."""
    if is_cifar10(path):
        progress = throttled_progress(say, f"Reading {path.name}, bytes")
        arrays, names = cifar10.load_data(path, progress=progress), list(cifar10.CLASS_NAMES)
    else:
        arrays, names = mnist.load_data(path), list(DIGITS)
    return _splits_of_arrays(arrays, names)


def _check_shape(found: ImageSplits, path: Path, preprocess: Preprocess) -> None:
    shape = found.train.images.shape[1:]
    if shape != preprocess.image_shape:
        raise ArgumentError(
            f"{path} has images of {shape}, but the network takes {preprocess.image_shape}; use "
            f"--image-size {shape[0]} {shape[1]} or another --model"
        )


def _read(files: SplitFiles, preprocess: Preprocess, settings: Settings, say: Say) -> ImageSplits:
    """Read every file once, and report those that cannot be read."""
    skipped: Skipped = []
    share = settings.allow_unreadable
    needed_mb = len(files.train.paths) * int(np.prod(preprocess.image_shape)) / 1e6
    if needed_mb > settings.memory_mb:
        say(f"The {needed_mb:,.0f} MB of training images are read from disk in every epoch")
        names = [shown_name(path, files.train.root) for path in files.train.paths]
        train = Split(NO_IMAGES, files.train.labels, names, files.train)
    else:
        train = read_split(files.train, preprocess, skipped, say, share)
    test = read_split(files.test, preprocess, skipped, say, share)
    shared = files.validation is None
    validation = test
    if files.validation is not None:
        validation = read_split(files.validation, preprocess, skipped, say, share)
    if skipped:
        path, reason = skipped[0]
        say(
            f"Skipped {len(skipped)} unreadable images, such as {path} ({reason}); report.json "
            "lists them all. To examine them: minicnn data check"
        )
    return ImageSplits(train, validation, test, files.train.class_names, skipped, shared)


def read_split(
    images: ImageList, preprocess: Preprocess, skipped: Skipped, say: Say, share: float
) -> Split:
    """Read the files of a split into memory; those that cannot be read are added to `skipped`."""
    progress = throttled_progress(say, "Reading images")
    pixels, kept, failures = read_images(images.paths, **preprocess.reading, progress=progress)
    check_unreadable(failures, len(images.paths), share, images.root)
    skipped += [(shown_name(path, images.root), reason) for path, reason in failures]
    files = [shown_name(images.paths[i], images.root) for i in kept]
    return Split(pixels, images.labels[kept], files)


def shown_name(path: Path, root: Path) -> str:
    """Return the file's name as reports show it, relative to the folder of its split."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


Arrays = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def _splits_of_arrays(arrays: Arrays, class_names: Sequence[str]) -> ImageSplits:
    """Wrap arrays, which come without files and without validation images."""
    train, test = (
        Split(x[..., None] if x.ndim == 3 else x, np.ravel(y).astype(np.int64), [])
        for x, y in arrays
    )
    return ImageSplits(train, test, test, list(class_names), [], shared=True)


def _chosen_arrays(images: ImageSplits, settings: Settings) -> ImageSplits:
    """Return as many images as the settings name, and of them those of the settings' fold."""
    return _fold_of_arrays(_limited(images, settings.images), settings)


def _fold_of_arrays(images: ImageSplits, settings: Settings) -> ImageSplits:
    """Return the images of the settings' fold, which divides the training images; or all."""
    if not settings.fold:
        return images
    if settings.group_by:
        raise ArgumentError("group_by searches the names of files, and these images have none")
    names, alone = images.class_names, images.test.total
    parts = fold_rows(images.train.labels, names, settings)
    train, validation, test = (_rows(images.train, rows) for rows in parts)
    return ImageSplits(train, validation, test, names, [], shared=False, left_alone=alone)


def _rows(split: Split, rows: np.ndarray) -> Split:
    """Return some images of an archive, which keep their numbers in it as names."""
    return Split(split.images[rows], split.labels[rows], [f"image {row}" for row in rows])


def _limited(splits: ImageSplits, images: int) -> ImageSplits:
    """Return a share of the images of each split: `images` of the training images; 0: all."""
    share = share_of(splits.train.labels, images)
    if share == 1:
        return splits
    train, test = (_some_of(split, share) for split in (splits.train, splits.test))
    return splits._replace(train=train, validation=test, test=test)


def _some_of(split: Split, share: float) -> Split:
    rows = some_rows(split.labels, share)
    return Split(split.images[rows], split.labels[rows], [])
