"""The base classes of metrics: sums over samples, and a result that is computed from them."""

from __future__ import annotations

import re
from typing import Any, ClassVar

import numpy as np

from minicnn.checks import check_name, shape_text
from minicnn.errors import ArgumentError, DTypeError, ShapeError
from minicnn.support.reprs import repr_from_config


class Metric:
    """Base class of the metrics: `update` adds a batch; `result` covers all since the last `reset`.

    A subclass names its sums in `sum_shapes`, adds to them in `add` and computes `result`. The sums
    are float64, exact for counts, and the metric's only state, so that a resumed training gives the
    same bits. A subclass of `Mean` needs `values` alone.
    """

    __repr__ = repr_from_config
    scalar: ClassVar[bool] = True  # False if the result is a table, which no history can hold
    # "softmax" or "sigmoid" if the loss includes it, so that predictions are logits.
    built_in: str | None = None

    def __init__(self, name: str | None = None) -> None:
        self.name = check_name(name) if name else metric_name(type(self).__name__)
        self._sums: dict[str, np.ndarray] = {}
        self.reset()

    def reset(self) -> None:
        """Set all sums to 0."""
        self._sums = {name: np.zeros(shape) for name, shape in self.sum_shapes().items()}

    def sum_shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the name and shape of each sum."""
        raise NotImplementedError

    def update(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch: labels, predictions, and how much each sample counts, by default 1."""
        y_true, y_pred = _numbers(y_true, "y_true"), _numbers(y_pred, "y_pred")
        if y_true.ndim == 0 or y_pred.ndim == 0 or len(y_true) != len(y_pred):
            raise ShapeError(
                f"{self.name}: labels {shape_text(y_true.shape)} and predictions "
                f"{shape_text(y_pred.shape)} must have the same number of samples"
            )
        if self.built_in is not None and self.needs_probabilities:
            y_pred = probabilities(y_pred, self.built_in)
        self.add(y_true, y_pred, _rows(sample_weight, len(y_pred)))

    @property
    def needs_probabilities(self) -> bool:
        """Whether logits must be turned into probabilities first.

        A threshold that the user gave applies to the outputs as they are.
        """
        return False

    def add(self, y_true: np.ndarray, y_pred: np.ndarray, weights: np.ndarray) -> None:
        """Add checked arrays to the sums; `weights` is float64 (N,)."""
        raise NotImplementedError

    def result(self) -> Any:
        """Return the metric's value; 0 if no sample was counted."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, JSON-able."""
        return {"name": self.name}

    def get_state(self) -> dict[str, Any]:
        """Return the sums, JSON-able."""
        return {name: value.tolist() for name, value in self._sums.items()}

    def set_state(self, state: dict[str, Any]) -> None:
        """Take over the sums that `get_state` returned."""
        shapes = self.sum_shapes()
        sums = {name: np.array(value, np.float64) for name, value in state.items()}
        if {name: value.shape for name, value in sums.items()} != shapes:
            raise ArgumentError(f"{self.name}: the saved sums are not those of this metric")
        self._sums = sums

    def sum(self, name: str) -> np.ndarray:
        """Return the sum of that name."""
        return self._sums[name]


class Mean(Metric):
    """Base class of metrics that are the mean of one value per sample."""

    def sum_shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the sums of values and of weights."""
        return {"total": (), "weight": ()}

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """Return (N,): one value per sample."""
        raise NotImplementedError

    def add(self, y_true: np.ndarray, y_pred: np.ndarray, weights: np.ndarray) -> None:
        """Add the weighted values and the weights."""
        self._sums["total"] += weights @ self.values(y_true, y_pred)
        self._sums["weight"] += weights.sum()

    def result(self) -> float:
        """Return the mean, total / weight."""
        return ratio(self.sum("total"), self.sum("weight"))


def probabilities(logits: np.ndarray, activation: str) -> np.ndarray:
    """Return float64: the softmax of each row, or the sigmoid of each element.

    >>> probabilities(np.array([[0.0, 0.0]]), "softmax").tolist()
    [[0.5, 0.5]]
    """
    z = logits.astype(np.float64)
    if activation == "sigmoid":
        return (1 + np.tanh(z / 2)) / 2  # = 1 / (1 + exp(-z)), without overflow
    powers = np.exp(z - z.max(-1, keepdims=True, initial=-np.inf))
    return powers / powers.sum(-1, keepdims=True)


def ratio(part: Any, whole: Any) -> float:
    """Return part / whole, or 0 if whole is 0."""
    return float(part / whole) if whole else 0.0


def class_indices(y: np.ndarray, classes: int, name: str = "y_true") -> np.ndarray:
    """Return class indices (N,) from indices (N,) or (N, 1), or from rows (N, classes)."""
    if y.ndim == 2 and y.shape[1] == classes and classes > 1:
        return y.argmax(-1)
    indices = one_per_sample(y, name)
    if indices.dtype.kind == "f" and not (indices % 1 == 0).all():
        i = int(np.flatnonzero(indices % 1 != 0)[0])
        raise ArgumentError(f"{name}[{i}] = {indices[i]:g}; class indices must be integers")
    indices = indices.astype(np.int64)
    if indices.size and (indices.min() < 0 or indices.max() >= classes):
        i = int(np.flatnonzero((indices < 0) | (indices >= classes))[0])
        raise ArgumentError(f"{name}[{i}] = {indices[i]}, but there are {classes} classes")
    return indices


def one_per_sample(y: np.ndarray, name: str = "y_true") -> np.ndarray:
    """Return (N,) from (N,) or (N, 1)."""
    if y.size != len(y):
        raise ShapeError(f"{name} must have one value per sample; got {shape_text(y.shape)}")
    return y.reshape(len(y))


def _numbers(y: Any, name: str) -> np.ndarray:
    array = np.asarray(y)
    if array.dtype.kind not in "uifb":
        raise DTypeError(f"{name} must be real numbers; got {array.dtype}")
    return array


def metric_name(class_name: str) -> str:
    """Return a metric's name: top_k_categorical_accuracy for TopKCategoricalAccuracy."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", class_name).lower()


def _rows(sample_weight: Any, count: int) -> np.ndarray:
    if sample_weight is None:
        return np.ones(count)
    weights = np.asarray(sample_weight, np.float64)
    if weights.shape != (count,):
        raise ShapeError(f"sample_weight must be ({count},); got {shape_text(weights.shape)}")
    return weights
