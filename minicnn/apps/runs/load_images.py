"""From a folder, an archive or a list of files to images in memory, in three parts.

Besides the layouts of `layouts.py` there may be

DIR/train-images-idx3-ubyte(.gz) ...                       MNIST's four files
cifar10.tar.xz, DIR/data_batch_1.bin, DIR/data_batch_1     CIFAR-10 in its published forms
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minicnn import random
from minicnn.apps.runs.settings import Settings
from minicnn.apps.runs.split_files import NEEDED, Listing, find_lists, found_text, missing
from minicnn.apps.runs.telling import Say, telling
from minicnn.data.folder_layouts import TEST, split_folder
from minicnn.data.folders import ImageList, list_folder
from minicnn.data.folders import found_text as found_one
from minicnn.data.images import read_images
from minicnn.data.preprocess import Preprocess
from minicnn.data.unreadable import ALLOWED_SHARE, check_unreadable
from minicnn.datasets import cifar10, mnist
from minicnn.errors import ArgumentError

DIGITS = tuple(map(str, range(10)))
NO_IMAGES = np.empty((0, 0, 0, 0), np.uint8)
Skipped = list[tuple[str, str]]  # files that could not be read, and why


class Part(NamedTuple):
    """Images uint8 (N, H, W, C), labels (N,), and the file that each came from, if any did.

    Where all of them would not fit in memory, `images` is empty and `listing` says what to read.
    """

    images: np.ndarray
    labels: np.ndarray
    files: list[str]
    listing: ImageList | None = None

    @property
    def total(self) -> int:
        """So many images."""
        return len(self.labels)


class Images(NamedTuple):
    """All that a training looks at."""

    train: Part
    validation: Part
    test: Part
    class_names: list[str]
    skipped: Skipped
    shared: bool  # are the test images the validation too, as in the papers?


def load_images(settings: Settings, preprocess: Preprocess, say: Say) -> Images:
    """Find the images of `settings.data` and read them, at the size that the network wants.

    Raises
    ------
    FileNotFoundError
        There is nothing there, or there are no images.
    ArgumentError
        There are images, but not as a training needs them: one class, one part.
    UnreadableImagesError
        More of them cannot be read than the settings allow.
    """
    if not settings.data and settings.model.startswith("lenet"):
        return _as_images(mnist.load_data(), DIGITS)
    path = Path(settings.data)
    if not path.exists():
        raise missing(path, f"is not there. {NEEDED}")
    found = known_set(path, preprocess, say)
    if found is not None:
        return found
    if not path.is_dir():
        raise missing(path, f"is a file, and no archive of CIFAR-10. {NEEDED}")
    listing = find_lists(path, settings)
    say(found_text(listing))
    return _read(listing, preprocess, settings, say)


def load_in_memory(settings: Settings, preprocess: Preprocess, say: Say) -> Images:
    """The same for those who cannot do with less than all of them, in the parts that `run` has."""
    random.set_random_seed(settings.seed)
    images = load_images(settings, preprocess, say)
    if images.train.listing is not None:
        raise ArgumentError(
            "the training images do not fit into memory; try a smaller --image-size"
        )
    return images


def load_test_part(
    folder: Path,
    preprocess: Preprocess,
    names: Sequence[str],
    say: Say,
    allow_unreadable: float = ALLOWED_SHARE,
) -> tuple[Part, Skipped]:
    """The images of these classes in a folder, or in its test part; and what cannot be read.

    Raises
    ------
    UnreadableImagesError : more than the share `allow_unreadable` of them cannot be read
    """
    known = known_set(folder, preprocess, say) if folder.exists() else None
    if known is not None:
        return known.test, []
    if not folder.is_dir():
        raise missing(folder, "there is no such folder. Needed is one with a folder a class")
    inner = split_folder(folder, TEST)
    if inner is not None:
        say(f"Taking the images in {inner}")
    images = list_folder(inner or folder, list(names))
    say(found_one(images))
    skipped: Skipped = []
    return _part(images, preprocess, skipped, say, allow_unreadable), skipped


def known_set(path: Path, preprocess: Preprocess, say: Say) -> Images | None:
    """MNIST or CIFAR-10 in the form in which they are published; None if `path` is neither."""
    if not is_published(path):
        return None
    if _is_cifar10(path):
        progress = telling(say, f"Reading {path.name}, bytes")
        arrays, names = cifar10.load_data(path, progress=progress), list(cifar10.CLASS_NAMES)
    else:
        arrays, names = mnist.load_data(path), list(DIGITS)
    found = _as_images(arrays, names)
    shape = found.train.images.shape[1:]
    if shape != preprocess.image_shape:
        raise ArgumentError(
            f"{path} has images of {shape}, and the network is to get {preprocess.image_shape}; "
            f"say --image-size {shape[0]} {shape[1]}, or take another --model"
        )
    return found


def is_published(path: Path) -> bool:
    """Is it MNIST or CIFAR-10 as published, whose classes are known, and no folder of classes?"""
    return (path.is_dir() and any(path.glob("*-idx3-ubyte*"))) or _is_cifar10(path)


def _is_cifar10(path: Path) -> bool:
    """An archive, or a folder of batches; class folders are read as any others."""
    batches = ("data_batch_1", "data_batch_1.bin")
    return (path.is_file() and ".tar" in path.name) or any((path / n).exists() for n in batches)


def _read(listing: Listing, preprocess: Preprocess, settings: Settings, say: Say) -> Images:
    """Read all files, each once; those that cannot be read are counted and named."""
    skipped: Skipped = []
    share = settings.allow_unreadable
    needed_mb = len(listing.train.paths) * int(np.prod(preprocess.image_shape)) / 1e6
    if needed_mb > settings.memory_mb:
        say(f"{needed_mb:,.0f} MB of training images are read anew in every epoch")
        files = [_name(path, listing.train.root) for path in listing.train.paths]
        train = Part(NO_IMAGES, listing.train.labels, files, listing.train)
    else:
        train = _part(listing.train, preprocess, skipped, say, share)
    test = _part(listing.test, preprocess, skipped, say, share)
    shared = listing.validation is None
    validation = test
    if listing.validation is not None:
        validation = _part(listing.validation, preprocess, skipped, say, share)
    if skipped:
        path, reason = skipped[0]
        say(
            f"Skipped {len(skipped)} that cannot be read, as {path} ({reason}); report.json names "
            "all of them. Look: minicnn data check"
        )
    return Images(train, validation, test, listing.train.class_names, skipped, shared)


def _part(
    images: ImageList, preprocess: Preprocess, skipped: Skipped, say: Say, share: float
) -> Part:
    progress = telling(say, "Reading images")
    pixels, kept, failures = read_images(images.paths, **preprocess.reading, progress=progress)
    check_unreadable(failures, len(images.paths), share, images.root)
    skipped += [(_name(path, images.root), reason) for path, reason in failures]
    files = [_name(images.paths[i], images.root) for i in kept]
    return Part(pixels, images.labels[kept], files)


def _name(path: Path, root: Path) -> str:
    """The file as a report names it: from the part's folder on."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


Arrays = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def _as_images(arrays: Arrays, names: Sequence[str]) -> Images:
    """Data that comes as arrays: it has no files, and its test images validate too."""
    train, test = (
        Part(x[..., None] if x.ndim == 3 else x, np.ravel(y).astype(np.int64), [])
        for x, y in arrays
    )
    return Images(train, test, test, list(names), [], shared=True)
