"""What a model file holds about single images: calibrated answers, and features of some of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from minicnn.metrics.calibration import Calibration
from minicnn.models.feature_sample import FeatureSample
from minicnn.models.network import Network

CALIBRATION = ("calibration/temperature", "calibration/confidences", "calibration/correct")
FEATURES = ("features/values", "features/labels", "features/held_out")


def samples_of(model: Network) -> dict[str, np.ndarray]:
    """Return the arrays of a model's calibration and feature sample, as far as it has them."""
    arrays: dict[str, np.ndarray] = {}
    if (known := model.calibration) is not None:
        temperature = np.array([known.temperature])
        arrays |= zip(CALIBRATION, (temperature, known.confidences, known.correct), strict=True)
    if (sample := model.feature_sample) is not None:
        arrays |= zip(FEATURES, (sample.values, sample.labels, sample.held_out), strict=True)
    return arrays


def take_samples(model: Network, arrays: Mapping[str, np.ndarray]) -> None:
    """Give a model the calibration and the feature sample that `samples_of` returned.

    Raises
    ------
    MiniCNNError, LookupError, ValueError : they are incomplete, or do not fit the model
    """
    unknown = set(arrays) - {*CALIBRATION, *FEATURES}
    if unknown:
        raise ValueError(f"there is no {min(unknown)[:100]!r}")
    if any(name in arrays for name in CALIBRATION):
        temperature, confidences, correct = (arrays[name] for name in CALIBRATION)
        model.calibration = Calibration(float(temperature.item()), confidences, correct)
    if any(name in arrays for name in FEATURES):
        model.feature_sample = FeatureSample(*(arrays[name] for name in FEATURES))
