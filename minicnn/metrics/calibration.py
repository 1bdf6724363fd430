"""Calibration: what a classifier's probabilities are worth, measured on images it has not learned.

A network that was trained until it knows its training images is usually too sure of itself. One
number, the temperature T, makes its probabilities agree with how often it is right:

    p'[n, c] = p[n, c] ** (1 / T) / sum_k p[n, k] ** (1 / T)

The most probable class stays the same. Guo, Pleiss, Sun, Weinberger. On calibration of modern
neural networks. ICML 2017.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minicnn.checks import check_int, check_number, shape_text
from minicnn.errors import ArgumentError, ShapeError
from minicnn.metrics.base import class_indices

SMALLEST = 1e-7  # a probability below counts as this; Keras's epsilon
COLDEST, HOTTEST = 0.05, 20.0  # temperatures that are tried
BEYOND = 100.0  # temperatures from here on are a mistake
HALVINGS = 50  # of the interval that holds the temperature
SUM_TOLERANCE = 1e-3
BINS = 10


class Threshold(NamedTuple):
    """What happens if only predictions of at least some probability are used."""

    accuracy: float | None  # share of right ones among those that are used; None: there are none
    unsure: float  # share of the images whose prediction is not used


class Bin(NamedTuple):
    """The predictions whose probability lies in one interval: a point of a reliability diagram."""

    low: float
    high: float
    images: int
    confidence: float  # mean probability of the predicted classes
    accuracy: float  # share of right predictions


class Calibration:
    """The temperature of a classifier, and its calibrated answers for images it has not learned.

    Parameters
    ----------
    temperature : above 1 if the network is too sure of itself, below 1 if it is too unsure
    confidences : calibrated probability of the predicted class of each image, (N,) of 0...1
    correct : whether the prediction is right, bool (N,)

    Examples
    --------
    >>> calibration = Calibration(2.0, [0.95, 0.9, 0.7, 0.5], [True, True, False, True])
    >>> calibration.probabilities(np.array([[0.9, 0.1]])).round(2).tolist()
    [[0.75, 0.25]]
    >>> calibration.at(0.8), calibration.at(0.6).unsure
    (Threshold(accuracy=1.0, unsure=0.5), 0.25)
    """

    def __init__(self, temperature: float, confidences: object, correct: object) -> None:
        self.temperature = check_number(temperature, "temperature", COLDEST, BEYOND)
        self.confidences = _float_array(confidences)
        self.correct = np.asarray(correct)
        _check_answers(self.confidences, self.correct)

    def __repr__(self) -> str:
        return f"<Calibration: temperature {self.temperature:.3g}, {len(self.correct)} answers>"

    @classmethod
    def fitted(cls, probabilities: np.ndarray, labels: np.ndarray) -> Calibration:
        """Return the calibration of a network that gave these answers.

        The temperature minimizes their mean cross-entropy. As Platt does, a part 1 / (N + 2) of
        each label is spread over all classes, as otherwise a network that is right every time
        would get the lowest temperature, however few its answers are.

        Parameters
        ----------
        probabilities : (N, C), of images that the network was not trained on
        labels : the true classes, integers (N,)

        Raises
        ------
        ArgumentError, ShapeError : there is no image, or these are no probabilities and labels

        Examples
        --------
        >>> too_sure = np.array([[0.99, 0.01]] * 100)
        >>> found = Calibration.fitted(too_sure, np.array([0] * 80 + [1] * 20))
        >>> found.probabilities(too_sure)[0].round(1)  # as it is right for 80 of 100
        array([0.8, 0.2], dtype=float32)
        """
        p = _checked_probabilities(probabilities)
        if not len(p):
            raise ArgumentError("a calibration needs at least one answer; got none")
        labels = class_indices(np.asarray(labels), p.shape, "labels")
        temperature = _best_temperature(_logarithms(p), labels)
        calibrated = _tempered(p, temperature)
        return cls(temperature, calibrated.max(1), calibrated.argmax(1) == labels)

    def probabilities(self, p: np.ndarray) -> np.ndarray:
        """Return the calibrated probabilities of softmax probabilities (N, C), float32."""
        return _tempered(_checked_probabilities(p), self.temperature).astype(np.float32)

    def at(self, threshold: float) -> Threshold:
        """Return how many predictions of at least this probability are right, and what is left.

        The shares are counted. Blended with the mean probability they were no closer to those of
        other images, in 60 random splits of 1,800 photographs.
        """
        kept = self.confidences >= np.float32(check_number(threshold, "threshold", 0.0))
        right = self.correct[kept]
        accuracy = float(right.mean()) if right.size else None
        return Threshold(accuracy, 1.0 - right.size / max(1, kept.size))


def reliability(confidences: np.ndarray, correct: np.ndarray, bins: int = BINS) -> list[Bin]:
    """Return the points of a reliability diagram: one for each interval that has predictions.

    Parameters
    ----------
    confidences : probability of each predicted class, (N,) of 0...1
    correct : whether each prediction is right, bool (N,)
    bins : number of intervals of equal width

    Examples
    --------
    >>> for point in reliability(np.array([0.55, 0.58, 0.95]), np.array([True, False, True])):
    ...     print(f"{point.low:.1f}-{point.high:.1f}: {point.images}, {point.accuracy:.0%} right")
    0.5-0.6: 2, 50% right
    0.9-1.0: 1, 100% right
    """
    confidences, correct = _float_array(confidences, np.float64), np.asarray(correct)
    _check_answers(confidences, correct)
    count = check_int(bins, "bins")
    places = np.minimum((confidences * count).astype(np.int64), count - 1)
    return [
        Bin(
            i / count,
            (i + 1) / count,
            int(chosen.sum()),
            float(confidences[chosen].mean()),
            float(correct[chosen].mean()),
        )
        for i in range(count)
        if (chosen := places == i).any()
    ]


def expected_calibration_error(
    confidences: np.ndarray, correct: np.ndarray, bins: int = BINS
) -> float:
    """Return by how much probabilities and accuracy differ, on average; 0 is perfect.

        sum over bins of (images in the bin / N) * |accuracy - mean confidence|

    The parameters are those of `reliability`.

    >>> round(expected_calibration_error(np.array([0.9, 0.9]), np.array([True, False])), 2)
    0.4
    """
    points = reliability(confidences, correct, bins)
    total = sum(point.images for point in points)
    gaps = (point.images * abs(point.accuracy - point.confidence) for point in points)
    return sum(gaps) / max(1, total)


def are_probabilities(p: np.ndarray) -> bool:
    """Return whether an array is (N, C) with C > 1 and rows of 0...1 that sum to 1.

    >>> are_probabilities(np.array([[0.25, 0.75]])), are_probabilities(np.array([[0.25], [0.75]]))
    (True, False)
    """
    if p.ndim != 2 or p.shape[1] < 2:
        return False
    sums = p.sum(1, dtype=np.float64)
    return bool((p >= 0).all() and (np.abs(sums - 1) <= SUM_TOLERANCE).all())


def _best_temperature(z: np.ndarray, labels: np.ndarray) -> float:
    """Return the temperature of the least cross-entropy of softmax(z / T), by bisection.

    The cross-entropy is convex in b = 1 / T. Its slope is the mean of sum_c (p'[c] - q[c]) z[c],
    where q are the labels, one-hot apart from the part that is spread.
    """
    count = len(z)
    spread = 1 / (count + 2)
    wanted = (1 - spread) * z[np.arange(count), labels] + spread * z.mean(1)
    low, high = np.log(1 / HOTTEST), np.log(1 / COLDEST)  # of b
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        slope = ((_softmax(np.exp(middle) * z) * z).sum(1) - wanted).mean()
        low, high = (middle, high) if slope < 0 else (low, middle)
    return float(np.clip(np.exp(-(low + high) / 2), COLDEST, HOTTEST))


def _tempered(p: np.ndarray, temperature: float) -> np.ndarray:
    return _softmax(_logarithms(p) / temperature)


def _logarithms(p: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(p, SMALLEST, dtype=np.float64))


def _softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max(1, keepdims=True))
    return np.asarray(e / e.sum(1, keepdims=True))


def _checked_probabilities(p: np.ndarray) -> np.ndarray:
    p = np.asarray(p)
    if p.ndim != 2 or p.shape[1] < 2:
        raise ShapeError(
            f"probabilities must be (N, C) with C > 1 classes; got {shape_text(p.shape)}"
        )
    if not are_probabilities(p):
        raise ArgumentError(
            "probabilities must have rows that sum to 1, as those of a softmax do; these do not"
        )
    return p


def _float_array(confidences: object, dtype: type = np.float32) -> np.ndarray:
    try:
        return np.asarray(confidences, dtype)
    except (OverflowError, TypeError, ValueError) as error:
        raise ArgumentError("confidences must be an array of probabilities") from error


def _check_answers(confidences: np.ndarray, correct: np.ndarray) -> None:
    if confidences.ndim != 1 or correct.shape != confidences.shape:
        raise ShapeError(
            "confidences and correct must be (N,); got "
            f"{shape_text(confidences.shape)} and {shape_text(correct.shape)}"
        )
    if correct.dtype != np.bool_:
        raise ArgumentError(f"correct must be true or false for each image; got {correct.dtype}")
    if not ((confidences >= 0) & (confidences <= 1)).all():  # NaN is refused, too
        raise ArgumentError("confidences must be probabilities, 0...1; these are not")
