"""Find test images that are also training images: their scores show memory, not understanding."""

from __future__ import annotations

import hashlib

import numpy as np

from minicnn.apps.runs.image_splits import Split
from minicnn.apps.runs.predictions import Predictions


def repeated_images(train: Split, test: Split) -> np.ndarray:
    """Return which test images have the same pixels as a training image, bool (test images,).

    All are False if the images of either split are not in memory.
    """
    known = {_digest(image) for image in train.images}
    found = [_digest(image) in known for image in test.images]
    return np.array(found or [False] * test.total, bool)


def accuracy_of_new_images(predictions: Predictions, repeated: np.ndarray) -> float | None:
    """Return the accuracy on test images that are not training images; None if there are none."""
    new = ~repeated
    if not new.any():
        return None
    return Predictions(
        predictions.probabilities[new], predictions.labels[new], predictions.class_names
    ).accuracy


def _digest(image: np.ndarray) -> bytes:
    return hashlib.sha256(image.tobytes()).digest()
