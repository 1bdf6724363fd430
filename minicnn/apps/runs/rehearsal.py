"""The images that a run has learned from: a sample of them is learned again, so that the network
does not forget their classes, and its test images show whether it does.

They are found where the run found them, in the same splits, and a run that went on from another
one has that one's images, too. `keep` names a folder to take in their place.
"""

from __future__ import annotations

import errno
import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from minicnn import random
from minicnn.apps.runs.earlier_run import EarlierRun, find_run
from minicnn.apps.runs.folder import RunFolder
from minicnn.apps.runs.load_images import (
    NO_IMAGES,
    ImageSplits,
    Skipped,
    Split,
    is_published,
    load_images,
    read_split,
)
from minicnn.apps.runs.repeated_split import check_unchanged
from minicnn.apps.runs.settings import Settings
from minicnn.apps.runs.split_files import is_split, split_files
from minicnn.apps.runs.throttled_progress import Say
from minicnn.data.image_list import ImageList, few_of
from minicnn.data.preprocess import Preprocess
from minicnn.errors import ArgumentError

Part = ImageList | Split  # files that are not read yet, or images in memory
P = TypeVar("P", ImageList, Split)


class Source(NamedTuple):
    """A folder or archive that a run has learned from, and the settings that split it."""

    settings: Settings
    folder: RunFolder | None  # of the run, whose predictions.csv lists its test images


class KnownImages(NamedTuple):
    """The images of all sources, split as the runs split them; labels count the known classes."""

    train: list[Part]
    validation: list[Part]
    test: list[Part]

    @property
    def paths(self) -> frozenset[str]:
        """The real paths of all files."""
        return frozenset(
            os.path.realpath(path)
            for part in (*self.train, *self.validation, *self.test)
            if isinstance(part, ImageList)
            for path in part.paths
        )


def find_known(run: EarlierRun, settings: Settings, say: Say) -> KnownImages:
    """Find the images that the run has learned from, without reading files.

    Parameters
    ----------
    run : the run that goes on
    settings : those of the training that goes on; `keep` names other images than the run's own,
        and with `keep_per_class` 0 there need not be any
    say : called with messages about the progress

    Raises
    ------
    FileNotFoundError
        The images are gone, or a class has none; the error says what to type.
    ArgumentError
        The folder was split at random and has changed since, so its splits cannot be repeated.
    """
    known = KnownImages([], [], [])
    try:
        for source in _sources(run, settings):
            parts = _splits(source, run, say)
            for found, part in zip(known, parts, strict=True):
                found += [] if part is None else [part]
    except FileNotFoundError as err:
        if settings.keep or settings.keep_per_class:
            raise _gone(err, run, settings) from err
        say(f"The images of {run.name} are gone, so its accuracy on them cannot be measured.")
        return KnownImages([], [], [])
    return known


def read_known(known: KnownImages, run: EarlierRun, settings: Settings, say: Say) -> ImageSplits:
    """Read the test images, and a sample of `keep_per_class` images of each class of the others.

    `shared` of the result says that there are no validation images.

    Raises
    ------
    ArgumentError : a class has no training image, and `keep_per_class` is not 0
    UnreadableImagesError : more images cannot be read than the settings allow
    """
    skipped: Skipped = []
    train, validation, test = (
        _read(parts, run.preprocess, settings, skipped, say)
        for parts in (
            sample(known.train, settings.keep_per_class),
            sample(known.validation, settings.keep_per_class),
            known.test,
        )
    )
    lacking = [name for i, name in enumerate(run.class_names) if not (train.labels == i).any()]
    if lacking and settings.keep_per_class:
        raise ArgumentError(
            f"{settings.keep or run.name} has no training image of {few_of(lacking)}, which would "
            "be forgotten; --keep DIR must have a folder with images of every class of the run"
        )
    return ImageSplits(train, validation, test, run.class_names, skipped, not validation.total)


def sample(parts: Sequence[Part], per_class: int) -> list[Part]:
    """Return at most `per_class` images of each class, drawn at random with the seed."""
    labels = np.concatenate([np.zeros(0, np.int64), *(part.labels for part in parts)])
    chosen = [
        random.generator("keep", int(label)).permutation(np.flatnonzero(labels == label))[
            :per_class
        ]
        for label in np.unique(labels)
    ]
    rows = np.sort(np.concatenate([np.zeros(0, np.int64), *chosen]))
    ends = np.cumsum([len(part.labels) for part in parts])
    return [
        part.pick(rows[(rows >= end - len(part.labels)) & (rows < end)] - end + len(part.labels))
        for part, end in zip(parts, ends, strict=True)
    ]


def joined(splits: Sequence[Split]) -> Split:
    """Return the images of several splits in memory as one split."""
    filled = [split for split in splits if split.total]
    if not filled:
        return Split(NO_IMAGES, np.zeros(0, np.int64), [])
    return Split(
        np.concatenate([split.images for split in filled]),
        np.concatenate([split.labels for split in filled]),
        [file for split in filled for file in _file_names(split)],
    )


def relabeled(part: P, names: Sequence[str], wanted: Sequence[str]) -> P:
    """Return the images of the classes `wanted`, with labels that count these.

    `names` are the classes that the labels count now.
    """
    places = np.array([wanted.index(name) if name in wanted else -1 for name in names], np.int64)
    labels = places[part.labels]
    rows = np.flatnonzero(labels >= 0)
    return part.pick(rows)._replace(labels=labels[rows])


def _sources(run: EarlierRun, settings: Settings) -> list[Source]:
    """Return what the run has learned from: first what the runs that it went on from have."""
    before = run.settings
    if settings.keep:
        splitting = before or settings
        kept = splitting.changed(data=settings.keep, classes=tuple(run.class_names), start="")
        return [Source(kept, None)]
    if before is None:
        raise FileNotFoundError(errno.ENOENT, "is in no run folder", settings.start)
    if not before.start:
        return [Source(before.changed(classes=tuple(run.class_names)), run.folder)]
    return [*_sources(find_run(Path(before.start)), before), Source(before, run.folder)]


def _splits(source: Source, run: EarlierRun, say: Say) -> tuple[Part, Part | None, Part]:
    """Return the training, validation and test images of a source, without reading files."""
    settings, path = source.settings, Path(source.settings.data)
    if not settings.data or is_published(path):
        images = load_images(settings, run.preprocess, say)
        names = images.class_names
        train, test = (relabeled(s, names, run.class_names) for s in (images.train, images.test))
        return train, None, test
    if not path.is_dir():
        raise FileNotFoundError(errno.ENOENT, "is gone", settings.data)
    with random.seeded(settings.seed):
        files = split_files(path, settings)
    if source.folder is not None and not is_split(path):
        check_unchanged(files, source.folder, settings)
    validation = files.validation
    return (
        _known(files.train, run.class_names),
        None if validation is None else _known(validation, run.class_names),
        _known(files.test, run.class_names),
    )


def _known(images: ImageList, names: list[str]) -> ImageList:
    """Return the files of these classes, with labels that count them."""
    return relabeled(images, images.class_names, names)._replace(class_names=names)


def _read(
    parts: Sequence[Part], preprocess: Preprocess, settings: Settings, skipped: Skipped, say: Say
) -> Split:
    """Return the images of these parts as one split in memory."""
    share = settings.allow_unreadable
    filled = [part for part in parts if len(part.labels)]
    return joined(
        [
            read_split(part, preprocess, skipped, say, share)
            if isinstance(part, ImageList)
            else part
            for part in filled
        ]
    )


def _file_names(split: Split) -> list[str]:
    return split.files or [f"image {i}" for i in range(split.total)]


def _gone(err: FileNotFoundError, run: EarlierRun, settings: Settings) -> FileNotFoundError:
    """Return the error for known images that are not there, with what to type."""
    classes = ", ".join(run.class_names)
    start = shlex.quote(settings.start)
    return FileNotFoundError(
        errno.ENOENT,
        f"{err.strerror}. {run.name} would forget {classes} without images of them. Name a folder "
        f"that has some with --keep: minicnn train --from {start} --data NEW --keep DIR. To go on "
        "without: --keep-per-class 0",
        err.filename,
    )
