"""Classic methods and networks side by side, on the same images."""

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
    """How one method did."""

    features: str
    classifier: str
    right: int
    images: int
    training_seconds: float | None  # features of the training images included
    ms_per_image: float  # to classify one of many, features included

    @property
    def accuracy(self) -> float:
        """Share of the test images that are right."""
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
    """Every classifier on every kind of features: trained on `train`, measured on `test`.

    Parameters
    ----------
    train, test : (images uint8 (N, H, W, C), labels (N,)), of one size
    kinds : features; "hog+lbp" are both, side by side
    names : classifiers
    seed : of what is random
    say : gets a line a row about how it goes

    Returns
    -------
    list of Row, in the order in which they were asked for
    """
    for what, (images, labels) in (("train", train), ("test", test)):
        if len(images) != len(labels) or len(images) == 0:
            raise ArgumentError(
                f"{what} must be as many images as labels, at least one; got {len(images)} and "
                f"{len(labels)}"
            )
    names = list(names)
    rows = []
    for kind in kinds:
        say(f"{kind}: measuring {len(train[0]) + len(test[0]):,} images ...")
        x, training = _timed(features, kind, train[0])
        x_test, classifying = _timed(features, kind, test[0])
        for name in names:
            method = classifier(name, seed)
            say(f"{kind}, {CLASSIFIERS[name]}: learning ...")
            _, fitting = _timed(method.fit, x, train[1])
            answers, answering = _timed(method.predict, x_test)
            seconds = classifying + answering
            right = int((answers == test[1]).sum())
            rows.append(_row(kind, CLASSIFIERS[name], right, test, training + fitting, seconds))
            say(f"{kind}, {CLASSIFIERS[name]}: {rows[-1].accuracy:.1%}")
    return rows


def network_row(
    name: str, predict: Callable[[np.ndarray], np.ndarray], test: LabeledImages,
    training_seconds: float | None = None,
) -> Row:  # fmt: skip
    """The row of a network; `predict` gives (N, classes) probabilities of uint8 images."""
    probabilities, seconds = _timed(predict, test[0])
    right = int((np.argmax(probabilities, 1) == test[1]).sum())
    return _row("learned", name, right, test, training_seconds, seconds)


def table(rows: Sequence[Row]) -> list[list[str]]:
    """The rows as texts, the best first; `HEADINGS` names the columns."""
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


HEADINGS = ["features", "classifier", "right", "wrong", "training s", "ms an image"]


def _row(
    kind: str, name: str, right: int, test: LabeledImages, training: float | None, seconds: float
) -> Row:
    return Row(kind, name, right, len(test[0]), training, 1000 * seconds / len(test[0]))


def _timed(function: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    began = time.perf_counter()
    result = function(*arguments)
    return result, time.perf_counter() - began
