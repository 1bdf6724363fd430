"""The network that is shown if none is named: LeNet, trained on MNIST, with its first epochs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from minicnn import random, zoo
from minicnn.apps.explorer.open_network import OpenNetwork
from minicnn.apps.explorer.run_networks import RUNS, run_networks
from minicnn.apps.runs.folder import RunFolder
from minicnn.apps.runs.networks import DIGITS
from minicnn.apps.runs.published import DIGITS as CLASS_NAMES
from minicnn.datasets import mnist
from minicnn.errors import MiniCNNError
from minicnn.models import Model, load_model
from minicnn.optimizers import SGD
from minicnn.support.cache_folder import user_cache
from minicnn.support.text import printable

Say = Callable[[str], None]

LENET = "lenet"
VERSION = 1  # of the recipe below; another one is another file
BATCH_SIZE = 64
LEARNING_RATES = (0.02, 0.004)  # of each epoch
EPOCHS = len(LEARNING_RATES)  # about five seconds each on two cores


def default_networks(say: Say) -> list[OpenNetwork]:
    """Return `runs/lenet` if it is here, else LeNet after two epochs, one epoch and none.

    The training takes place once; its models are kept in the user's cache.
    """
    if RunFolder(RUNS / LENET).best.is_file():
        return run_networks(RUNS / LENET)
    files = [_file(epoch) for epoch in range(1, EPOCHS + 1)]
    trained = _loaded(files)
    if trained is None:
        trained = trained_lenets(say)
        _keep(trained, files, say)
    models = [_initial_lenet(), *trained]
    return [_opened(models[epoch], epoch) for epoch in reversed(range(EPOCHS + 1))]


def trained_lenets(say: Say, images: int = 60_000) -> list[Model]:
    """Train LeNet on this many images of MNIST; return the network after each epoch."""
    (x, y), (x_test, y_test) = mnist.load_data()
    x, y = x[:images, ..., None], y[:images]
    say(f"Training LeNet on {len(x):,} digits of MNIST, {EPOCHS} epochs of about 5 seconds ...")
    model = _initial_lenet()
    optimizer = SGD(momentum=0.9)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    kept = []
    with random.seeded(0):
        for epoch, optimizer.learning_rate in enumerate(LEARNING_RATES):
            model.fit(x, y, BATCH_SIZE, epoch + 1, verbose=0, initial_epoch=epoch)
            accuracy = model.evaluate(x_test[..., None], y_test, verbose=0)[1]
            say(f"epoch {epoch + 1} of {EPOCHS}: {accuracy:.2%} of the test digits are right")
            kept.append(_copy(model))
    return kept


def _initial_lenet() -> Model:
    with random.seeded(0):
        model = zoo.lenet()
        for parameter in model.parameters:
            parameter.numpy()  # initial values are drawn when they are first read
    return model


def _copy(model: Model) -> Model:
    copy = zoo.lenet()
    copy.set_weights([np.array(value) for value in model.get_weights()])
    return copy


def _opened(model: Model, epoch: int) -> OpenNetwork:
    name, title = LENET, f"LeNet after {epoch} epochs of MNIST"
    if epoch < EPOCHS:
        name = f"{LENET}-epoch-{epoch}"
        title = f"LeNet after epoch {epoch}" if epoch else "LeNet with its initial weights"
    return OpenNetwork(name, model, CLASS_NAMES, DIGITS, title=title, run=LENET, epoch=epoch)


def _file(epoch: int) -> Path:
    return user_cache() / "explorer" / f"lenet-{VERSION}-epoch-{epoch}.mcnn"


def _loaded(files: list[Path]) -> list[Model] | None:
    """Return the models of these files; None if one is missing or damaged."""
    try:
        return [load_model(file, compile=False) for file in files]
    except (OSError, MiniCNNError):
        return None


def _keep(models: list[Model], files: list[Path], say: Say) -> None:
    """Write the models to files; if that is not possible, the next start trains again."""
    try:
        for model, file in zip(models, files, strict=True):
            file.parent.mkdir(parents=True, exist_ok=True)
            model.save(file, include_optimizer=False)
    except OSError as error:
        say(f"LeNet cannot be saved for next time: {printable(error)}")
