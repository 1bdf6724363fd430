"""How often the prediction is right."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.checks import check_int, check_number, shape_text
from minicnn.errors import ShapeError
from minicnn.metrics.base import Mean, class_numbers


class BinaryAccuracy(Mean):
    """Part of the yes-or-no predictions that are right: y_pred > threshold where y_true is 1.

    With several outputs a sample counts by the part of them that is right. Without a threshold a
    prediction is a yes whose probability is above 0.5, also where the outputs are logits.
    """

    def __init__(self, name: str | None = None, threshold: float | None = None) -> None:
        super().__init__(name)
        self.threshold = None if threshold is None else check_number(threshold, "threshold")

    @property
    def needs_probabilities(self) -> bool:
        """Without a threshold of the user's."""
        return self.threshold is None

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """Part of a sample's outputs that are right."""
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
        """The constructor's arguments."""
        return {**super().get_config(), "threshold": self.threshold}


class CategoricalAccuracy(Mean):
    """Part of the samples whose largest prediction is at the label's class; labels are one-hot."""

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """1 where right."""
        return y_pred.argmax(-1) == class_numbers(y_true, y_pred.shape[-1])


class SparseCategoricalAccuracy(CategoricalAccuracy):
    """Part of the samples whose largest prediction is at the label's class, a number."""


class TopKCategoricalAccuracy(Mean):
    """Part of the samples whose class is among the k largest predictions; labels are one-hot.

    A class that ties with the k-th counts as among them; NaN does not.
    """

    def __init__(self, k: int = 5, name: str | None = None) -> None:
        super().__init__(name)
        self.k = check_int(k, "k")

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """1 where fewer than k classes are predicted to be likelier."""
        label = class_numbers(y_true, y_pred.shape[-1])[:, None]
        own = np.take_along_axis(y_pred, label, -1)
        return ((y_pred > own).sum(-1) < self.k) & ~np.isnan(own[:, 0])

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"k": self.k, **super().get_config()}


class SparseTopKCategoricalAccuracy(TopKCategoricalAccuracy):
    """Part of the samples whose class, a number, is among the k largest predictions."""
