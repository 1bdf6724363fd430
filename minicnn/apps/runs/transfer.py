"""Transfer learning: a new classifier on the features of a trained network, then fine-tuning.

1. The base is frozen. Its features of all images are computed once, and the head, a classifier of
   features, is trained on them for `epochs` epochs, which take seconds.
2. If the settings say so, base and head are trained together for `fine_tune` epochs more, with a
   tenth of the learning rate. Only the last blocks of the base change.

Both write to the run folder as any training does, and best.mcnn is one network of base and head.
When a run is resumed, the features are computed again: that takes less time than they would take
space.
"""

from __future__ import annotations

import time

import numpy as np

from minicnn.apps.runs import bases, training
from minicnn.apps.runs.batches import training_batches
from minicnn.apps.runs.features import Features, compute_features
from minicnn.apps.runs.image_splits import (
    ImageSplits,
    Split,
    split_off_validation,
    validation_text,
)
from minicnn.apps.runs.load_images import read_split
from minicnn.apps.runs.optimizer import RATE
from minicnn.apps.runs.processes import from_main
from minicnn.apps.runs.settings import Settings
from minicnn.apps.runs.throttled_progress import Say
from minicnn.apps.runs.training import MONITOR, History, TrainingJob
from minicnn.callbacks import ModelCheckpoint
from minicnn.data.preprocess import Preprocess
from minicnn.explain.doctor import Doctor
from minicnn.models import Model
from minicnn.support.auto_names import clear_session

SLOWER = 0.1  # learning rate of the fine-tuning, relative to the head's


def with_validation(
    images: ImageSplits, settings: Settings, preprocess: Preprocess, say: Say
) -> ImageSplits:
    """Return the images with a validation split, so that the test images choose nothing."""
    if not images.shared:
        return images
    train, validation = split_off_validation(images.train)
    say(validation_text(validation.total))
    if validation.on_disk is not None:
        share = settings.allow_unreadable
        validation = read_split(validation.on_disk, preprocess, images.skipped, say, share)
    return images._replace(train=train, validation=validation, shared=False)


def fit(job: TrainingJob, say: Say) -> History:
    """Train a head on the settings' base, fine-tune both, and return the history of all epochs.

    The networks of the best and the last epoch are in `folder.best` and `folder.last`.
    """
    base = bases.find(job.settings.base)
    nets = _networks(job, base)
    history = _train_head(job, nets, say)
    best = max(history[MONITOR])
    nets.whole.save(job.folder.last)
    # After an interrupted fine-tuning, its best network may be better than the head's.
    if not from_main(lambda: any(job.folder.checkpoints.glob("checkpoint-*"))):
        nets.head.set_weights(from_main(lambda: _best_weights(job, nets.head)))
        nets.whole.save(job.folder.best)
    if not job.settings.fine_tune:
        return history
    say(
        f"The head alone is right for {best:.2%} of the validation images. Fine-tuning from "
        f"{base.fine_tuned_from} on"
    )
    more = _fine_tune(job, nets.whole, base.fine_tuned_from, best)
    return {name: history[name] + more.get(name, []) for name in history}


def _networks(job: TrainingJob, base: bases.Base) -> bases.Networks:
    """Return the network that is trained further, or the base with a new head, compiled."""
    clear_session()  # so that layers get the same names in every run
    names = job.images.class_names
    if job.network is not None:
        nets = bases.parts(job.network)
    else:
        features = base.build(input_shape=job.preprocess.image_shape)
        nets = bases.networks(features, job.settings.network.get("classes", len(names)))
    nets.whole.preprocess = job.preprocess
    for model in (nets.head, nets.whole):
        model.class_names = list(names)
        training.compile_model(model, job.settings, job.images, job.settings.epochs)
    return nets


def _train_head(job: TrainingJob, nets: bases.Networks, say: Say) -> History:
    """Train the head on the features of the frozen base; the best one is in `folder.best_head`."""
    folder, settings = job.folder, job.settings
    start = time.perf_counter()
    train = _features(job, nets.base, job.images.train, "training", say)
    validation = _features(job, nets.base, job.images.validation, "validation", say)
    job.log.seconds += time.perf_counter() - start
    nets.head.fit(
        train.batches(settings.batch_size, shuffle=True),
        epochs=settings.epochs,
        verbose=job.verbose,
        validation_data=validation.batches(settings.batch_size),
        class_weight=training.class_weight(settings, train.labels),
        callbacks=training.callbacks(
            job,
            folder.history,
            ModelCheckpoint(folder.best_head, MONITOR, save_best_only=True),
            _doctor_of(train),
            folder.head_checkpoints,
        ),
    )
    return training.history_of(nets.head)


def _best_weights(job: TrainingJob, head: Model) -> list[np.ndarray]:
    """Return the weights of the best epoch of the head's training."""
    head.load_weights(job.folder.best_head)
    return head.get_weights()


def _features(job: TrainingJob, base: Model, split: Split, what: str, say: Say) -> Features:
    share = job.settings.allow_unreadable
    return compute_features(base, split, job.preprocess, say, what=what, allow_unreadable=share)


def _doctor_of(features: Features) -> Doctor:
    """Return the callback that says why a head does not learn."""
    rows = np.linspace(0, len(features.labels) - 1, training.DOCTOR_IMAGES).astype(np.int64)
    return Doctor(features.values[rows], features.labels[rows])


def _fine_tune(job: TrainingJob, whole: Model, first: str, best: float) -> History:
    """Train base and head together, the base from its layer `first` on.

    `best` is the validation accuracy that a network must exceed to become `folder.best`.
    """
    folder, settings, images = job.folder, job.settings, job.images
    bases.thaw(whole, first)
    rate = float(settings.optimizer.get("learning_rate", RATE)) * SLOWER
    slower = settings.changed(optimizer={**settings.optimizer, "learning_rate": rate})
    training.compile_model(whole, slower, images, settings.fine_tune)
    whole.fit(
        training_batches(images.train, settings, job.preprocess),
        initial_epoch=settings.epochs,
        epochs=settings.epochs + settings.fine_tune,
        verbose=job.verbose,
        validation_data=training.validation_batches(job),
        class_weight=training.class_weight(settings, images.train.labels),
        callbacks=training.callbacks(
            job,
            folder.fine_tuning,
            ModelCheckpoint(
                folder.best, MONITOR, save_best_only=True, initial_value_threshold=best
            ),
            training.doctor(images.train, job.preprocess),
            folder.checkpoints,
        ),
    )
    whole.save(folder.last)
    return training.history_of(whole)
