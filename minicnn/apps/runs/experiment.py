"""One run, from its settings to its report. Read it from `run`, which is the story."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from minicnn import random
from minicnn.apps.runs.batches import Prepared, training_batches
from minicnn.apps.runs.folder import RunFolder
from minicnn.apps.runs.load_images import Images, Part, load_images
from minicnn.apps.runs.log import RunLog
from minicnn.apps.runs.networks import build, network
from minicnn.apps.runs.optimizer import make_optimizer
from minicnn.apps.runs.predictions import Answers
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
from minicnn.models import Model, load_model
from minicnn.support.auto_names import clear_session
from minicnn.utils import balanced_class_weight

MONITOR = "val_accuracy"
# Pixels of a batch at most: 32 images of 512 x 512 x 3 are 100 MB as float32.
MAX_PIXELS = 32 * 512 * 512
LOOKED_AT = 32  # training images, by the doctor

Say = Callable[[str], None]


class Outcome(NamedTuple):
    """A training that came to its end, and what its best model says about the test images."""

    settings: Settings
    images: Images
    model: Model  # of the best epoch
    history: dict[str, list[float]]
    best_epoch: int  # from 1
    answers: Answers
    loss: float
    seconds: dict[str, float]  # training, and classifying all test images

    @property
    def part(self) -> Part:
        """The images that `answers` is about."""
        return self.images.test


def run(settings: Settings, folder: RunFolder, *, verbose: int | str = "auto", say: Say) -> Outcome:
    """Train in `folder`, or go on with what was interrupted there; measure the best model.

    Parameters
    ----------
    settings : all choices
    folder : made already; checkpoints that lie in it are taken up
    verbose : as `Model.fit`
    say : gets a line at a time about how it goes
    """
    random.set_random_seed(settings.seed)
    preprocess = wanted_preprocess(settings)
    images = load_images(settings, preprocess, say)
    if settings.normalize:
        preprocess = normalized(preprocess, images.train)
    model = make_model(settings, preprocess, images)
    log = RunLog(folder.path / "log.jsonl")
    with _progress_beside_results():
        train(model, settings, images, preprocess, folder, log, verbose)
    history = dict(model.history.history) if model.history is not None else {}
    model.save(folder.last)

    best = load_model(folder.best)
    start = time.perf_counter()
    answers, loss = classify(best, preprocess, images.test, images.class_names)
    seconds = {"training": log.seconds, "classifying": time.perf_counter() - start}
    best_epoch = int(np.argmax(history[MONITOR])) + 1
    return Outcome(settings, images, best, history, best_epoch, answers, loss, seconds)


def wanted_preprocess(settings: Settings) -> Preprocess:
    """How the network of the settings wants its images."""
    preprocess = network(settings.model).preprocess
    size = settings.image_size
    return preprocess if size is None else preprocess._replace(size=size)


def normalized(preprocess: Preprocess, train: Part) -> Preprocess:
    """The same, and zero mean and deviation 1 in each channel of these images."""
    if train.listing is not None:
        raise ArgumentError(
            "normalize measures the training images, which do not fit into memory_mb; raise it, or "
            "set normalize = false"
        )
    return preprocess.fitted(train.images)


def make_model(settings: Settings, preprocess: Preprocess, images: Images) -> Model:
    """The network, compiled for these classes and so many steps; it knows names and pictures."""
    clear_session()  # the layers are called alike in every run, whatever was built before
    model = build(settings.model, preprocess, len(images.class_names), settings.network)
    model.class_names = list(images.class_names)
    model.preprocess = preprocess
    steps = settings.epochs * -(-images.train.total // settings.batch_size)
    sigmoid = model.output_shape[-1] == 1
    model.compile(
        make_optimizer(settings.optimizer, steps),
        "binary_crossentropy" if sigmoid else "sparse_categorical_crossentropy",
        ["accuracy"],
    )
    return model


def train(
    model: Model,
    settings: Settings,
    images: Images,
    preprocess: Preprocess,
    folder: RunFolder,
    log: RunLog,
    verbose: int | str,
) -> None:
    """Fit, with everything that a run folder promises."""
    model.fit(
        training_batches(images.train, settings, preprocess),
        epochs=settings.epochs,
        verbose=verbose,
        validation_data=Prepared(images.validation, preprocess, _measured_at_once(preprocess)),
        class_weight=balanced_class_weight(images.train.labels) if settings.balance else None,
        callbacks=callbacks(settings, folder, log, doctor(images.train, preprocess)),
    )


def doctor(train: Part, preprocess: Preprocess) -> Doctor:
    """One who says why a training does not learn, and has some images of all classes to look at."""
    if not len(train.images):
        return Doctor()
    rows = np.linspace(0, train.total - 1, LOOKED_AT).astype(np.int64)
    return Doctor(preprocess(train.images[rows]), train.labels[rows])


def callbacks(settings: Settings, folder: RunFolder, log: RunLog, doctor: Doctor) -> list[Callback]:
    """Log, history, best model, perhaps an early end; and the checkpoints, which know them all."""
    stopping = [EarlyStopping(MONITOR, patience=settings.patience)] if settings.patience else []
    board = [TensorBoard(folder.path)] if settings.tensorboard else []
    return [
        log,
        CSVLogger(folder.history),
        ModelCheckpoint(folder.best, MONITOR, save_best_only=True),
        doctor,
        *stopping,
        *board,
        # Removed only when the report is written: until then a killed run can be taken up.
        BackupAndRestore(folder.checkpoints, delete_checkpoint=False, keep=2),
    ]


def classify(
    model: Model, preprocess: Preprocess, part: Part, names: Sequence[str]
) -> tuple[Answers, float]:
    """The model's answers for a part, and its mean loss."""
    batches = Prepared(part, preprocess, _measured_at_once(preprocess))
    parts = [model.predict_on_batch(x) for x, _ in batches.for_epoch(0)]
    answers = Answers(np.concatenate(parts), part.labels, list(names))
    likelihood = answers.probabilities[np.arange(part.total), part.labels]
    return answers, float(-np.log(np.maximum(likelihood, 1e-7)).mean())


def clean_up(folder: RunFolder) -> None:
    """Remove the checkpoints of a run whose report is written; `last.mcnn` stays."""
    for path in folder.checkpoints.glob("checkpoint-*.mcnn"):
        path.unlink()


def _measured_at_once(preprocess: Preprocess) -> int:
    """Images in a batch that is only looked at."""
    h, w, _ = preprocess.image_shape
    return max(1, min(250, MAX_PIXELS // (h * w)))


@contextlib.contextmanager
def _progress_beside_results() -> Iterator[None]:
    """What fit and its callbacks print goes to standard error: standard output is for results."""
    with contextlib.redirect_stdout(sys.stderr):
        yield
