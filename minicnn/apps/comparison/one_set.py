"""Everything that a comparison does with one set of images."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minicnn import classic
from minicnn.apps.comparison.figures import retrieval_figure, retrieval_name
from minicnn.apps.comparison.image_sets import ImageSet
from minicnn.apps.comparison.networks import (
    TrainedNetwork,
    network_results,
    train_and_test,
    training_settings,
)
from minicnn.apps.comparison.results import Retrieval, SetResults, open_results
from minicnn.apps.comparison.retrieval import choose_queries, retrieve
from minicnn.apps.runs.gallery import can_draw
from minicnn.apps.runs.image_splits import ImageSplits
from minicnn.apps.runs.load_images import load_in_memory
from minicnn.apps.runs.throttled_progress import Say, throttled_progress
from minicnn.classic.compare import LEARNED, classify, extract
from minicnn.data.preprocess import Preprocess
from minicnn.errors import ArgumentError, NumericError
from minicnn.support.plots import save_figure

RUNS = "runs"  # the folder in `ComparisonPlan.folder` that has the run folders


class ComparisonPlan(NamedTuple):
    """What is compared on every set."""

    kinds: Sequence[str]  # of features
    names: Sequence[str]  # of classifiers
    image_size: tuple[int, int]  # of photographs, for hand-made features
    epochs: int | None = None  # of the networks' training
    folder: Path | None = None  # for results and runs; None: nothing is written
    verbose: int | str = 0  # how a training shows its progress


class SetComparison:
    """The comparison on one set of images; what the plan's folder has already is not repeated.

    Parameters
    ----------
    image_set : the set
    plan : what is compared
    say : called with each message about the progress
    """

    def __init__(self, image_set: ImageSet, plan: ComparisonPlan, say: Say) -> None:
        self.image_set, self.plan = image_set, plan
        self.results: SetResults = open_results(
            image_set.name, {**image_set.identity, "image_size": plan.image_size}, plan.folder
        )
        self._say = say

    @cached_property
    def images(self) -> ImageSplits:
        """The images for hand-made features."""
        self.say("reading images")
        preprocess = Preprocess(self.plan.image_size)
        images = load_in_memory(self.image_set.settings, preprocess, self._say, any_shape=True)
        results, labels = self.results, images.test.labels
        results.classes = images.class_names
        results.train, results.test = images.train.total, images.test.total
        results.most_frequent = float(np.bincount(labels).max() / len(labels))
        return images

    @property
    def queries(self) -> list[int]:
        """The test images whose nearest training images the figure shows."""
        return choose_queries(self.images.test.labels, self.image_set.settings.seed)

    def say(self, text: str) -> None:
        """Say a message about the progress on this set."""
        self._say(f"{self.image_set.name}, {text}")

    def compare_classifiers(self, kind: str) -> None:
        """Train and test the classifiers on one kind of features, and retrieve images by it."""
        titles = {name: classic.CLASSIFIERS[name] for name in self.plan.names}
        missing = [name for name, title in titles.items() if not self.results.row(kind, title)]
        if not missing and self.results.retrieved_by(kind):
            return
        train, test, seed = self.images.train, self.images.test, self.image_set.settings.seed
        self.say(f"{kind}: extracting features of {train.total + test.total:,} images")
        progress = throttled_progress(self.say, kind)
        try:
            features = extract(kind, train.images, test.images, seed, progress)
        except ArgumentError as error:  # SIFT finds nothing in images without edges
            if len(self.plan.kinds) == 1:
                raise
            self.say(f"{kind} is left out: {error}")
            return
        found = retrieve(kind, features.train, features.test, self.images, self.queries)
        self._add_retrieval(found)
        for name in missing:
            self.say(f"{kind}, {titles[name]}: training")
            self._add(classify(features, train.labels, test.labels, name, seed))

    def add_trained(self, network: TrainedNetwork) -> None:
        """Test a network that has learned from the set before."""
        if not self.results.row(LEARNED, network.name):
            images = load_in_memory(self.image_set.settings, network.preprocess, self._say)
            self._add_network(*network_results(network, images, self.queries, self._say))

    def train_network(self, name: str) -> None:
        """Train a network of the zoo and test it, if it suits the images."""
        if self.results.row(LEARNED, name) or self.plan.folder is None:
            return
        settings = training_settings(self.image_set, name, self.plan.epochs)
        self.say(f"{name}: training for {settings.epochs} epochs")
        runs, verbose = self.plan.folder / RUNS, self.plan.verbose
        try:
            found = train_and_test(settings, runs, self.queries, verbose, self._say)
        except (ArgumentError, NumericError) as error:
            self.say(f"{name} is left out: {error}")
        else:
            self._add_network(*found)

    def release(self) -> None:
        """Release the images, as the next set needs the memory; they can be read again."""
        self.__dict__.pop("images", None)

    def draw_retrieval(self) -> None:
        """Draw the queries and their nearest images, unless the figure is there."""
        path = self.retrieval_path
        if path is not None and self.results.retrieval and can_draw() and not path.exists():
            figure = retrieval_figure(self.results, self.images, self.queries)
            save_figure(figure, path)

    @property
    def retrieval_path(self) -> Path | None:
        """The file of the figure of retrieval, which is removed when it lacks a result."""
        folder = self.plan.folder
        return None if folder is None else folder / retrieval_name(self.image_set.name)

    def _add(self, row: classic.Row) -> None:
        self.results.add(row)
        self.say(f"{row.features}, {row.classifier}: {row.accuracy:.1%} right")

    def _add_retrieval(self, one: Retrieval) -> None:
        if self.retrieval_path is not None:
            self.retrieval_path.unlink(missing_ok=True)
        self.results.add_retrieval(one)
        self.say(f"{one.features}: {one.precision:.1%} of the 10 nearest images are right")

    def _add_network(self, row: classic.Row, retrieval: Retrieval) -> None:
        self._add_retrieval(retrieval)
        self._add(row)
