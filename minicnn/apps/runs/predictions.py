"""What a trained network says about images whose class is known, and what follows from it."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from minicnn import random
from minicnn.metrics import confusion_matrix


class Answers:
    """Predictions beside the truth.

    Parameters
    ----------
    probabilities : float array (N, classes), or (N, 1) of one sigmoid
    labels : integer array (N,)
    names : a name a class
    """

    def __init__(self, probabilities: np.ndarray, labels: np.ndarray, names: list[str]) -> None:
        if probabilities.shape[1] == 1 and len(names) == 2:  # p is the second class's
            probabilities = np.hstack([1 - probabilities, probabilities])
        self.probabilities, self.labels, self.names = probabilities, labels, names

    @cached_property
    def predictions(self) -> np.ndarray:
        """(N,): the likeliest class of each image."""
        return self.probabilities.argmax(1)

    @cached_property
    def confidence(self) -> np.ndarray:
        """(N,): the probability of that class."""
        return self.probabilities.max(1)

    @cached_property
    def confusion(self) -> np.ndarray:
        """(classes, classes): images of class i (row) that were taken for class j (column)."""
        return np.asarray(confusion_matrix(self.labels, self.predictions, len(self.names)))

    @property
    def wrong(self) -> int:
        """Images that were not recognized."""
        return int(self.confusion.sum() - self.confusion.trace())

    @property
    def accuracy(self) -> float:
        """Share of the images that were."""
        return float(self.confusion.trace() / max(1, self.confusion.sum()))

    @cached_property
    def mistakes(self) -> list[int]:
        """Numbers of the wrong images, those first that the network was surest of."""
        wrong = np.flatnonzero(self.predictions != self.labels)
        return [int(i) for i in wrong[np.argsort(-self.confidence[wrong], kind="stable")]]

    def some(self, count: int = 10) -> list[int]:
        """Numbers of `count` images drawn at random, each at most once; seeded."""
        most = len(self.labels)
        drawn = random.generator("ten random images").permutation(most)[:count]
        return [int(i) for i in drawn]


class ClassRow(NamedTuple):
    """One class of the per-class table."""

    name: str
    images: int
    right: int
    precision: float  # of what was taken for it, how much is
    recall: float  # of what is it, how much was found
    f1: float  # their harmonic mean
    taken_for: str  # the class that it was most often mistaken for, and how often

    def as_dict(self) -> dict[str, Any]:
        """For JSON and CSV."""
        return self._asdict()


def per_class(answers: Answers) -> list[ClassRow]:
    """A row a class, in the classes' order; a share of nothing is 0."""
    return [_row(answers.confusion, i, answers.names) for i in range(len(answers.names))]


def _row(confusion: np.ndarray, i: int, names: list[str]) -> ClassRow:
    right, images = int(confusion[i, i]), int(confusion[i].sum())
    called = int(confusion[:, i].sum())
    others = confusion[i].copy()
    others[i] = 0
    j = int(others.argmax())
    taken = f"{names[j]} ({others[j]})" if others[j] else ""
    f1 = 2 * right / max(1, images + called)
    return ClassRow(
        names[i], images, right, right / max(1, called), right / max(1, images), f1, taken
    )
