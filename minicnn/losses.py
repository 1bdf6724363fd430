"""Losses: what training makes small. Formulas stand in `minicnn.backends.numpy.losses`.

A loss names its operation, checks the labels and turns them into what its kernels read. Where a
network ends in softmax or sigmoid, `fused_with` tells the planner which operation computes both at
once: exact even where the probabilities themselves would round to 0 or 1.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from minicnn.checks import check_flag, check_last_axis, check_number, shape_text
from minicnn.contracts import Shape, Spec
from minicnn.errors import ArgumentError, DTypeError, ShapeError
from minicnn.ops.losses import LOSSES
from minicnn.ops.operation import Operation, apply
from minicnn.support.registry import Registry
from minicnn.support.reprs import repr_from_config

# How far the numbers of a one-hot row may add up from 1: soft labels are written with few digits.
ROW_TOLERANCE = 1e-3


class Loss:
    """One number for a sample: how far the prediction is from the label."""

    __repr__ = repr_from_config
    name: ClassVar[str]

    @property
    def operation(self) -> str:
        """Name of the operation: the kernels' names without `_forward` and `_backward`."""
        return self.name

    @property
    def attributes(self) -> dict[str, Any]:
        """The kernels' attributes."""
        return {}

    @property
    def fused_with(self) -> dict[str, str]:
        """{last activation of a network: the operation that is activation and loss in one}."""
        return {}

    def prepare(self, y_true: Any, output_shape: Shape) -> np.ndarray:
        """The labels as the kernels read them, after every check.

        Parameters
        ----------
        y_true : the user's labels, one for each sample
        output_shape : of the predictions, with the number of samples in front

        Raises
        ------
        ArgumentError, ShapeError, DTypeError : the labels do not fit the loss or the predictions;
            the message names the first wrong one
        """
        raise NotImplementedError

    def label_spec(self, output_shape: Shape) -> Spec:
        """Shape and dtype of what `prepare` returns."""
        return Spec(tuple(output_shape))

    def operation_named(self, name: str) -> Operation:
        """`operation`, or a value of `fused_with`, with its checks and its gradient."""
        return LOSSES[name]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, JSON-able."""
        return {}

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> float:
        """The mean over the samples, each counted `sample_weight` times."""
        y_pred = np.asarray(y_pred)
        check_last_axis(y_pred, "y_pred")
        labels = self.prepare(y_true, y_pred.shape)
        losses, _ = apply(self.operation_named(self.operation), y_pred, labels, **self.attributes)
        rows = np.ones(len(losses)) if sample_weight is None else np.asarray(sample_weight, float)
        if rows.shape != losses.shape:
            raise ShapeError(
                f"sample_weight must be {shape_text(losses.shape)}; got {shape_text(rows.shape)}"
            )
        return float(losses.astype(np.float64) @ rows) / max(len(rows), 1)


class Crossentropy(Loss):
    """What the three crossentropies share.

    Parameters
    ----------
    from_logits : the predictions are not probabilities yet: the network has no softmax (sigmoid)
        at its end, the loss has it built in
    label_smoothing : this part of each label is spread evenly over all classes
    """

    activation: ClassVar[str] = "softmax"

    def __init__(self, from_logits: bool = False, label_smoothing: float = 0.0) -> None:
        self.from_logits = check_flag(from_logits, "from_logits")
        self.label_smoothing = check_number(label_smoothing, "label_smoothing", 0.0, 1.0)

    @property
    def operation(self) -> str:
        """The loss, with its activation in front where the predictions are logits."""
        return self._fused if self.from_logits else self.name

    @property
    def attributes(self) -> dict[str, Any]:
        """The smoothing."""
        return {"label_smoothing": self.label_smoothing}

    @property
    def fused_with(self) -> dict[str, str]:
        """The activation, unless the loss has one already."""
        return {} if self.from_logits else {self.activation: self._fused}

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"from_logits": self.from_logits, "label_smoothing": self.label_smoothing}

    @property
    def _fused(self) -> str:
        return f"{self.activation}_{self.name}"


class CategoricalCrossentropy(Crossentropy):
    """For one class of several; labels are one-hot rows (N, C)."""

    name = "categorical_crossentropy"

    def prepare(self, y_true: Any, output_shape: Shape) -> np.ndarray:
        """float32 (N, C), each row adding up to 1."""
        _check_one_row(self.name, output_shape)
        y, classes = _labels(y_true, output_shape), output_shape[-1]
        if y.ndim < len(output_shape) or (y.shape[-1] == 1 and classes > 1):
            kind = "integers" if y.dtype.kind in "iub" else "numbers"
            raise ArgumentError(
                f"loss {self.name!r} wants one-hot labels {_rows(output_shape)} and got {kind} "
                f"{_rows(y.shape)}. Use 'sparse_categorical_crossentropy' or "
                f"to_categorical(y, {classes})"
            )
        y = _same_shape(y, output_shape).astype(np.float32, copy=False)
        _check_within_0_1(y, "a one-hot row")
        sums = y.sum(-1)
        if (np.abs(sums - 1) > ROW_TOLERANCE).any():
            i = _first(np.abs(sums - 1) > ROW_TOLERANCE)
            raise ArgumentError(f"y[{i}] adds up to {sums[i]:g}, but a one-hot row adds up to 1")
        return y


class SparseCategoricalCrossentropy(Crossentropy):
    """For one class of several; labels are class numbers (N,)."""

    name = "sparse_categorical_crossentropy"

    def prepare(self, y_true: Any, output_shape: Shape) -> np.ndarray:
        """int32 (N,), each in 0...C - 1."""
        _check_one_row(self.name, output_shape)
        y, classes = _labels(y_true, output_shape), output_shape[-1]
        if y.ndim == 2 and y.shape[1] == 1:
            y = y[:, 0]
        if y.ndim != 1:
            raise ArgumentError(
                f"loss {self.name!r} wants class numbers {_rows(output_shape[:1])} and got "
                f"{_rows(y.shape)}. Use 'categorical_crossentropy' for one-hot rows, or "
                "y.argmax(-1)"
            )
        if y.dtype.kind not in "iub":
            raise ArgumentError(
                f"class numbers must be integers; y is {y.dtype}. If they are whole numbers: "
                "y.astype('int32')"
            )
        if y.size and (y.min() < 0 or y.max() >= classes):
            raise ArgumentError(_beyond_classes(y, classes))
        return y.astype(np.int32, copy=False)

    def label_spec(self, output_shape: Shape) -> Spec:
        """One class number a sample."""
        return Spec(tuple(output_shape[:1]), "int32")


class BinaryCrossentropy(Crossentropy):
    """For yes or no; labels are 0 or 1 (or between), of the predictions' shape."""

    name = "binary_crossentropy"
    activation = "sigmoid"

    def prepare(self, y_true: Any, output_shape: Shape) -> np.ndarray:
        """float32 of the predictions' shape, within [0, 1]."""
        y = _same_shape(_labels(y_true, output_shape), output_shape)
        y = y.astype(np.float32, copy=False)
        _check_within_0_1(y, "a binary label")
        return y


class MeanSquaredError(Loss):
    """For numbers; labels are of the predictions' shape."""

    name = "mean_squared_error"

    def prepare(self, y_true: Any, output_shape: Shape) -> np.ndarray:
        """float32 of the predictions' shape."""
        y = _same_shape(_labels(y_true, output_shape), output_shape)
        return y.astype(np.float32, copy=False)


# --- checks of labels -------------------------------------------------------------------------


def _labels(y_true: Any, output_shape: Shape) -> np.ndarray:
    """An array of real numbers with one entry for each sample."""
    y = np.asarray(y_true)
    if y.dtype.kind not in "iubf":
        raise DTypeError(f"y must be real numbers; got {y.dtype}")
    if y.ndim == 0 or len(y) != output_shape[0]:
        got = "a single number" if y.ndim == 0 else f"{len(y)} labels"
        raise ArgumentError(f"y needs one label for each of {output_shape[0]} samples; got {got}")
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        raise ArgumentError(_not_finite(y))
    return y


def _check_one_row(name: str, output_shape: Shape) -> None:
    """The softmax losses are of one row of classes a sample."""
    if len(output_shape) != 2:
        raise ShapeError(
            f"loss {name!r} needs an output (None, classes) and the model's is "
            f"{_rows(output_shape)}. Add Flatten() or GlobalAveragePooling2D() before the last "
            "layer"
        )


def _same_shape(y: np.ndarray, output_shape: Shape) -> np.ndarray:
    """`y` in the predictions' shape; (N,) also means (N, 1)."""
    if y.ndim == 1 and tuple(output_shape[1:]) == (1,):
        return y[:, None]
    if y.shape != tuple(output_shape):
        raise ShapeError(
            f"y is {_rows(y.shape)}, but the model's output is {_rows(output_shape)}; labels and "
            "output must have the same shape"
        )
    return y


def _not_finite(y: np.ndarray) -> str:
    """Which sample's label is NaN or infinite."""
    i = _first(~np.isfinite(y).reshape(len(y), -1).all(1))
    row = y[i].reshape(-1)
    what = "NaN" if np.isnan(row).any() else "infinite"
    text = f"y[{i}] is {what}" if row.size == 1 else f"y[{i}] has a number that is {what}"
    return f"{text}, so the loss would be too; take such samples out, or mend their labels"


def _check_within_0_1(y: np.ndarray, what: str) -> None:
    if y.size and not (y.min() >= 0 and y.max() <= 1):
        wrong = (y < 0) | (y > 1)
        i, value = _first(wrong.reshape(len(y), -1).any(1)), y[wrong][0]
        raise ArgumentError(f"y[{i}] has {value:g}, but the numbers of {what} are within 0...1")


def _beyond_classes(y: np.ndarray, classes: int) -> str:
    i = _first((y < 0) | (y >= classes))
    text = f"y[{i}] = {y[i]}, but the model has {classes} classes, 0...{classes - 1}"
    if y.min() < 0:
        return f"{text}: class numbers start at 0"
    return f"{text}; labels are {y.min()}...{y.max()}: Dense({y.max() + 1}) fits them"


def _first(wrong: Any) -> int:
    """Number of the first sample that is wrong."""
    return int(np.flatnonzero(wrong)[0])


def _rows(shape: Shape) -> str:
    """(None, 10): a shape as the summary writes it."""
    return shape_text((None, *shape[1:]))


_registry: Registry[Loss] = Registry(
    "loss",
    Loss,
    (CategoricalCrossentropy, SparseCategoricalCrossentropy, BinaryCrossentropy, MeanSquaredError),
    {"mse": MeanSquaredError},
)
serialize, deserialize = _registry.serialize, _registry.deserialize
check_rebuildable = _registry.check_rebuildable


def get(identifier: str | dict[str, Any] | Loss) -> Loss:
    """A loss from its name, from what `serialize` gave, or the object itself.

    >>> get("mse")([[1.0], [2.0]], np.array([[1.0], [4.0]]))
    2.0
    """
    return _registry.get(identifier)
