"""The base class of metrics: sums over samples, and a result that is computed from them."""

from __future__ import annotations

import math
import re
from typing import Any, ClassVar

import numpy as np

from minicnn.checks import check_name, shape_text
from minicnn.errors import ArgumentError, DTypeError, ShapeError
from minicnn.metrics.variables import Variable, variable
from minicnn.support.arrays import Number
from minicnn.support.reprs import repr_from_config
from minicnn.support.text import quoted


class Metric:
    """Base class of the metrics: `update_state` adds a batch; `result` covers all batches.

    There are two ways to write a metric of one's own. Keras's: the constructor creates variables
    by `add_weight` or `add_variable`, and `update_state` and `result` use them.

    >>> class Largest(Metric):
    ...     def __init__(self, name="largest", **options):
    ...         super().__init__(name=name, **options)
    ...         self.largest = self.add_weight(name="largest", initializer="zeros")
    ...     def update_state(self, y_true, y_pred, sample_weight=None):
    ...         self.largest.assign(max(self.largest, np.max(y_pred)))
    ...     def result(self):
    ...         return self.largest
    >>> float(Largest()([0, 1], [0.25, 0.5]))
    0.5

    Or a metric names its sums in `sum_shapes`, adds checked arrays to them in `add`, and computes
    `result`; these sums are float64, exact for counts. The sums and variables are a metric's only
    state, so that a resumed training gives the same bits.

    Parameters
    ----------
    dtype : None or "float32"; results are numbers of Python whatever it is
    name : the name in the history; default: the class's, as `my_metric` for `MyMetric`
    """

    __repr__ = repr_from_config
    scalar: bool = True  # False if the result is a table, which no history can hold
    # "softmax" or "sigmoid" if the loss includes it, so that predictions are logits.
    built_in: str | None = None
    DTYPES: ClassVar[tuple[str | None, ...]] = (None, "float32")

    def __init__(self, dtype: str | None = None, name: str | None = None) -> None:
        if dtype not in self.DTYPES:
            raise ArgumentError(
                f'dtype must be None or "float32"; got {quoted(dtype)}. A metric\'s name is given '
                "by name="
            )
        self.auto_named = name is None
        self.name = check_name(name) if name else metric_name(type(self).__name__)
        self._sums: dict[str, Variable] = {}
        self.make_sums()

    @property
    def dtype(self) -> str:
        """The name of the dtype of Keras's results; here they are numbers of Python."""
        return "float32"

    def make_sums(self) -> None:
        """Make the sums that `sum_shapes` names; again when their shapes are known at last."""
        for name, shape in self.sum_shapes().items():
            self._sums[name] = variable(shape, None, "float64")

    def sum_shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the name and shape of each sum; none if the constructor creates variables."""
        return {}

    def add_variable(
        self,
        shape: Any,
        initializer: Any = None,
        dtype: str | None = None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> Variable:
        """Return a new variable, which `reset_state` sets to 0.

        Parameters
        ----------
        shape, dtype : of the variable; dtype None is float32
        initializer : "zeros", "ones" or None, which means zeros
        aggregation : has no meaning on one machine
        name : by which checkpoints find it; default "variable"
        """
        del aggregation
        stem = key = name or "variable"
        while key in self._sums:
            key = f"{stem}_{len(self._sums)}"
        self._sums[key] = variable(shape, initializer, dtype or self.dtype)
        return self._sums[key]

    def add_weight(
        self,
        shape: Any = (),
        initializer: Any = None,
        dtype: str | None = None,
        name: str | None = None,
    ) -> Variable:
        """Return a new variable, like `add_variable`; by default a single number."""
        return self.add_variable(shape, initializer, dtype, name=name)

    @property
    def variables(self) -> list[Variable]:
        """All variables and sums."""
        return list(self._sums.values())

    def reset_state(self) -> None:
        """Set all variables and sums to 0."""
        for one in self._sums.values():
            one.assign(0)

    def reset(self) -> None:
        """Do what `reset_state` does."""
        self.reset_state()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Add a batch by `update_state`, and return `result()` over all batches so far."""
        self.update_state(*args, **kwargs)
        return self.result()

    def update(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch, as training does it: by `update_state`."""
        self.update_state(y_true, y_pred, sample_weight=sample_weight)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch.

        Parameters
        ----------
        y_true, y_pred : labels and predictions, the number of samples first
        sample_weight : how much each sample counts, (N,) or (N, 1); default 1
        """
        y_true, y_pred = self.checked(y_true, y_pred)
        self.add(y_true, y_pred, rows_of_weights(sample_weight, len(y_pred)))

    def checked(self, y_true: Any, y_pred: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return labels and predictions as arrays, logits as probabilities where that matters."""
        y_true, y_pred = _numbers(y_true, "y_true"), _numbers(y_pred, "y_pred")
        if y_true.ndim == 0 or y_pred.ndim == 0 or len(y_true) != len(y_pred):
            raise ShapeError(
                f"{self.name}: labels {shape_text(y_true.shape)} and predictions "
                f"{shape_text(y_pred.shape)} must have the same number of samples"
            )
        if self.built_in is not None and self.needs_probabilities:
            y_pred = probabilities(y_pred, self.built_in)
        return y_true, y_pred

    @property
    def needs_probabilities(self) -> bool:
        """Whether logits must be turned into probabilities first.

        A threshold that the user gave applies to the outputs as they are.
        """
        return False

    def add(self, y_true: np.ndarray, y_pred: np.ndarray, weights: np.ndarray) -> None:
        """Add checked arrays to the sums; `weights` is float64 (N,)."""
        raise NotImplementedError(f"{type(self).__name__} needs update_state, or sums and add")

    def result(self) -> Any:
        """Return the metric's value; 0 if no sample was counted."""
        raise NotImplementedError(f"{type(self).__name__} needs result")

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, JSON-able."""
        return {"name": self.name}

    def get_state(self) -> dict[str, Any]:
        """Return the sums and variables, JSON-able."""
        return {name: value.tolist() for name, value in self._sums.items()}

    def set_state(self, state: dict[str, Any]) -> None:
        """Take over the sums that `get_state` returned."""
        saved = {name: np.array(value, np.float64) for name, value in state.items()}
        shapes = {name: value.shape for name, value in self._sums.items()}
        if {name: value.shape for name, value in saved.items()} != shapes:
            raise ArgumentError(f"{self.name}: the saved sums are not those of this metric")
        for name, value in saved.items():
            self._sums[name].assign(value)

    def sum(self, name: str) -> np.ndarray:
        """Return the sum of that name."""
        return self._sums[name].value


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


def ratio(part: Any, whole: Any) -> Number:
    """Return part / whole, or 0 if whole is 0."""
    return Number(part / whole) if whole else Number(0.0)


def ratios(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return part / whole of each element, 0 where whole is 0."""
    return np.divide(part, whole, out=np.zeros(np.shape(whole)), where=whole != 0)


def class_indices(y: np.ndarray, shape: tuple[int, ...], name: str = "y_true") -> np.ndarray:
    """Return class indices from indices, with or without a last axis 1, or from rows.

    `shape` is the predictions', (N, ..., classes). The result has it without the last axis. Rows,
    one-hot or probabilities, have this shape.
    """
    classes = shape[-1]
    if y.shape == shape and classes > 1:
        return y.argmax(-1)
    if y.size != math.prod(shape[:-1]) or y.ndim > len(shape):
        per = "sample" if len(shape) == 2 else "row of predictions"
        raise ShapeError(
            f"{name} must have one value per {per}, or {classes} columns; got {shape_text(y.shape)}"
        )
    indices = y.reshape(shape[:-1])
    if indices.dtype.kind == "f":
        _refuse(indices, indices % 1 != 0, name, "class indices must be integers")
    indices = indices.astype(np.int64)
    if indices.size and (indices.min() < 0 or indices.max() >= classes):
        wrong = (indices < 0) | (indices >= classes)
        _refuse(indices, wrong, name, f"there are {classes} classes")
    return indices


def _refuse(y: np.ndarray, wrong: np.ndarray, name: str, why: str) -> None:
    """Raise ArgumentError for the first wrong element."""
    if wrong.any():
        i = int(np.flatnonzero(wrong)[0])
        comma = "; " if "must" in why else ", but "
        raise ArgumentError(f"{name}[{i}] = {y.reshape(-1)[i]:g}{comma}{why}")


def _numbers(y: Any, name: str) -> np.ndarray:
    array = np.asarray(y)
    if array.dtype.kind not in "uifb":
        raise DTypeError(f"{name} must be real numbers; got {array.dtype}")
    return array


def metric_name(class_name: str) -> str:
    """Return a metric's name: top_k_categorical_accuracy for TopKCategoricalAccuracy."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", class_name).lower()


def rows_of_weights(sample_weight: Any, count: int) -> np.ndarray:
    """Return the samples' weights, float64 (N,); one number is the weight of every sample."""
    if sample_weight is None:
        return np.ones(count)
    weights = np.asarray(sample_weight, np.float64)
    if weights.ndim == 0:
        return np.full(count, weights)
    if weights.shape == (count, 1):
        weights = weights[:, 0]
    if weights.shape != (count,):
        raise ShapeError(f"sample_weight must be ({count},); got {shape_text(weights.shape)}")
    return weights
