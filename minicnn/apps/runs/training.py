"""Train a network in a run folder: the model, the callbacks and the call of `fit`."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from minicnn.apps.runs.batches import PreparedBatches, evaluation_batch_size, training_batches
from minicnn.apps.runs.earlier_run import EarlierRun
from minicnn.apps.runs.folder import RunFolder
from minicnn.apps.runs.image_splits import ImageSplits, Split
from minicnn.apps.runs.log import RunLog
from minicnn.apps.runs.networks import build
from minicnn.apps.runs.optimizer import make_optimizer
from minicnn.apps.runs.settings import Settings
from minicnn.callbacks import (
    BackupAndRestore,
    Callback,
    CSVLogger,
    EarlyStopping,
    ModelCheckpoint,
    TensorBoard,
)
from minicnn.data.preprocess import Preprocess
from minicnn.errors import ArgumentError
from minicnn.explain.doctor import Doctor
from minicnn.losses import BinaryCrossentropy, SparseCategoricalCrossentropy
from minicnn.models import Model
from minicnn.support.auto_names import clear_session
from minicnn.utils import balanced_class_weight

MONITOR = "val_accuracy"
DOCTOR_IMAGES = 32  # training images that the doctor examines
History = dict[str, list[float]]


class TrainingStart(NamedTuple):
    """What a training starts with."""

    images: ImageSplits
    preprocess: Preprocess  # how images become the network's input
    network: Model | None = None  # one that is trained further; None: a new one
    earlier: EarlierRun | None = None  # the run that has trained it
    earlier_tests: int = 0  # the first test images are that run's


class TrainingJob(NamedTuple):
    """A training: its network, its images, its settings and the folder that it writes to."""

    settings: Settings
    images: ImageSplits
    preprocess: Preprocess
    network: Model | None  # as in `TrainingStart`
    folder: RunFolder
    log: RunLog
    verbose: int | str  # how `Model.fit` shows its progress, 0, 1, 2 or "auto"


def with_normalization(preprocess: Preprocess, train: Split) -> Preprocess:
    """Return the preprocessing that gives these images mean 0 and standard deviation 1."""
    if train.on_disk is not None:
        raise ArgumentError(
            "normalize needs all training images in memory, and they take more than memory_mb; "
            "raise memory_mb, or set normalize = false"
        )
    return preprocess.fitted(train.images)


def fit(job: TrainingJob) -> History:
    """Train the network, and return the history of all epochs.

    The networks of the best and the last epoch are in `folder.best` and `folder.last`.
    """
    folder, settings, images = job.folder, job.settings, job.images
    model = _make_model(job)
    model.fit(
        training_batches(images.train, settings, job.preprocess),
        epochs=settings.epochs,
        verbose=job.verbose,
        validation_data=validation_batches(job),
        class_weight=class_weight(settings, images.train.labels),
        callbacks=callbacks(
            job,
            folder.history,
            ModelCheckpoint(folder.best, MONITOR, save_best_only=True),
            doctor(images.train, job.preprocess),
            folder.checkpoints,
        ),
    )
    model.save(folder.last)
    return history_of(model)


def _make_model(job: TrainingJob) -> Model:
    """Return the network that is trained further, or a new one, compiled."""
    clear_session()  # so that layers get the same names in every run
    names = job.images.class_names
    model = job.network
    if model is None:
        model = build(job.settings.model, job.preprocess, len(names), job.settings.network)
    model.class_names = list(names)
    model.preprocess = job.preprocess
    compile_model(model, job.settings, job.images, job.settings.epochs)
    return model


def compile_model(model: Model, settings: Settings, images: ImageSplits, epochs: int) -> None:
    """Compile a network of the images' classes for a training of this length."""
    steps = epochs * -(-images.train.total // settings.batch_size)
    has_sigmoid = model.output_shape[-1] == 1
    loss = BinaryCrossentropy if has_sigmoid else SparseCategoricalCrossentropy
    model.compile(
        make_optimizer(settings.optimizer, steps),
        loss(label_smoothing=settings.label_smoothing),
        metrics=["accuracy"],
    )


def validation_batches(job: TrainingJob) -> PreparedBatches:
    """Return the validation images in batches."""
    size = evaluation_batch_size(job.preprocess)
    return PreparedBatches(job.images.validation, job.preprocess, size)


def class_weight(settings: Settings, labels: np.ndarray) -> dict[int, float] | None:
    """Return the weights by which all classes count equally, if the settings ask for them."""
    return balanced_class_weight(labels) if settings.balance else None


def history_of(model: Model) -> History:
    """Return the values of each epoch of the model's training."""
    return dict(model.history.history) if model.history is not None else {}


def doctor(train: Split, preprocess: Preprocess) -> Doctor:
    """Return the callback that says why a training does not learn, with some images to examine."""
    if not len(train.images):
        return Doctor()
    rows = np.linspace(0, train.total - 1, DOCTOR_IMAGES).astype(np.int64)
    return Doctor(preprocess(train.images[rows]), train.labels[rows])


def callbacks(
    job: TrainingJob, table: Path, best: ModelCheckpoint, doctor: Doctor, checkpoints: Path
) -> list[Callback]:
    """Return the callbacks of a training.

    Parameters
    ----------
    job : the training
    table : the CSV file with one row per epoch
    best : the callback that saves the network of the best epoch
    doctor : the callback that says why a training does not learn
    checkpoints : the folder of `BackupAndRestore`, which is last and saves the others' state
    """
    settings = job.settings
    stopping = [EarlyStopping(MONITOR, patience=settings.patience)] if settings.patience else []
    board = [TensorBoard(job.folder.path)] if settings.tensorboard else []
    return [
        job.log,
        CSVLogger(table),
        best,
        doctor,
        *stopping,
        *board,
        # Kept until the report is written, so that a run that is killed before can be resumed.
        BackupAndRestore(checkpoints, delete_checkpoint=False, keep=2),
    ]
