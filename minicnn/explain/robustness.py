"""Robustness: the accuracy of a classifier on images that are changed more and more."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from minicnn.errors import ArgumentError, ShapeError
from minicnn.explain.image_changes import BY_NAME, ImageChange, check_images, draw, find_change

NO_CHANGE = ImageChange("unchanged", "", (), 0, lambda images, strength, drawn: images)
POINTS = 0.05  # the loss of accuracy that `tolerated` looks for
BATCH_VALUES = 2**23  # of the images that are changed and classified at a time

Predict = Callable[[np.ndarray], Any]


class RobustnessRow(NamedTuple):
    """The result of one change in one strength, or of the unchanged images."""

    change: str  # the name of an `ImageChange`, or "unchanged"
    strength: float | None  # None for the unchanged images
    unit: str
    images: int
    right: int

    @property
    def accuracy(self) -> float:
        """Share of the images with a right prediction."""
        return self.right / max(1, self.images)


def robustness(
    predict: Predict,
    images: np.ndarray,
    labels: np.ndarray,
    *,
    changes: Sequence[str] = tuple(BY_NAME),
    progress: Callable[[int, int], None] | None = None,
) -> list[RobustnessRow]:
    """Measure the accuracy of a classifier for increasing strengths of each change.

    Parameters
    ----------
    predict : function from images uint8 (n, H, W, C) to their classes (n,), or to one score for
        each class (n, classes), of which the largest counts, or to one probability (n, 1) of
        class 1. It preprocesses the images itself
    images : uint8 (N, H, W, C) with up to four channels
    labels : integer (N,), the true classes
    changes : names of the changes to try; default: all of `IMAGE_CHANGES`
    progress : called with (images classified so far, images to classify)

    Returns
    -------
    The rows: first that of the unchanged images, then one for each change and strength, in order

    Raises
    ------
    ArgumentError : there are no images, `labels` has another length, or a change is unknown
    DTypeError, ShapeError : an array is not as described

    Notes
    -----
    Every image is changed in a direction, or by noise, of its own, which depends on the seed of
    `mc.utils.set_random_seed`, the change and the image's number. The strength changes only how
    far, and two classifiers see the same images.

    Examples
    --------
    >>> images = np.zeros((2, 9, 9, 1), np.uint8)
    >>> images[1] = 200
    >>> rows = robustness(lambda x: x[:, 4, 4, 0] > 99, images, [0, 1], changes=["brightness"])
    >>> [(row.strength, row.right) for row in rows][:4]
    [(None, 2), (1.1, 2), (1.25, 2), (1.5, 2)]
    """
    images, labels = check_images(images), np.asarray(labels)
    if labels.shape != (len(images),) or len(images) == 0:
        raise ArgumentError(
            f"labels must be one class for each image, and there must be images; got labels "
            f"{labels.shape} for {len(images)} images"
        )
    chosen = [find_change(name) for name in changes]
    tests = [(change, s) for change in chosen for s in change.strengths_of(images.shape[1:])]
    result: list[RobustnessRow] = []
    for change, strength in [(NO_CHANGE, None), *tests]:
        right, before = 0, len(result) * len(images)
        for rows, x in _batches(images, change, strength or 0.0):
            right += int((_classes(predict(x), len(x)) == labels[rows]).sum())
            if progress is not None:
                progress(before + rows.stop, (1 + len(tests)) * len(images))
        result.append(RobustnessRow(change.name, strength, change.unit, len(images), right))
    return result


def tolerated(rows: Sequence[RobustnessRow], name: str) -> float | None:
    """Return the strength of a change at which the accuracy is 5 points below the unchanged one.

    Between two strengths that were measured, the accuracy is taken as a straight line. None means
    that even the greatest strength costs less.

    >>> rows = [RobustnessRow("unchanged", None, "", 100, 98)]
    >>> rows += [RobustnessRow("rotation", s, "degrees", 100, n) for s, n in [(10, 97), (20, 87)]]
    >>> round(tolerated(rows, "rotation"), 3)
    14.0
    """
    limit = rows[0].accuracy - POINTS
    strength, accuracy = float(BY_NAME[name].unchanged), rows[0].accuracy
    for row in rows:
        if row.change != name or row.strength is None:
            continue
        if row.accuracy <= limit:
            share = (accuracy - limit) / (accuracy - row.accuracy)
            return strength + share * (row.strength - strength)
        strength, accuracy = row.strength, row.accuracy
    return None


def _batches(
    images: np.ndarray, change: ImageChange, strength: float
) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield the rows of each batch of images, and these images after the change."""
    drawn = draw(change.name, len(images))
    size = max(1, BATCH_VALUES // images[0].size)
    for start in range(0, len(images), size):
        rows = slice(start, min(start + size, len(images)))
        yield rows, change.apply(images[rows], strength, drawn[rows])


def _classes(predicted: Any, count: int) -> np.ndarray:
    """Return the class of each image from what `predict` returned."""
    predicted = np.asarray(predicted)
    if predicted.ndim not in (1, 2) or len(predicted) != count:
        raise ShapeError(
            f"predict must return ({count},) or ({count}, classes) for {count} images; got "
            f"{predicted.shape}"
        )
    if predicted.ndim == 1:
        return predicted
    return predicted.argmax(1) if predicted.shape[1] > 1 else predicted[:, 0] > 0.5
