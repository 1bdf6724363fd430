"""Compare classic methods and networks on the same images."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from minicnn.classic.classifiers import CLASSIFIERS, classifier
from minicnn.classic.features import features
from minicnn.errors import ArgumentError

LabeledImages = tuple[np.ndarray, np.ndarray]  # uint8 (N, H, W, C), (N,)


class Row(NamedTuple):
    """The result of one method."""

    features: str
    classifier: str
    right: int
    images: int
    training_seconds: float | None  # including the features of the training images
    ms_per_image: float  # mean time to classify a test image, including its features

    @property
    def accuracy(self) -> float:
        """Share of the test images that are classified correctly."""
        return self.right / self.images


def compare(
    train: LabeledImages,
    test: LabeledImages,
    kinds: Iterable[str] = ("hog", "lbp", "hog+lbp"),
    names: Iterable[str] = tuple(CLASSIFIERS),
    *,
    seed: int = 0,
    say: Callable[[str], None] = lambda _: None,
) -> list[Row]:
    """Train every classifier on every kind of features, and test it.

    Parameters
    ----------
    train, test : (images uint8 (N, H, W, C), labels (N,)); all images have the same size
    kinds : kinds of features; "hog+lbp" combines both
    names : names of classifiers
    seed : seed of the trees
    say : called with each message about the progress

    Returns
    -------
    list of Row, in the order of `kinds` and `names`
    """
    _check("train", *train)
    _check("test", *test)
    names = list(names)
    rows = []
    for kind in kinds:
        say(f"{kind}: extracting features of {len(train[0]) + len(test[0]):,} images ...")
        x, extracting = _timed(features, kind, train[0])
        x_test, extracting_test = _timed(features, kind, test[0])
        for name in names:
            method, title = classifier(name, seed), CLASSIFIERS[name]
            say(f"{kind}, {title}: training ...")
            _, fitting = _timed(method.fit, x, train[1])
            predicted, predicting = _timed(method.predict, x_test)
            right, seconds = int((predicted == test[1]).sum()), extracting_test + predicting
            rows.append(_row(kind, title, right, test, extracting + fitting, seconds))
            say(f"{kind}, {title}: {rows[-1].accuracy:.1%}")
    return rows


def network_row(
    name: str, predict: Callable[[np.ndarray], np.ndarray], test: LabeledImages,
    training_seconds: float | None = None,
) -> Row:  # fmt: skip
    """Return the row of a network; `predict` maps uint8 images to probabilities (N, classes)."""
    probabilities, seconds = _timed(predict, test[0])
    right = int((np.argmax(probabilities, 1) == test[1]).sum())
    return _row("learned", name, right, test, training_seconds, seconds)


def table(rows: Sequence[Row]) -> list[list[str]]:
    """Return the rows as text, the best first; `HEADINGS` are their columns."""
    best_first = sorted(rows, key=lambda row: -row.accuracy)
    return [
        [
            row.features,
            row.classifier,
            f"{row.accuracy:.1%}",
            f"{row.images - row.right:,} of {row.images:,}",
            "-" if row.training_seconds is None else f"{row.training_seconds:.1f}",
            f"{row.ms_per_image:.2f}",
        ]
        for row in best_first
    ]


HEADINGS = ["features", "classifier", "right", "wrong", "training s", "ms per image"]


def _check(what: str, images: np.ndarray, labels: np.ndarray) -> None:
    if len(images) != len(labels) or len(images) == 0:
        raise ArgumentError(
            f"{what} must have as many images as labels, and at least one; got {len(images)} "
            f"images and {len(labels)} labels"
        )


def _row(
    kind: str, name: str, right: int, test: LabeledImages, training: float | None, seconds: float
) -> Row:
    return Row(kind, name, right, len(test[0]), training, 1000 * seconds / len(test[0]))


def _timed(function: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    began = time.perf_counter()
    result = function(*arguments)
    return result, time.perf_counter() - began
