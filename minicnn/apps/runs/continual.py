"""Continual learning: a trained network is trained further, on new images and new classes.

1. The classifier gets an output for each new class; the others keep their weights.
2. The network is trained on the new images and on a sample of those that it has learned from, with
   a lower learning rate and with all classes counting equally. Without the sample it would forget
   the old classes (catastrophic forgetting); learning old examples again is called rehearsal.

References: McCloskey and Cohen, Catastrophic interference in connectionist networks (1989); Rebuffi
et al., iCaRL: incremental classifier and representation learning (2017).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from minicnn.apps.runs.earlier_run import EarlierRun, find_run
from minicnn.apps.runs.image_splits import (
    EMPTY,
    VALIDATION,
    ImageSplits,
    joined,
    relabeled,
    split_off_validation,
    validation_text,
)
from minicnn.apps.runs.load_images import load_images
from minicnn.apps.runs.rehearsal import find_known, read_known
from minicnn.apps.runs.settings import Settings
from minicnn.apps.runs.throttled_progress import Say
from minicnn.apps.runs.training import TrainingStart
from minicnn.apps.runs.widening import widened
from minicnn.errors import ArgumentError


def check(settings: Settings) -> None:
    """Raise ArgumentError if a setting does not suit continual learning, or only suits that."""
    if not settings.start:
        for name in ("keep", "keep_per_class"):
            if getattr(settings, name) != getattr(Settings, name):
                raise ArgumentError(
                    f'{name} needs start, such as start = "runs/scene-1" or --from runs/scene-1'
                )
        return
    for name in ("normalize", "network", "folds"):
        if getattr(settings, name):
            raise ArgumentError(
                f"{name} cannot be set with start: the network of {settings.start} stays as it is"
            )


def prepare(settings: Settings, say: Say) -> TrainingStart:
    """Load the network of an earlier run, its images and the new ones.

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
    network = widened(run.model, names)
    return TrainingStart(images, run.preprocess, network, run, known.test.total)


def _summary(run: EarlierRun, known: ImageSplits, new: ImageSplits) -> str:
    """Return what is new and what is rehearsed, as a sentence."""
    learned = [new.class_names[label] for label in np.unique(new.train.labels)]
    classes = [name for name in learned if name not in run.class_names]
    more = [name for name in learned if name in run.class_names]
    texts = [f"new classes: {', '.join(classes)}"] if classes else ["no new class"]
    texts += [f"new images of {', '.join(more)}"] if more else []
    return (
        f"{run.name} is trained further on {new.train.total:,} new images ({'; '.join(texts)}) and "
        f"rehearses {known.train.total:,} that it knows."
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
        say(validation_text(taken))
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
        return part._replace(validation=EMPTY, shared=False)
    train, validation = split_off_validation(part.train)
    return part._replace(train=train, validation=validation, shared=False)
