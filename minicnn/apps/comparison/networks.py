"""The networks of a comparison: which there are, how they are trained, and their results."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minicnn import classic
from minicnn.apps.comparison.image_sets import ImageSet
from minicnn.apps.comparison.results import Retrieval
from minicnn.apps.comparison.retrieval import retrieve
from minicnn.apps.recipes import RECIPES
from minicnn.apps.runs import experiment
from minicnn.apps.runs.bases import BASES
from minicnn.apps.runs.batches import PreparedBatches, evaluation_batch_size
from minicnn.apps.runs.folder import RunFolder, unfinished
from minicnn.apps.runs.image_splits import ImageSplits, Split
from minicnn.apps.runs.load_images import load_in_memory
from minicnn.apps.runs.networks import NETWORKS, input_preprocess, network_spec
from minicnn.apps.runs.predictions import evaluate
from minicnn.apps.runs.published import is_cifar10, is_published
from minicnn.apps.runs.recipe import PHOTO_AUGMENTATION, adam
from minicnn.apps.runs.settings import Settings
from minicnn.apps.runs.throttled_progress import Progress, Say, throttled_progress
from minicnn.data.preprocess import Preprocess
from minicnn.errors import FormatError
from minicnn.models import Model, load_model
from minicnn.support.files import read_text

AUTO = "auto"  # the networks that suit a set's images
NAMES = (AUTO, *NETWORKS)
SIDE = 96  # pixels of photographs at most, so that a network learns them in minutes
EPOCHS = 30
# The networks for small images, and the recipe by which each is trained.
SMALL = {"lenet": "lenet", "lenet5": "lenet", "cifar": "cifar"}


class TrainedNetwork(NamedTuple):
    """A network that has learned from a set of images."""

    name: str
    model: Model
    preprocess: Preprocess
    class_names: list[str]
    training_seconds: float | None  # None: unknown, as its run is not complete


def chosen_networks(image_set: ImageSet, names: Sequence[str]) -> list[str]:
    """Return the names, with the networks that suit the set's images in the place of "auto".

    These are lenet for MNIST, cifar for CIFAR-10, and for photographs scene, which is trained from
    scratch, and efficientnet-lite0, which has learned from ImageNet.
    """
    path = Path(image_set.settings.data)
    suitable = ["scene", "efficientnet-lite0"]
    if not image_set.settings.data:
        suitable = ["lenet"]
    elif is_published(path):
        suitable = ["cifar"] if is_cifar10(path) else ["lenet"]
    found = [name for asked in names for name in (suitable if asked == AUTO else [asked])]
    return list(dict.fromkeys(found))


def training_settings(image_set: ImageSet, name: str, epochs: int | None = None) -> Settings:
    """Return how a network is trained on a set.

    A base gets a new classifier, as by `minicnn train --base`. The networks for small images are
    trained as by `minicnn reproduce`, and all others at up to 96 x 96 pixels with augmentation.
    These take 30 epochs unless `epochs` is given.
    """
    kept = {**image_set.identity, "allow_unreadable": image_set.settings.allow_unreadable}
    kept["name"] = f"{image_set.name}-{name}"
    if name in BASES:
        return Settings(model=name, base=name, **kept).changed(epochs=epochs)
    if name in SMALL:
        recipe = RECIPES[SMALL[name]].settings
        return recipe.changed(model=name, epochs=epochs or EPOCHS, **kept)
    h, w = network_spec(name).preprocess.size
    return Settings(
        model=name,
        epochs=epochs or EPOCHS,
        image_size=(min(h, SIDE), min(w, SIDE)),
        optimizer=adam(0.001),
        augmentation=PHOTO_AUGMENTATION,
        **kept,
    )


def train_and_test(
    settings: Settings, runs: Path, queries: Sequence[int], verbose: int | str, say: Say
) -> tuple[classic.Row, Retrieval]:
    """Train a network, unless a run in `runs` has done so, and return its results.

    The network is that of the epoch with the best validation accuracy. If there are no images for
    validation, it is that of the last epoch, so that the test images choose nothing.
    """
    folder = train(settings, runs, verbose, say)
    images = load_in_memory(settings, input_preprocess(settings), say)
    chosen_by_test_images = images.shared and not settings.base
    model = load_model(folder.last if chosen_by_test_images else folder.best)
    preprocess = model.preprocess or input_preprocess(settings)
    network = TrainedNetwork(
        settings.model, model, preprocess, images.class_names, training_seconds(folder)
    )
    return network_results(network, images, queries, say)


def train(settings: Settings, runs: Path, verbose: int | str, say: Say) -> RunFolder:
    """Train a network or continue its training, unless it is complete; return its run folder."""
    folder = RunFolder(runs / f"{settings.title}-1")
    if folder.is_complete:
        return folder
    if unfinished(runs, settings.title):
        return experiment.resume(settings.title, runs, verbose=verbose, say=say).folder
    return experiment.run(settings, runs, verbose=verbose, say=say).folder


def network_results(
    network: TrainedNetwork, images: ImageSplits, queries: Sequence[int], say: Say
) -> tuple[classic.Row, Retrieval]:
    """Classify the test images with a network, and retrieve images by the features it learned."""
    test = images.test

    def predict(pixels: np.ndarray) -> np.ndarray:
        split = test._replace(images=pixels)
        found, _ = evaluate(network.model, network.preprocess, split, network.class_names)
        return found.probabilities

    labeled = (test.images, test.labels)
    row = classic.network_row(network.name, predict, labeled, network.training_seconds)
    progress = throttled_progress(say, f"{network.name}, computing features")
    of_train, of_test = (
        learned_features(network.model, network.preprocess, split, progress)
        for split in (images.train, test)
    )
    return row, retrieve(network.name, of_train, of_test, images, queries)


def learned_features(
    model: Model, preprocess: Preprocess, split: Split, progress: Progress
) -> np.ndarray:
    """Return what the classifier at the end of a network reads of each image, float32 (N, D)."""
    last = next(t for t in reversed(model.graph.tensors) if t.layer.parameters)
    body = Model(model.graph.inputs, last.inputs[0])
    batches = PreparedBatches(split, preprocess, evaluation_batch_size(preprocess))
    found: list[np.ndarray] = []
    for x, _ in batches.for_epoch(0):
        found.append(body.predict_on_batch(x).reshape(len(x), -1))
        progress(sum(map(len, found)), split.total)
    return np.concatenate(found)


def training_seconds(run: RunFolder) -> float:
    """Return a run's training time from its report.json."""
    text = read_text(run.report)
    try:
        return float(json.loads(text)["seconds"]["training"])
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise FormatError(
            run.report, f"has no training time, seconds.training ({type(error).__name__})"
        ) from error
