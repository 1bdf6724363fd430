"""Rehearsal: a sample of the images that a network has learned from is learned again, so that it
does not forget their classes. Its test images show whether it does.

They are found where the earlier run found them, in the same splits. If that was continual learning,
too, the images of the run before it belong to them. `keep` names a folder to take in their place.
"""

from __future__ import annotations

import errno
import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minicnn import random
from minicnn.apps.runs.earlier_run import EarlierRun, find_run
from minicnn.apps.runs.folder import RunFolder
from minicnn.apps.runs.image_splits import (
    NO_LABELS,
    ImageSplits,
    Part,
    Skipped,
    Split,
    joined,
    relabeled,
)
from minicnn.apps.runs.load_images import load_images, read_split
from minicnn.apps.runs.published import is_published
from minicnn.apps.runs.repeated_split import check_unchanged
from minicnn.apps.runs.settings import Settings
from minicnn.apps.runs.split_files import is_split, split_files
from minicnn.apps.runs.throttled_progress import Say
from minicnn.data.image_list import ImageList, few_of
from minicnn.data.preprocess import Preprocess
from minicnn.errors import ArgumentError


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
    run : the earlier run
    settings : those of the new run; `keep` names other images than the earlier run's own, and with
        `keep_per_class` 0 there need not be any
    say : called with messages about the progress

    Raises
    ------
    FileNotFoundError
        The images are gone, or a class has none; the error says what to type.
    ArgumentError
        The folder was split at random and has changed since, so its splits cannot be repeated.
    """
    try:
        found = [_find_splits(source, run, say) for source in _sources(run, settings)]
    except FileNotFoundError as err:
        if settings.keep or settings.keep_per_class:
            raise _gone(err, run, settings) from err
        say(f"The images of {run.name} are gone, so its accuracy on them cannot be measured.")
        found = []
    return KnownImages(
        [train for train, _, _ in found],
        [validation for _, validation, _ in found if validation is not None],
        [test for _, _, test in found],
    )


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
    labels = np.concatenate([NO_LABELS, *(part.labels for part in parts)])
    chosen = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        chosen[random.generator("keep", int(label)).permutation(own)[:per_class]] = True
    ends = np.cumsum([len(part.labels) for part in parts])
    of_parts = np.split(chosen, ends)[: len(parts)]
    return [part.pick(np.flatnonzero(own)) for part, own in zip(parts, of_parts, strict=True)]


def _sources(run: EarlierRun, settings: Settings) -> list[Source]:
    """Return what the run has learned from; what the run before it had learned from is first."""
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


def _find_splits(source: Source, run: EarlierRun, say: Say) -> tuple[Part, Part | None, Part]:
    """Return the training, validation and test images of a source, without reading files."""
    settings, path = source.settings, Path(source.settings.data)
    if not settings.data or is_published(path):
        images = load_images(settings, run.preprocess, say)
        names = images.class_names
        train, test = (relabeled(s, names, run.class_names) for s in (images.train, images.test))
        return train, None, test
    if not path.is_dir():
        raise FileNotFoundError(errno.ENOENT, "there is no such folder", settings.data)
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
    """Return the files of the classes `names`."""
    return relabeled(images, images.class_names, names)._replace(class_names=names)


def _read(
    parts: Sequence[Part], preprocess: Preprocess, settings: Settings, skipped: Skipped, say: Say
) -> Split:
    """Return the images of these parts as one split in memory."""
    share = settings.allow_unreadable
    return joined(
        [
            part if isinstance(part, Split) else read_split(part, preprocess, skipped, say, share)
            for part in parts
            if len(part.labels)
        ]
    )


def _gone(err: FileNotFoundError, run: EarlierRun, settings: Settings) -> FileNotFoundError:
    """Return the error for known images that are not there, with what to type."""
    classes = ", ".join(run.class_names)
    start = shlex.quote(settings.start)
    return FileNotFoundError(
        errno.ENOENT,
        f"{err.strerror}. {run.name} would forget {classes} without images of them. Name a folder "
        f"that has some: minicnn train --from {start} --data NEW --keep DIR. Without rehearsal: "
        "--keep-per-class 0",
        err.filename,
    )
