"""A model learns from pictures that a person has put right: only its last layer, in seconds.

The last layer sees the features of the pictures, and of some images that the model has learned
from; its file keeps those (`feature_sample`), so that the images themselves are not needed. A class
that it does not know becomes another output.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minicnn import random
from minicnn.apps.runs.before_after import Change
from minicnn.apps.runs.classifier_parts import feature_network, need_classifier
from minicnn.apps.runs.feature_sampling import PER_CLASS
from minicnn.apps.runs.features import Features, compute_features
from minicnn.apps.runs.image_splits import NO_IMAGES, Split
from minicnn.apps.sorter.classifying import checked_preprocess
from minicnn.apps.sorter.last_layer import refitted
from minicnn.apps.sorter.lesson_measures import Task, calibration_of, changes_of, joined, measure
from minicnn.apps.sorter.planning import UNSURE
from minicnn.data.folders import class_folders, list_folder
from minicnn.data.preprocess import Preprocess
from minicnn.errors import ArgumentError
from minicnn.models import Model
from minicnn.models.feature_sample import FeatureSample

ANY_SHARE = 1.0  # of the pictures may be unreadable: they are counted


class Lesson(NamedTuple):
    """What a model has learned, and what it could before and can now."""

    model: Model  # a new one
    pictures: dict[str, int]  # how many of each class it has learned from
    new_classes: list[str]
    changes: list[Change]  # of each class, for images that were held out
    known: Change | None  # of all known classes together; None if no image of them is held out
    unreadable: int  # pictures that could not be read
    seconds: float


def learn(model: Model, folder: Path, *, say: Callable[[str], None] = print) -> Lesson:
    """Return what a model becomes that has learned the pictures of a folder.

    Parameters
    ----------
    model : a classifier with class names, preprocessing and `feature_sample`; it does not change
    folder : one folder of pictures for each class; a folder `unsure` is left out
    say : called with messages about the progress

    Returns
    -------
    Lesson
        The accuracy of the known classes is that of the images whose features the model has held
        out. That of the pictures is measured by a cross-validation: each of them is classified by a
        last layer that has learned from four fifths of the others. The model that is returned has
        learned from all pictures.

    Raises
    ------
    FileNotFoundError : there is no such folder, or no picture in it
    UnreadableImagesError : none of them can be read
    ArgumentError : the model cannot learn like this; the message says what can be done
    """
    start = time.perf_counter()
    sample, network, preprocess = _checked(model)
    found = list_folder(folder, _class_folders(folder))
    split = Split(NO_IMAGES, found.labels, [], on_disk=found)
    pictures = compute_features(
        network, split, preprocess, say, what="the", allow_unreadable=ANY_SHARE
    )
    task = _task(model, sample, found.class_names, pictures)
    new = refitted(model, task.names, *task.everything)
    measured = measure(task, new)
    new.calibration, new.feature_sample = calibration_of(task, measured), _new_sample(task)
    counts = np.bincount(task.pictures.labels, minlength=len(task.names))
    return Lesson(
        new,
        {name: int(count) for name, count in zip(task.names, counts, strict=True) if count},
        [name for name in task.names if name not in (model.class_names or ())],
        *changes_of(task, measured),
        len(found.paths) - len(pictures.labels),
        time.perf_counter() - start,
    )


def new_path(path: Path) -> Path:
    """Return the first of photo-2.mcnn, photo-3.mcnn, ... that does not exist, for photo.mcnn."""
    number = 2
    while (new := path.with_name(f"{path.stem}-{number}.mcnn")).exists():
        number += 1
    return new


def _checked(model: Model) -> tuple[FeatureSample, Model, Preprocess]:
    """Return a model's feature sample, its network from images to features, its preprocessing."""
    need_classifier(model)
    preprocess = checked_preprocess(model)
    network, sample = feature_network(model), model.feature_sample
    if sample is None or network is None or sample.values.shape[1:] != network.output_shape[1:]:
        raise ArgumentError(
            f"{model.name} keeps no features of the images that it has learned from, so it would "
            "forget their classes. Models that minicnn train writes today have them; a run of an "
            "earlier version goes on with: minicnn train --from RUN --data DIR"
        )
    return sample, network, preprocess


def _class_folders(folder: Path) -> list[str]:
    """Return the names of the folders of a directory, except that of unsure pictures."""
    names = [name for name in class_folders(folder) if name != UNSURE]
    if not names:
        raise FileNotFoundError(
            errno.ENOENT, "has no folders; put the pictures of each class into one", str(folder)
        )
    return names


def _task(model: Model, sample: FeatureSample, folders: list[str], pictures: Features) -> Task:
    """Return the images with labels that count the known classes first, then the new ones."""
    known = list(model.class_names or ())
    names = [*known, *(name for name in folders if name not in known)]
    places = np.array([names.index(name) for name in folders])
    old, held_out = (Features(*sample.part(held_out=which)) for which in (False, True))
    return Task(model, names, old, held_out, Features(pictures.values, places[pictures.labels]))


def _new_sample(task: Task) -> FeatureSample:
    """Return the features that the next lesson needs: at most `PER_CLASS` learned ones a class."""
    learned = task.everything
    kept = [
        random.generator("feature sample", int(label)).permutation(
            np.flatnonzero(learned.labels == label)
        )[:PER_CLASS]
        for label in np.unique(learned.labels)
    ]
    rows = np.sort(np.concatenate(kept))
    both = joined(Features(learned.values[rows], learned.labels[rows]), task.held_out)
    return FeatureSample(*both, np.arange(len(both.labels)) >= len(rows))
