"""The result of a training: its best model, and that model's predictions for the test images."""

from __future__ import annotations

from typing import NamedTuple

from minicnn.apps.runs.before_after import BeforeAfter
from minicnn.apps.runs.image_splits import ImageSplits
from minicnn.apps.runs.predictions import Predictions
from minicnn.apps.runs.settings import Settings
from minicnn.models import Model


class RunResult(NamedTuple):
    """Everything that the report is made of."""

    settings: Settings
    images: ImageSplits
    model: Model  # of the best epoch
    history: dict[str, list[float]]
    best_epoch: int  # counted from 1
    predictions: Predictions  # for the test images
    loss: float  # mean cross-entropy on the test images
    seconds: dict[str, float]  # of "training", and of "classifying" all test images
    changes: BeforeAfter | None = None  # of continual learning
