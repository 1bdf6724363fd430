"""Losses: what training minimizes. The formulas are in `minicnn.backends.numpy.losses`.

A loss names its operation, checks the labels and turns them into what its kernels read. For a
network that ends in softmax or sigmoid, `fused_with` tells the planner which operation computes
activation and loss together, which is exact even where a probability would round to 0 or 1.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from minicnn.checks import check_flag, check_last_axis, check_number, shape_text
from minicnn.contracts import Shape, Spec
from minicnn.errors import ArgumentError, DTypeError, ShapeError
from minicnn.operations.losses import LOSSES
from minicnn.operations.operation import Operation, run
from minicnn.support.registry import Registry
from minicnn.support.reprs import repr_from_config

# How far the sum of a one-hot row may be from 1, as soft labels are often rounded.
ROW_TOLERANCE = 1e-3


class Loss:
    """Base class of the losses: one value per sample, how far the prediction is from the label.

    A loss can be called with labels and predictions, and then returns the mean over the samples.
    """

    __repr__ = repr_from_config
    name: ClassVar[str]

    # Whether the loss is computed by `values`, a formula of tensors, in place of an operation.
    is_formula: ClassVar[bool] = False

    def values(self, y_true: Any, y_pred: Any) -> Any:
        """Return each sample's loss, (N,), for tensors of labels and predictions."""
        raise NotImplementedError

    @property
    def operation(self) -> str:
        """Name of the operation: that of its kernels without `_forward` and `_backward`."""
        return self.name

    @property
    def attributes(self) -> dict[str, Any]:
        """The attributes of the kernels."""
        return {}

    @property
    def fused_with(self) -> dict[str, str]:
        """{a network's last activation: the operation that computes it and the loss together}."""
        return {}

    def prepare(self, y_true: Any, output_shape: Shape) -> np.ndarray:
        """Check the labels and return them as the kernels read them.

        Parameters
        ----------
        y_true : the user's labels, one per sample
        output_shape : shape of the predictions, the number of samples first

        Raises
        ------
        ArgumentError, ShapeError, DTypeError : the labels do not fit the loss or the predictions;
            the message names the first wrong one
        """
        raise NotImplementedError

    def label_spec(self, output_shape: Shape) -> Spec:
        """Return the shape and dtype of what `prepare` returns."""
        return Spec(tuple(output_shape))

    def operation_named(self, name: str) -> Operation:
        """Return the operation of that name: `operation`, or one of `fused_with`."""
        return LOSSES[name]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, JSON-able."""
        return {}

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> float:
        """Return the mean over the samples, each counted `sample_weight` times."""
        y_pred = np.asarray(y_pred)
        check_last_axis(y_pred, "y_pred")
        labels = self.prepare(y_true, y_pred.shape)
        losses, _ = run(self.operation_named(self.operation), y_pred, labels, **self.attributes)
        rows = np.ones(len(losses)) if sample_weight is None else np.asarray(sample_weight, float)
        if rows.shape != losses.shape:
            raise ShapeError(
                f"sample_weight must be {shape_text(losses.shape)}; got {shape_text(rows.shape)}"
            )
        return float(losses.astype(np.float64) @ rows) / max(len(rows), 1)


class Crossentropy(Loss):
    """Base class of the three crossentropies.

    Parameters
    ----------
    from_logits : True if the predictions are not probabilities, because the network does not end
        in softmax (or sigmoid); the loss then includes it. Default False
    label_smoothing : the part of each label that is spread evenly over all classes; default 0
    """

    activation: ClassVar[str] = "softmax"

    def __init__(self, from_logits: bool = False, label_smoothing: float = 0.0) -> None:
        self.from_logits = check_flag(from_logits, "from_logits")
        self.label_smoothing = check_number(label_smoothing, "label_smoothing", 0.0, 1.0)

    @property
    def operation(self) -> str:
        """Name of the operation, which includes the activation if the predictions are logits."""
        return self._fused if self.from_logits else self.name

    @property
    def attributes(self) -> dict[str, Any]:
        """The kernels' attribute `label_smoothing`."""
        return {"label_smoothing": self.label_smoothing}

    @property
    def fused_with(self) -> dict[str, str]:
        """{the activation: the fused operation}, or nothing if the loss includes it already."""
        return {} if self.from_logits else {self.activation: self._fused}

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"from_logits": self.from_logits, "label_smoothing": self.label_smoothing}

    @property
    def _fused(self) -> str:
        return f"{self.activation}_{self.name}"


class CategoricalCrossentropy(Crossentropy):
    """-sum(y * log(p)) for samples of one class each; labels are one-hot rows (N, C).

    >>> round(CategoricalCrossentropy()([[0, 1]], np.array([[0.5, 0.5]], np.float32)), 4)
    0.6931
    """

    name = "categorical_crossentropy"

    def prepare(self, y_true: Any, output_shape: Shape) -> np.ndarray:
        """Return float32 (N, C), whose rows add up to 1."""
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
    """-log(p[y]) for samples of one class each; labels y are class indices (N,)."""

    name = "sparse_categorical_crossentropy"

    def prepare(self, y_true: Any, output_shape: Shape) -> np.ndarray:
        """Return int32 (N,), each within 0...C - 1."""
        _check_one_row(self.name, output_shape)
        y, classes = _labels(y_true, output_shape), output_shape[-1]
        if y.ndim == 2 and y.shape[1] == 1:
            y = y[:, 0]
        if y.ndim != 1:
            raise ArgumentError(
                f"loss {self.name!r} wants class indices {_rows(output_shape[:1])} and got "
                f"{_rows(y.shape)}. Use 'categorical_crossentropy' for one-hot rows, or "
                "y.argmax(-1)"
            )
        if y.dtype.kind not in "iub":
            raise ArgumentError(
                f"class indices must be integers; y is {y.dtype}. If they are whole numbers: "
                "y.astype('int32')"
            )
        if y.size and (y.min() < 0 or y.max() >= classes):
            raise ArgumentError(_beyond_classes(y, classes))
        return y.astype(np.int32, copy=False)

    def label_spec(self, output_shape: Shape) -> Spec:
        """Return the Spec of one class index per sample."""
        return Spec(tuple(output_shape[:1]), "int32")


class BinaryCrossentropy(Crossentropy):
    """-y * log(p) - (1 - y) * log(1 - p) for yes-or-no labels y: 0, 1, or values between.

    The labels have the shape of the predictions; the loss of several outputs is their mean.
    """

    name = "binary_crossentropy"
    activation = "sigmoid"

    def prepare(self, y_true: Any, output_shape: Shape) -> np.ndarray:
        """Return float32 of the predictions' shape, within [0, 1]."""
        y = _same_shape(_labels(y_true, output_shape), output_shape)
        y = y.astype(np.float32, copy=False)
        _check_within_0_1(y, "a binary label")
        return y


class MeanSquaredError(Loss):
    """mean((y - prediction) ** 2) for labels y that are numbers, of the predictions' shape."""

    name = "mean_squared_error"

    def prepare(self, y_true: Any, output_shape: Shape) -> np.ndarray:
        """Return float32 of the predictions' shape."""
        y = _same_shape(_labels(y_true, output_shape), output_shape)
        return y.astype(np.float32, copy=False)


# --- checks of labels -------------------------------------------------------------------------


def _labels(y_true: Any, output_shape: Shape) -> np.ndarray:
    """Return the labels as an array of real numbers, after a check of their count."""
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
    """Raise ShapeError unless the predictions are one row of classes per sample."""
    if len(output_shape) != 2:
        raise ShapeError(
            f"loss {name!r} needs an output (None, classes) and the model's is "
            f"{_rows(output_shape)}. Add Flatten() or GlobalAveragePooling2D() before the last "
            "layer"
        )


def _same_shape(y: np.ndarray, output_shape: Shape) -> np.ndarray:
    """Return `y` in the predictions' shape; (N,) also means (N, 1)."""
    if y.ndim == 1 and tuple(output_shape[1:]) == (1,):
        return y[:, None]
    if y.shape != tuple(output_shape):
        raise ShapeError(
            f"y is {_rows(y.shape)}, but the model's output is {_rows(output_shape)}; labels and "
            "output must have the same shape"
        )
    return y


def _not_finite(y: np.ndarray) -> str:
    """Return the error's text for labels that are NaN or infinite."""
    i = _first(~np.isfinite(y).reshape(len(y), -1).all(1))
    row = y[i].reshape(-1)
    what = "NaN" if np.isnan(row).any() else "infinite"
    text = f"y[{i}] is {what}" if row.size == 1 else f"y[{i}] has a value that is {what}"
    return f"{text}, so the loss would be too; remove such samples or correct their labels"


def _check_within_0_1(y: np.ndarray, what: str) -> None:
    if y.size and not (y.min() >= 0 and y.max() <= 1):
        wrong = (y < 0) | (y > 1)
        i, value = _first(wrong.reshape(len(y), -1).any(1)), y[wrong][0]
        raise ArgumentError(f"y[{i}] has {value:g}, but the values of {what} must be within 0...1")


def _beyond_classes(y: np.ndarray, classes: int) -> str:
    i = _first((y < 0) | (y >= classes))
    text = f"y[{i}] = {y[i]}, but the model has {classes} classes, 0...{classes - 1}"
    if y.min() < 0:
        return f"{text}: class indices start at 0"
    return f"{text}; labels are {y.min()}...{y.max()}: Dense({y.max() + 1}) fits them"


def _first(wrong: Any) -> int:
    """Return the index of the first sample that is wrong."""
    return int(np.flatnonzero(wrong)[0])


def _rows(shape: Shape) -> str:
    """Return a shape as the summary writes it: (None, 10)."""
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
    """Return a loss from its name, from what `serialize` gave, or the object itself.

    >>> get("mse")([[1.0], [2.0]], np.array([[1.0], [4.0]]))
    2.0
    """
    return _registry.get(identifier)
