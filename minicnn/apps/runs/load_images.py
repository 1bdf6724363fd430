"""Load a folder, an archive or a list of files as three splits of images in memory.

`split_files` describes the folders and lists that can be loaded, `published` the archives.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from minicnn import random
from minicnn.apps.runs.fold_images import fold_files
from minicnn.apps.runs.image_splits import NO_IMAGES, ImageSplits, Skipped, Split
from minicnn.apps.runs.limit_images import limited_files
from minicnn.apps.runs.published import chosen_images, is_published, own_digits, read_published
from minicnn.apps.runs.settings import Settings
from minicnn.apps.runs.split_files import (
    NEEDED,
    FoundFiles,
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
from minicnn.errors import ArgumentError


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
    test = found.files.test
    if test.class_names != list(class_names):
        raise ArgumentError(
            f"{settings.data} has the classes {test.class_names} now, but the model was "
            f"trained on {list(class_names)}; give the folder of the test images"
        )
    return _read_test_files(test, preprocess, say, settings.allow_unreadable)


def load_test_folder(
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
    if is_published(folder):
        return read_published(folder, say, preprocess).test, []
    if not folder.is_dir():
        raise missing(folder, "there is no such folder. Give a folder with one folder per class")
    inner = split_folder(folder, TEST)
    if inner is not None:
        say(f"Using the images in {inner}")
    images = list_folder(inner or folder, list(class_names))
    return _read_test_files(images, preprocess, say, allow_unreadable)


def read_split(
    images: ImageList, preprocess: Preprocess, skipped: Skipped, say: Say, share: float
) -> Split:
    """Read the files of a split into memory; those that cannot be read are added to `skipped`.

    Raises
    ------
    UnreadableImagesError : more than this share of them cannot be read
    """
    progress = throttled_progress(say, "Reading images")
    pixels, kept, failures = read_images(images.paths, **preprocess.reading, progress=progress)
    check_unreadable(failures, len(images.paths), share, images.root)
    skipped += [(shown_name(path, images.root), reason) for path, reason in failures]
    files = [shown_name(images.paths[i], images.root) for i in kept]
    return Split(pixels, images.labels[kept], files)


def shown_name(path: Path, root: Path) -> str:
    """Return the file's name as reports show it, relative to the folder of its split."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def _find(
    settings: Settings, preprocess: Preprocess, say: Say, *, any_shape: bool = False
) -> ImageSplits | FoundFiles:
    """Find the images of `settings.data`; those in an archive or in the package are loaded."""
    if not settings.data and settings.model.startswith("lenet"):
        return chosen_images(own_digits(), settings)
    path = Path(settings.data)
    if not path.exists():
        raise missing(path, f"does not exist. {NEEDED}")
    if is_published(path):
        images = read_published(path, say, None if any_shape else preprocess)
        return chosen_images(images, settings)
    if not path.is_dir():
        raise missing(path, f"is neither a folder nor an archive of CIFAR-10. {NEEDED}")
    if settings.fold:
        files, left_alone = fold_files(path, settings)
    else:
        files, left_alone = split_files(path, settings), 0
    return FoundFiles(limited_files(files, settings.images), left_alone)


def _read(files: SplitFiles, preprocess: Preprocess, settings: Settings, say: Say) -> ImageSplits:
    """Read every file once, and report those that cannot be read."""
    skipped: Skipped = []

    def read(images: ImageList) -> Split:
        return read_split(images, preprocess, skipped, say, settings.allow_unreadable)

    needed_mb = len(files.train.paths) * int(np.prod(preprocess.image_shape)) / 1e6
    if needed_mb > settings.memory_mb:
        say(f"The {needed_mb:,.0f} MB of training images are read from disk in every epoch")
        train = _on_disk(files.train)
    else:
        train = read(files.train)
    test = read(files.test)
    validation = test if files.validation is None else read(files.validation)
    if skipped:
        path, reason = skipped[0]
        say(
            f"Skipped {len(skipped)} unreadable images, such as {path} ({reason}); report.json "
            "lists them all. To examine them: minicnn data check"
        )
    shared = files.validation is None
    return ImageSplits(train, validation, test, files.train.class_names, skipped, shared)


def _on_disk(images: ImageList) -> Split:
    """Return a split whose images are read in every epoch."""
    names = [shown_name(path, images.root) for path in images.paths]
    return Split(NO_IMAGES, images.labels, names, images)


def _read_test_files(
    images: ImageList, preprocess: Preprocess, say: Say, share: float
) -> tuple[Split, Skipped]:
    say(list_found_text(images))
    skipped: Skipped = []
    return read_split(images, preprocess, skipped, say, share), skipped
