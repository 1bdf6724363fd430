"""Accuracies: how many of the predictions are right."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.checks import check_int, check_number, shape_text
from minicnn.errors import ShapeError
from minicnn.metrics.base import Mean, class_indices


class BinaryAccuracy(Mean):
    """Fraction of the yes-or-no predictions that are right.

    Parameters
    ----------
    threshold : a prediction above it means yes; default None: a probability above 0.5, also of
        outputs that are logits

    Of a sample with several outputs, the fraction of them that is right counts.

    >>> accuracy = BinaryAccuracy()
    >>> accuracy.update([1, 0, 1], [0.9, 0.6, 0.7])
    >>> round(accuracy.result(), 3)
    0.667
    """

    def __init__(self, name: str | None = None, threshold: float | None = None) -> None:
        super().__init__(name)
        self.threshold = None if threshold is None else check_number(threshold, "threshold")

    @property
    def needs_probabilities(self) -> bool:
        """True unless the user gave a threshold."""
        return self.threshold is None

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """Return (N,): the fraction of each sample's outputs that are right."""
        if y_true.size != y_pred.size:
            raise ShapeError(
                f"{self.name}: labels {shape_text(y_true.shape)} and predictions "
                f"{shape_text(y_pred.shape)} must have the same shape"
            )
        right = (y_pred > (0.5 if self.threshold is None else self.threshold)) == (
            y_true.reshape(y_pred.shape) > 0.5
        )
        return right.mean(tuple(range(1, right.ndim)))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "threshold": self.threshold}


class CategoricalAccuracy(Mean):
    """Fraction of the samples whose right class has the largest prediction; one-hot labels."""

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """Return (N,): whether the largest prediction is for the right class."""
        return y_pred.argmax(-1) == class_indices(y_true, y_pred.shape[-1])


class SparseCategoricalAccuracy(CategoricalAccuracy):
    """Fraction of the samples whose right class has the largest prediction; labels are indices."""


class TopKCategoricalAccuracy(Mean):
    """Fraction of the samples whose class has one of the k largest predictions; one-hot labels.

    A class whose prediction equals the k-th largest counts; one whose prediction is NaN does not.
    """

    def __init__(self, k: int = 5, name: str | None = None) -> None:
        super().__init__(name)
        self.k = check_int(k, "k")

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """Return (N,): whether fewer than k classes have a larger prediction than the right one."""
        label = class_indices(y_true, y_pred.shape[-1])[:, None]
        own = np.take_along_axis(y_pred, label, -1)
        return ((y_pred > own).sum(-1) < self.k) & ~np.isnan(own[:, 0])

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"k": self.k, **super().get_config()}


class SparseTopKCategoricalAccuracy(TopKCategoricalAccuracy):
    """Fraction of the samples whose class has one of the k largest predictions; index labels."""
