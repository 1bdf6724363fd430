"""Compare classic methods and networks on the same images."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from minicnn.classic.classifiers import CLASSIFIERS, classifier, one_thread
from minicnn.classic.features import FeatureExtractor
from minicnn.classic.per_image import Progress, no_progress
from minicnn.errors import ArgumentError

LabeledImages = tuple[np.ndarray, np.ndarray]  # uint8 (N, H, W, C), (N,)
KINDS = ("sift", "hog", "lbp", "color")
LEARNED = "learned"  # the features of networks


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


class Extracted(NamedTuple):
    """One kind of features of all training and test images."""

    kind: str
    train: np.ndarray  # float32 (N, D)
    test: np.ndarray  # float32 (M, D)
    seconds: tuple[float, float]  # for the training images and for the test images


def compare(
    train: LabeledImages,
    test: LabeledImages,
    kinds: Iterable[str] = KINDS,
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
    seed : seed of the visual words and of the trees
    say : called with each message about the progress

    Returns
    -------
    list of Row, in the order of `kinds` and `names`
    """
    check_images("train", *train)
    check_images("test", *test)
    names = list(names)
    rows = []
    for kind in kinds:
        say(f"{kind}: extracting features of {len(train[0]) + len(test[0]):,} images ...")
        features = extract(kind, train[0], test[0], seed)
        for name in names:
            say(f"{kind}, {CLASSIFIERS.get(name, name)}: training ...")
            rows.append(classify(features, train[1], test[1], name, seed))
            say(f"{kind}, {rows[-1].classifier}: {rows[-1].accuracy:.1%}")
    return rows


def extract(
    kind: str,
    train: np.ndarray,
    test: np.ndarray,
    seed: int = 0,
    progress: Progress = no_progress,
) -> Extracted:
    """Learn features from the training images if they must be learned, and compute those of all.

    `progress` is called with (images done, images of the split) for each of the two splits.
    """
    extractor = FeatureExtractor(kind, seed)
    x, seconds = _timed(extractor.fit_transform, train, progress)
    x_test, seconds_test = _timed(extractor.transform, test, progress)
    return Extracted(kind, x, x_test, (seconds, seconds_test))


def classify(
    features: Extracted, labels: np.ndarray, test_labels: np.ndarray, name: str, seed: int = 0
) -> Row:
    """Train one classifier on the features of the training images, and test it."""
    method = classifier(name, seed)
    with one_thread():
        _, fitting = _timed(method.fit, features.train, labels)
        predicted, predicting = _timed(method.predict, features.test)
    extracting, extracting_test = features.seconds
    return _row(
        features.kind,
        CLASSIFIERS[name],
        predicted == test_labels,
        extracting + fitting,
        extracting_test + predicting,
    )


def network_row(
    name: str, predict: Callable[[np.ndarray], np.ndarray], test: LabeledImages,
    training_seconds: float | None = None,
) -> Row:  # fmt: skip
    """Return the row of a network; `predict` maps uint8 images to probabilities (N, classes)."""
    probabilities, seconds = _timed(predict, test[0])
    right = np.argmax(probabilities, 1) == test[1]
    return _row(LEARNED, name, right, training_seconds, seconds)


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


def check_images(what: str, images: np.ndarray, labels: np.ndarray) -> None:
    """Raise ArgumentError unless there are as many images as labels, and at least one."""
    if len(images) != len(labels) or len(images) == 0:
        raise ArgumentError(
            f"{what} must have as many images as labels, and at least one; got {len(images)} "
            f"images and {len(labels)} labels"
        )


def _row(kind: str, name: str, right: np.ndarray, training: float | None, seconds: float) -> Row:
    count = len(right)
    return Row(kind, name, int(right.sum()), count, training, 1000 * seconds / count)


def _timed(function: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    began = time.perf_counter()
    result = function(*arguments)
    return result, time.perf_counter() - began
