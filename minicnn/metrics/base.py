"""What a metric is: sums over all samples so far, and a number made of them."""

from __future__ import annotations

import re
from typing import Any, ClassVar

import numpy as np

from minicnn.checks import check_name, shape_text
from minicnn.errors import ArgumentError, DTypeError, ShapeError
from minicnn.support.reprs import repr_from_config


class Metric:
    """Counts samples in with `update`; `result` is over all since the last `reset`.

    A subclass lists the names of its sums: float64 numbers or arrays, exact for counts, kept as
    attributes. They are all its state, so a resumed training goes on with the same bits.
    """

    __repr__ = repr_from_config
    scalar: ClassVar[bool] = True  # can a history hold the result?
    # "softmax" or "sigmoid" where the loss has it built in: the predictions are logits.
    built_in: str | None = None

    def __init__(self, name: str | None = None) -> None:
        self.name = check_name(name) if name else snake(type(self).__name__)
        self._sums: dict[str, np.ndarray] = {}
        self.reset()

    def reset(self) -> None:
        """Forget all samples."""
        self._sums = {name: np.zeros(shape) for name, shape in self.sum_shapes().items()}

    def sum_shapes(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of each sum."""
        raise NotImplementedError

    def update(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count in a batch: labels, predictions, and how much each sample counts (default 1)."""
        y_true, y_pred = _numbers(y_true, "y_true"), _numbers(y_pred, "y_pred")
        if y_true.ndim == 0 or y_pred.ndim == 0 or len(y_true) != len(y_pred):
            raise ShapeError(
                f"{self.name}: labels {shape_text(y_true.shape)} and predictions "
                f"{shape_text(y_pred.shape)} must be of the same samples"
            )
        if self.built_in is not None and self.needs_probabilities:
            y_pred = probabilities(y_pred, self.built_in)
        self.add(y_true, y_pred, _rows(sample_weight, len(y_pred)))

    @property
    def needs_probabilities(self) -> bool:
        """Would logits give another result than their probabilities?

        A threshold that the user gave is one of the network's outputs, whatever they are.
        """
        return False

    def add(self, y_true: np.ndarray, y_pred: np.ndarray, weights: np.ndarray) -> None:
        """`update` after its checks; `weights` is float64 (N,)."""
        raise NotImplementedError

    def result(self) -> Any:
        """The metric's value; 0 where nothing was counted."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, JSON-able."""
        return {"name": self.name}

    def get_state(self) -> dict[str, Any]:
        """The sums, JSON-able."""
        return {name: value.tolist() for name, value in self._sums.items()}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what `get_state` gave."""
        shapes = self.sum_shapes()
        sums = {name: np.array(value, np.float64) for name, value in state.items()}
        if {name: value.shape for name, value in sums.items()} != shapes:
            raise ArgumentError(f"{self.name}: the saved sums are not those of this metric")
        self._sums = sums

    def sum(self, name: str) -> np.ndarray:
        """One of the sums."""
        return self._sums[name]


class Mean(Metric):
    """The mean of one number a sample, which `values` gives."""

    def sum_shapes(self) -> dict[str, tuple[int, ...]]:
        """The sum of the values, and of the weights."""
        return {"total": (), "weight": ()}

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """(N,)."""
        raise NotImplementedError

    def add(self, y_true: np.ndarray, y_pred: np.ndarray, weights: np.ndarray) -> None:
        """Add the values."""
        self._sums["total"] += weights @ self.values(y_true, y_pred)
        self._sums["weight"] += weights.sum()

    def result(self) -> float:
        """total / weight."""
        return ratio(self.sum("total"), self.sum("weight"))


def probabilities(logits: np.ndarray, activation: str) -> np.ndarray:
    """float64: the softmax of each row, or the sigmoid of each number.

    >>> probabilities(np.array([[0.0, 0.0]]), "softmax").tolist()
    [[0.5, 0.5]]
    """
    z = logits.astype(np.float64)
    if activation == "sigmoid":
        return (1 + np.tanh(z / 2)) / 2  # = 1 / (1 + exp(-z)), without overflow
    powers = np.exp(z - z.max(-1, keepdims=True, initial=-np.inf))
    return powers / powers.sum(-1, keepdims=True)


def ratio(part: Any, whole: Any) -> float:
    """part / whole; 0 where there is no whole."""
    return float(part / whole) if whole else 0.0


def class_numbers(y: np.ndarray, classes: int, name: str = "y_true") -> np.ndarray:
    """(N,) integers in 0...classes - 1 from class numbers (N,), (N, 1) or rows (N, classes)."""
    if y.ndim == 2 and y.shape[1] == classes and classes > 1:
        return y.argmax(-1)
    numbers = one_each(y, name)
    if numbers.dtype.kind == "f" and not (numbers % 1 == 0).all():
        i = int(np.flatnonzero(numbers % 1 != 0)[0])
        raise ArgumentError(f"{name}[{i}] = {numbers[i]:g}; class numbers are whole")
    numbers = numbers.astype(np.int64)
    if numbers.size and (numbers.min() < 0 or numbers.max() >= classes):
        i = int(np.flatnonzero((numbers < 0) | (numbers >= classes))[0])
        raise ArgumentError(f"{name}[{i}] = {numbers[i]}, but there are {classes} classes")
    return numbers


def one_each(y: np.ndarray, name: str = "y_true") -> np.ndarray:
    """(N,) from (N,) or (N, 1)."""
    if y.size != len(y):
        raise ShapeError(f"{name} must have one number a sample; got {shape_text(y.shape)}")
    return y.reshape(len(y))


def _numbers(y: Any, name: str) -> np.ndarray:
    array = np.asarray(y)
    if array.dtype.kind not in "uifb":
        raise DTypeError(f"{name} must be real numbers; got {array.dtype}")
    return array


def snake(class_name: str) -> str:
    """top_k_categorical_accuracy from TopKCategoricalAccuracy."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", class_name).lower()


def _rows(sample_weight: Any, count: int) -> np.ndarray:
    if sample_weight is None:
        return np.ones(count)
    weights = np.asarray(sample_weight, np.float64)
    if weights.shape != (count,):
        raise ShapeError(f"sample_weight must be ({count},); got {shape_text(weights.shape)}")
    return weights
