"""Continual learning: a trained network goes on with new images, and with new classes.

1. The classifier gets an output for each new class; the others keep their weights.
2. The network is trained on the new images and on a sample of those that it has learned from, with
   a lower learning rate and with all classes counting equally. Without the sample it would forget
   the old classes (catastrophic forgetting); learning old examples again is called rehearsal.

References: McCloskey and Cohen, Catastrophic interference in connectionist networks (1989); Rebuffi
et al., iCaRL: incremental classifier and representation learning (2017).
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from minicnn.apps.runs.earlier_run import EarlierRun, find_run
from minicnn.apps.runs.load_images import NO_IMAGES, ImageSplits, Split, load_images
from minicnn.apps.runs.rehearsal import find_known, joined, read_known, relabeled
from minicnn.apps.runs.settings import Settings
from minicnn.apps.runs.throttled_progress import Say
from minicnn.apps.runs.tuning_data import split_off_validation
from minicnn.apps.runs.widening import widened
from minicnn.errors import ArgumentError
from minicnn.models import Model

VALIDATION = 0.1  # share of each class's training images, where the data have no validation split


class Continuation(NamedTuple):
    """What a training that goes on starts with."""

    run: EarlierRun
    network: Model  # for all classes
    images: ImageSplits
    known_tests: int  # the first test images are those of the earlier run


def check(settings: Settings) -> None:
    """Raise ArgumentError if a setting does not suit a training that goes on."""
    if not settings.start:
        if settings.keep:
            raise ArgumentError('keep needs start, such as start = "runs/scene-1"')
        return
    for name in ("normalize", "network", "folds"):
        if getattr(settings, name):
            raise ArgumentError(
                f"{name} cannot be set with start: the network of {settings.start} goes on as it is"
            )


def prepare(settings: Settings, say: Say) -> Continuation:
    """Load the network and the images of a training that goes on.

    No test image is trained on, neither a new one nor one of the earlier run, and none chooses the
    best epoch: where the data have no validation split, a tenth of the training images is used.

    Raises
    ------
    FileNotFoundError
        There is no such run, or no images of its classes.
    ArgumentError
        The run is unfinished, the network cannot be widened, or no image is new.
    """
    run = find_run(Path(settings.start))
    if settings.image_size not in (None, run.preprocess.size):
        raise ArgumentError(
            f"image_size must be {list(run.preprocess.size)}, as {run.name} was trained; got "
            f"{list(settings.image_size or ())}"
        )
    found = find_known(run, settings, say)
    new = load_images(settings, run.preprocess, say, found.paths)
    if new.train.on_disk is not None:
        raise ArgumentError(
            f"the new images take more than memory_mb = {settings.memory_mb}; raise memory_mb, or "
            "let the network learn them in several runs, each --from the one before"
        )
    known = read_known(found, run, settings, say)
    names = sorted({*run.class_names, *new.class_names})
    say(_summary(run, known, new))
    images = _together(known, new, names, say)
    return Continuation(run, widened(run.model, names), images, known.test.total)


def _summary(run: EarlierRun, known: ImageSplits, new: ImageSplits) -> str:
    """Return what is new and what is learned again, as a sentence."""
    learned = [new.class_names[label] for label in np.unique(new.train.labels)]
    classes = [name for name in learned if name not in run.class_names]
    more = [name for name in learned if name in run.class_names]
    texts = [f"new classes: {', '.join(classes)}"] if classes else ["no new class"]
    texts += [f"new images of {', '.join(more)}"] if more else []
    return (
        f"{run.name} goes on with {new.train.total:,} new training images ({'; '.join(texts)}) and "
        f"{known.train.total:,} of those that it has learned from."
    )


def _together(known: ImageSplits, new: ImageSplits, names: list[str], say: Say) -> ImageSplits:
    """Return the images of both, the known ones first; labels count all classes."""
    parts = [_with_validation(_relabeled(part, names)) for part in (known, new)]
    train = joined([part.train for part in parts])
    validation = joined([part.validation for part in parts])
    test = joined([part.test for part in parts])
    for name, split in (("validate", validation), ("test", test)):
        if not split.total:
            raise ArgumentError(f"{train.total} images are too few to train and to {name}")
    taken = known.train.total + new.train.total - train.total
    if taken:
        say(f"{taken} of the training images are used for validation; no test image is.")
    return ImageSplits(train, validation, test, names, known.skipped + new.skipped, shared=False)


def _relabeled(part: ImageSplits, names: list[str]) -> ImageSplits:
    """Return the images with labels that count all classes."""
    train, validation, test = (
        relabeled(split, part.class_names, names)
        for split in (part.train, part.validation, part.test)
    )
    return part._replace(train=train, validation=validation, test=test)


def _with_validation(part: ImageSplits) -> ImageSplits:
    """Return the images with a validation split; with an empty one if they are too few."""
    if not part.shared:
        return part
    if round(VALIDATION * np.bincount(part.train.labels, minlength=1).max()) < 1:
        return part._replace(validation=Split(NO_IMAGES, np.zeros(0, np.int64), []), shared=False)
    train, validation = split_off_validation(part.train, VALIDATION)
    return part._replace(train=train, validation=validation, shared=False)
