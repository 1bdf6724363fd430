"""What a model could before a lesson and can after it, on images that it has not learned from."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minicnn import random
from minicnn.apps.runs.before_after import KNOWN, MORE, NEW, Change
from minicnn.apps.runs.features import Features
from minicnn.apps.sorter.last_layer import answers, refitted
from minicnn.metrics.calibration import Calibration, are_probabilities
from minicnn.models import Model

FOLDS = 5  # of the cross-validation; a class with fewer pictures is learned, but not measured
NOT_MEASURED = -1


class Task(NamedTuple):
    """A model, and the images of a lesson; all labels count the classes `names`."""

    model: Model
    names: list[str]
    old: Features  # of images that the model has learned from
    held_out: Features  # of images that no model has learned from
    pictures: Features  # what is to be learned

    @property
    def everything(self) -> Features:
        """The features that the last layer learns: old ones and those of the pictures."""
        return joined(self.old, self.pictures)


class Measured(NamedTuple):
    """What the last layer says about images that it has not learned from."""

    known: np.ndarray  # probabilities for the images held out, (M, C)
    pictures: np.ndarray  # probabilities for the pictures that `is_tested` names, (K, C)
    is_tested: np.ndarray  # which pictures were held out in one of the folds, bool (N,)


def joined(*parts: Features) -> Features:
    """Return the features of several groups of images as one."""
    return Features(
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.labels for part in parts]),
    )


def measure(task: Task, taught: Model) -> Measured:
    """Return the answers of the taught model, and those of a cross-validation for the pictures."""
    folds = _folds(task.pictures.labels)
    is_tested = folds != NOT_MEASURED
    values, labels = task.pictures
    found = np.zeros((len(labels), len(task.names)), np.float32)
    for fold in range(FOLDS if is_tested.any() else 0):
        chosen = folds == fold
        learned = joined(task.old, Features(values[~chosen], labels[~chosen]))
        model = refitted(task.model, task.names, *learned)
        found[chosen] = answers(model, values[chosen])
    return Measured(answers(taught, task.held_out.values), found[is_tested], is_tested)


def calibration_of(task: Task, measured: Measured) -> Calibration | None:
    """Return the calibration from all these answers; None if the network has no softmax."""
    if task.model.output_shape[-1] == 1 and len(task.names) == 2:
        return None
    p = np.concatenate([measured.known, measured.pictures])
    tested = task.pictures.labels[measured.is_tested]
    labels = np.concatenate([task.held_out.labels, tested])
    return Calibration.fitted(p, labels) if len(p) and are_probabilities(p) else None


def changes_of(task: Task, measured: Measured) -> tuple[list[Change], Change | None]:
    """Return each class's accuracy before and after, and that of all known classes together.

    An image of a class that the model did not know was never right before.
    """
    known_before = answers(task.model, task.held_out.values).argmax(1) == task.held_out.labels
    known_after = measured.known.argmax(1) == task.held_out.labels
    values, labels = (array[measured.is_tested] for array in task.pictures)
    before = answers(task.model, values).argmax(1) == labels
    after = measured.pictures.argmax(1) == labels
    known = len(task.model.class_names or ())
    rows = _rows(task.names, KNOWN, task.held_out.labels, known_before, known_after)
    rows += _rows(task.names[:known], MORE, labels, before, after)
    rows += _rows(task.names, NEW, np.where(labels < known, NOT_MEASURED, labels), None, after)
    if not len(known_after):
        return rows, None
    whole = float(known_before.mean()), float(known_after.mean())
    return rows, Change("known classes", KNOWN, len(known_after), *whole)


def _rows(
    names: list[str], kind: str, labels: np.ndarray, before: np.ndarray | None, after: np.ndarray
) -> list[Change]:
    """Return a row for each class that has images."""
    return [
        Change(
            name,
            kind,
            int(chosen.sum()),
            None if before is None else float(before[chosen].mean()),
            float(after[chosen].mean()),
        )
        for i, name in enumerate(names)
        if (chosen := labels == i).any()
    ]


def _folds(labels: np.ndarray) -> np.ndarray:
    """Return the fold of each picture, at random but each class evenly; -1 where they are few."""
    folds = np.full(len(labels), NOT_MEASURED)
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        if len(own) >= FOLDS:
            order = random.generator("lesson", int(label)).permutation(own)
            folds[order] = np.arange(len(own)) % FOLDS
    return folds
