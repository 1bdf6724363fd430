"""How far a network's probabilities can be trusted: fitted after its training, and checked.

The temperature is fitted on the validation images, which have chosen the epoch and nothing else,
and what is stated at a threshold is counted on them. The test images check both. Where they are the
validation images too, they are all there is, and the check says little; the report says so.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minicnn.apps.runs.image_splits import ImageSplits
from minicnn.apps.runs.predictions import Predictions, evaluate
from minicnn.data.preprocess import Preprocess
from minicnn.metrics.calibration import (
    Bin,
    Calibration,
    are_probabilities,
    expected_calibration_error,
    reliability,
)
from minicnn.models import Model

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
HEADINGS = ("at least", "right: stated", "right: here", "unsure: stated", "unsure: here")
NONE = "-"  # where no prediction reaches the threshold


def calibrated(
    model: Model, preprocess: Preprocess, images: ImageSplits, test: Predictions
) -> Calibration | None:
    """Return the calibration of a network that is trained; None if it has no softmax.

    Parameters
    ----------
    model, preprocess : the network of the best epoch, and how images become its input
    images : those of the training
    test : its predictions for the test images
    """
    if model.output_shape[-1] != len(images.class_names):
        return None  # one sigmoid
    answers = test
    if not images.shared:
        answers, _ = evaluate(model, preprocess, images.validation, images.class_names)
    if not len(answers.labels) or not are_probabilities(answers.probabilities):
        return None
    return Calibration.fitted(answers.probabilities, answers.labels)


class Row(NamedTuple):
    """What is stated at a threshold, and what is true of the images of a test."""

    threshold: float
    stated_accuracy: float | None  # None: no prediction reaches the threshold
    accuracy: float | None
    stated_unsure: float
    unsure: float

    @property
    def cells(self) -> list[str]:
        """The row of the table, as text."""
        shares = self.stated_accuracy, self.accuracy, self.stated_unsure, self.unsure
        return [f"{self.threshold:.2f}", *(NONE if s is None else f"{s:.1%}" for s in shares)]


class CalibrationCheck:
    """A network's calibration beside the answers of a test.

    Parameters
    ----------
    calibration : what the model states
    predictions : those of the same model for images whose class is known, not calibrated
    """

    def __init__(self, calibration: Calibration, predictions: Predictions) -> None:
        self.calibration = calibration
        self.correct = predictions.predicted == predictions.labels
        self.confidence_before = predictions.confidence
        self.confidence = calibration.probabilities(predictions.probabilities).max(1)

    @property
    def error_before(self) -> float:
        """Expected calibration error of the softmax as it is."""
        return expected_calibration_error(self.confidence_before, self.correct)

    @property
    def error(self) -> float:
        """Expected calibration error of the calibrated probabilities."""
        return expected_calibration_error(self.confidence, self.correct)

    @property
    def rows(self) -> list[Row]:
        """What is stated and what is true at each threshold."""
        here = Calibration(self.calibration.temperature, self.confidence, self.correct)
        pairs = [(t, self.calibration.at(t), here.at(t)) for t in THRESHOLDS]
        return [Row(t, a.accuracy, b.accuracy, a.unsure, b.unsure) for t, a, b in pairs]

    @property
    def points(self) -> list[Bin]:
        """The reliability diagram of the calibrated probabilities."""
        return reliability(self.confidence, self.correct)

    @property
    def points_before(self) -> list[Bin]:
        """The reliability diagram of the softmax as it is."""
        return reliability(self.confidence_before, self.correct)

    def as_fields(self) -> dict[str, Any]:
        """Return the fields of report.json and of `minicnn test --json`."""
        return {
            "temperature": self.calibration.temperature,
            "answers": len(self.calibration.correct),
            "expected_calibration_error": self.error,
            "expected_calibration_error_before": self.error_before,
            "thresholds": [row._asdict() for row in self.rows],
        }

    def as_text(self) -> str:
        """Return the temperature and the errors in one sentence.

        The error is how far probabilities and accuracy are apart, on average.
        """
        return (
            f"expected calibration error {self.error:.2%} at the temperature "
            f"{self.calibration.temperature:.2f}, {self.error_before:.2%} before"
        )


def check_of(model: Model, predictions: Predictions) -> CalibrationCheck | None:
    """Return the check of a model's calibration; None if it has none."""
    if model.calibration is None or not np.size(predictions.labels):
        return None
    return CalibrationCheck(model.calibration, predictions)
