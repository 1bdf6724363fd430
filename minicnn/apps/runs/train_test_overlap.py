"""Test images that the network was trained on: what it remembers is not what it has understood."""

from __future__ import annotations

import hashlib

import numpy as np

from minicnn.apps.runs.load_images import Part
from minicnn.apps.runs.predictions import Answers


def repeated_images(train: Part, test: Part) -> np.ndarray:
    """(test images,) bool: which of them are among the training images, pixel by pixel.

    None, where either part is too large for memory and so was not compared as a whole.
    """
    known = {_digest(image) for image in train.images}
    found = [_digest(image) in known for image in test.images]
    return np.array(found or [False] * test.total, bool)


def accuracy_of_new_images(answers: Answers, repeated: np.ndarray) -> float | None:
    """The share of right answers about images that were never trained on; None without any."""
    new = ~repeated
    if not new.any():
        return None
    return Answers(answers.probabilities[new], answers.labels[new], answers.names).accuracy


def _digest(image: np.ndarray) -> bytes:
    return hashlib.sha256(image.tobytes()).digest()
