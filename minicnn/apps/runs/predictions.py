"""A network's predictions for images whose class is known, and the scores derived from them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np

from minicnn import random
from minicnn.apps.runs.batches import PreparedBatches, evaluation_batch_size
from minicnn.apps.runs.image_splits import Split
from minicnn.data.preprocess import Preprocess
from minicnn.metrics import confusion_matrix
from minicnn.models import Model

MIN_PROBABILITY = 1e-7  # Keras's epsilon: keeps the logarithm of the loss finite
# The headings of a table of `ClassScores`, on the terminal and in the report.
CLASS_HEADINGS = (
    "class", "images", "right", "recall", "precision", "F1", "most often taken for",
)  # fmt: skip


class Counts:
    """How many images of each class were predicted as which class.

    Parameters
    ----------
    confusion : number of images of class i (row) predicted as class j (column), integer
        (classes, classes)
    class_names : one name per class
    """

    def __init__(self, confusion: np.ndarray, class_names: list[str]) -> None:
        self.confusion, self.class_names = confusion, class_names

    @property
    def wrong(self) -> int:
        """Number of images with a wrong prediction."""
        return int(self.confusion.sum() - self.confusion.trace())

    @property
    def accuracy(self) -> float:
        """Share of the images with a right prediction."""
        return float(self.confusion.trace() / max(1, self.confusion.sum()))


class Predictions(Counts):
    """Predicted probabilities together with the true labels.

    Parameters
    ----------
    probabilities : float array (N, classes), or (N, 1) from one sigmoid
    labels : integer array (N,)
    class_names : one name per class
    """

    def __init__(
        self, probabilities: np.ndarray, labels: np.ndarray, class_names: list[str]
    ) -> None:
        if probabilities.shape[1] == 1 and len(class_names) == 2:  # p belongs to the second class
            probabilities = np.hstack([1 - probabilities, probabilities])
        self.probabilities, self.labels = probabilities, labels
        confusion = confusion_matrix(labels, self.predicted, len(class_names))
        super().__init__(np.asarray(confusion), class_names)

    @cached_property
    def predicted(self) -> np.ndarray:
        """Predicted class of each image, integer (N,)."""
        return self.probabilities.argmax(1)

    @cached_property
    def confidence(self) -> np.ndarray:
        """Probability of the predicted class, float (N,)."""
        return self.probabilities.max(1)

    @cached_property
    def mistakes(self) -> list[int]:
        """Indices of the wrong predictions, the most confident first."""
        wrong = np.flatnonzero(self.predicted != self.labels)
        return [int(i) for i in wrong[np.argsort(-self.confidence[wrong], kind="stable")]]

    def random_indices(self, count: int = 10) -> list[int]:
        """Return the indices of `count` different images drawn at random with the global seed."""
        order = random.generator("ten random images").permutation(len(self.labels))
        return [int(i) for i in order[:count]]


def evaluate(
    model: Model, preprocess: Preprocess, split: Split, class_names: Sequence[str]
) -> tuple[Predictions, float]:
    """Return the model's predictions for a split, and their mean cross-entropy."""
    batches = PreparedBatches(split, preprocess, evaluation_batch_size(preprocess))
    outputs = [model.predict_on_batch(x) for x, _ in batches.for_epoch(0)]
    predictions = Predictions(np.concatenate(outputs), split.labels, list(class_names))
    likelihood = predictions.probabilities[np.arange(split.total), split.labels]
    return predictions, float(-np.log(np.maximum(likelihood, MIN_PROBABILITY)).mean())


class ClassScores(NamedTuple):
    """The scores of one class, which are a row of per_class.csv."""

    name: str
    images: int
    right: int
    precision: float  # share of the images predicted as this class that belong to it
    recall: float  # share of this class's images that were predicted as it
    f1: float  # harmonic mean of precision and recall
    taken_for: str  # the class that it is most often confused with, and how often


def per_class(counts: Counts) -> list[ClassScores]:
    """Return the scores of every class, in the order of the classes; a share of no images is 0."""
    names = counts.class_names
    return [_scores(counts.confusion, i, names) for i in range(len(names))]


def macro_f1(counts: Counts) -> float:
    """Return the mean F1 of the classes that have an image or were predicted for one."""
    used = (counts.confusion.sum(0) + counts.confusion.sum(1)) > 0
    scores = [row.f1 for row, one in zip(per_class(counts), used, strict=True) if one]
    return sum(scores) / max(1, len(scores))


def _scores(confusion: np.ndarray, i: int, names: list[str]) -> ClassScores:
    right, images = int(confusion[i, i]), int(confusion[i].sum())
    predicted = int(confusion[:, i].sum())
    others = confusion[i].copy()
    others[i] = 0
    j = int(others.argmax())
    taken_for = f"{names[j]} ({others[j]})" if others[j] else ""
    return ClassScores(
        names[i],
        images,
        right,
        precision=right / max(1, predicted),
        recall=right / max(1, images),
        f1=2 * right / max(1, images + predicted),
        taken_for=taken_for,
    )
