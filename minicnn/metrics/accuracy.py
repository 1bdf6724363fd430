"""Accuracies: how many of the predictions are right."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.checks import check_int, check_number, shape_text
from minicnn.errors import ShapeError
from minicnn.losses.labels import same_rank
from minicnn.metrics.base import class_indices
from minicnn.metrics.means import MeanMetricWrapper
from minicnn.support.arrays import Array, as_result


def accuracy(y_true: Any, y_pred: Any) -> Array:
    """Return 1 where the prediction equals the label, and 0 elsewhere."""
    y_true, y_pred = _pair(y_true, y_pred)
    return as_result((y_true == y_pred).astype(np.float32))


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Array:
    """Return 1 where the yes-or-no prediction is right, and 0 elsewhere.

    Parameters
    ----------
    y_true, y_pred : arrays of the same shape; (N,) also fits (N, 1)
    threshold : a prediction above it means yes; a label above 0.5 does
    """
    y_true, y_pred = _pair(y_true, y_pred)
    return as_result(((y_pred > threshold) == (y_true > 0.5)).astype(np.float32))


def categorical_accuracy(y_true: Any, y_pred: Any) -> Array:
    """Return 1 for each row whose largest prediction is for the right class, and 0 for the others.

    Parameters
    ----------
    y_true : one-hot rows (N, ..., C), or class indices
    y_pred : scores (N, ..., C)

    >>> categorical_accuracy([[0, 1], [1, 0]], [[0.2, 0.8], [0.1, 0.9]]).tolist()
    [1.0, 0.0]
    """
    y_pred = np.asarray(y_pred)
    right = y_pred.argmax(-1) == class_indices(np.asarray(y_true), y_pred.shape)
    return as_result(right.astype(np.float32))


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Array:
    """Return what `categorical_accuracy` does, for labels that are class indices.

    >>> sparse_categorical_accuracy([1, 0], [[0.2, 0.8], [0.1, 0.9]]).tolist()
    [1.0, 0.0]
    """
    return categorical_accuracy(y_true, y_pred)


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Array:
    """Return 1 for each row whose right class has one of the k largest predictions, else 0.

    A class whose prediction equals the k-th largest counts; one whose prediction is NaN does not.

    Parameters
    ----------
    y_true : one-hot rows (N, ..., C), or class indices
    y_pred : scores (N, ..., C)
    k : how many predictions count; default 5
    """
    y_pred = np.asarray(y_pred)
    label = class_indices(np.asarray(y_true), y_pred.shape)[..., None]
    own = np.take_along_axis(y_pred, label, -1)
    right = ((y_pred > own).sum(-1) < k) & ~np.isnan(own[..., 0])
    return as_result(right.astype(np.float32))


def sparse_top_k_categorical_accuracy(
    y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False
) -> Array:
    """Return what `top_k_categorical_accuracy` does, for labels that are class indices.

    Parameters
    ----------
    y_true, y_pred, k : as there
    from_sorted_ids : True if the predictions are not scores but class indices, best first
    """
    if not from_sorted_ids:
        return top_k_categorical_accuracy(y_true, y_pred, k)
    y_pred = np.asarray(y_pred)
    label = np.asarray(y_true).reshape(y_pred.shape[:-1])[..., None]
    return as_result((y_pred[..., :k] == label).any(-1).astype(np.float32))


class Accuracy(MeanMetricWrapper):
    """Fraction of the predictions that equal their label.

    >>> Accuracy()([1, 2, 3], [1, 2, 4])
    0.6666666666666666
    """

    def __init__(self, name: str | None = "accuracy", dtype: str | None = None) -> None:
        super().__init__(accuracy, name, dtype)


class BinaryAccuracy(MeanMetricWrapper):
    """Fraction of the yes-or-no predictions that are right.

    Of a sample with several outputs, the fraction of them that is right counts. The default
    threshold means a probability of 0.5, also of outputs that are logits.

    Parameters
    ----------
    name, dtype : see `Metric`
    threshold : a prediction above it means yes; default 0.5

    >>> accuracy = BinaryAccuracy()
    >>> accuracy.update_state([1, 0, 1], [0.9, 0.6, 0.7])
    >>> round(accuracy.result(), 3)
    0.667
    """

    def __init__(
        self,
        name: str | None = "binary_accuracy",
        dtype: str | None = None,
        threshold: float | None = 0.5,
    ) -> None:
        threshold = 0.5 if threshold is None else check_number(threshold, "threshold")
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)
        self.threshold = threshold

    @property
    def needs_probabilities(self) -> bool:
        """True unless the user gave a threshold other than 0.5."""
        return self.threshold == 0.5


class CategoricalAccuracy(MeanMetricWrapper):
    """Fraction of the samples whose right class has the largest prediction; one-hot labels."""

    def __init__(self, name: str | None = "categorical_accuracy", dtype: str | None = None) -> None:
        super().__init__(categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """Fraction of the samples whose right class has the largest prediction; labels are indices.

    >>> SparseCategoricalAccuracy()([1, 0], [[0.2, 0.8], [0.1, 0.9]])
    0.5
    """

    def __init__(
        self, name: str | None = "sparse_categorical_accuracy", dtype: str | None = None
    ) -> None:
        super().__init__(sparse_categorical_accuracy, name, dtype)


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """Fraction of the samples whose class has one of the k largest predictions; one-hot labels.

    Parameters
    ----------
    k : how many predictions count; default 5
    name, dtype : see `Metric`
    """

    def __init__(
        self,
        k: int = 5,
        name: str | None = "top_k_categorical_accuracy",
        dtype: str | None = None,
    ) -> None:
        self.k = check_int(k, "k")
        super().__init__(top_k_categorical_accuracy, name, dtype, k=self.k)


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """Fraction of the samples whose class has one of the k largest predictions; index labels.

    Parameters
    ----------
    k, from_sorted_ids : see `sparse_top_k_categorical_accuracy`
    name, dtype : see `Metric`
    """

    def __init__(
        self,
        k: int = 5,
        name: str | None = "sparse_top_k_categorical_accuracy",
        dtype: str | None = None,
        from_sorted_ids: bool = False,
    ) -> None:
        self.k, self.from_sorted_ids = check_int(k, "k"), from_sorted_ids
        options = {"k": self.k, "from_sorted_ids": from_sorted_ids}
        super().__init__(sparse_top_k_categorical_accuracy, name, dtype, **options)


def _pair(y_true: Any, y_pred: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and predictions as arrays of the same shape."""
    y_true, y_pred = same_rank(np.asarray(y_true), np.asarray(y_pred))
    if y_true.shape != y_pred.shape:
        raise ShapeError(
            f"labels {shape_text(y_true.shape)} and predictions {shape_text(y_pred.shape)} must "
            "have the same shape"
        )
    return y_true, y_pred
