"""Train a network in a run folder: the model, the callbacks and the call of `fit`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from minicnn.apps.runs.batches import PreparedBatches, evaluation_batch_size, training_batches
from minicnn.apps.runs.folder import RunFolder
from minicnn.apps.runs.load_images import ImageSplits, Split
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


def with_normalization(preprocess: Preprocess, train: Split) -> Preprocess:
    """Return the preprocessing that gives these images mean 0 and standard deviation 1."""
    if train.on_disk is not None:
        raise ArgumentError(
            "normalize needs all training images in memory, and they take more than memory_mb; "
            "raise memory_mb, or set normalize = false"
        )
    return preprocess.fitted(train.images)


def make_model(
    settings: Settings, preprocess: Preprocess, images: ImageSplits, network: Model | None = None
) -> Model:
    """Return a network for these images, compiled for a training of the settings' length.

    It is `network`, or by default a new one that is built as the settings say.
    """
    clear_session()  # so that layers get the same names in every run
    model = network
    if model is None:
        model = build(settings.model, preprocess, len(images.class_names), settings.network)
    model.class_names = list(images.class_names)
    model.preprocess = preprocess
    compile_model(model, settings, images, settings.epochs)
    return model


def compile_model(model: Model, settings: Settings, images: ImageSplits, epochs: int) -> None:
    """Compile a network of the images' classes for a training of so many epochs."""
    steps = epochs * -(-images.train.total // settings.batch_size)
    has_sigmoid = model.output_shape[-1] == 1
    loss = BinaryCrossentropy if has_sigmoid else SparseCategoricalCrossentropy
    model.compile(
        make_optimizer(settings.optimizer, steps),
        loss(label_smoothing=settings.label_smoothing),
        metrics=["accuracy"],
    )


def fit(
    model: Model,
    settings: Settings,
    images: ImageSplits,
    preprocess: Preprocess,
    folder: RunFolder,
    log: RunLog,
    verbose: int | str,
) -> History:
    """Train the model, with the run folder's checkpoints and logs, and return the history."""
    model.fit(
        training_batches(images.train, settings, preprocess),
        epochs=settings.epochs,
        verbose=verbose,
        validation_data=PreparedBatches(
            images.validation, preprocess, evaluation_batch_size(preprocess)
        ),
        class_weight=balanced_class_weight(images.train.labels) if settings.balance else None,
        callbacks=callbacks(
            settings,
            folder,
            [
                log,
                CSVLogger(folder.history),
                ModelCheckpoint(folder.best, MONITOR, save_best_only=True),
                doctor(images.train, preprocess),
            ],
            folder.checkpoints,
        ),
    )
    return history_of(model)


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
    settings: Settings, folder: RunFolder, own: Sequence[Callback], checkpoints: Path
) -> list[Callback]:
    """Return a training's own callbacks and those of every one.

    BackupAndRestore, which writes to the folder `checkpoints`, is last and saves the others' state.
    """
    stopping = [EarlyStopping(MONITOR, patience=settings.patience)] if settings.patience else []
    board = [TensorBoard(folder.path)] if settings.tensorboard else []
    return [
        *own,
        *stopping,
        *board,
        # Kept until the report is written, so that a run that is killed before can be resumed.
        BackupAndRestore(checkpoints, delete_checkpoint=False, keep=2),
    ]
