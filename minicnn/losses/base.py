"""The base class of losses: a formula for each sample, and what becomes of a batch's values.

A loss is written as a formula of tensors, from which the planner gets the operations and their
gradients; or, in a subclass of `KernelLoss`, it names an operation that computes it.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

import numpy as np

from minicnn import ops
from minicnn.checks import check_name, shape_text
from minicnn.contracts import Shape, Spec
from minicnn.errors import ArgumentError, ShapeError
from minicnn.layers.tracing import apply_operation
from minicnn.losses.labels import fitted, labels_like_output, real_labels
from minicnn.operations.losses import LOSSES
from minicnn.operations.operation import Operation
from minicnn.support.arrays import as_number
from minicnn.support.reprs import repr_from_config
from minicnn.support.text import quoted

MEANS = ("sum_over_batch_size", "mean", "mean_with_sample_weight")
REDUCTIONS = (*MEANS, "sum", "none", None)


class Loss:
    """Base class of the losses: how far predictions are from their labels.

    A loss of one's own defines `call` with functions of `minicnn.ops`; it is differentiated by
    itself. Its labels are float32, of the shape in which they were given, except that (N,) becomes
    (N, 1) for predictions of this shape.

    >>> class Cubed(Loss):
    ...     def call(self, y_true, y_pred):
    ...         return ops.mean(ops.absolute(y_true - y_pred) ** 3, axis=-1)
    >>> Cubed()([[0.0], [0.0]], [[1.0], [2.0]])
    4.5

    Parameters
    ----------
    name : default: the class's, as `my_loss` for `MyLoss`
    reduction : "sum_over_batch_size" or "mean", the mean of the samples' values; "sum", their sum;
        "mean_with_sample_weight", their mean weighted by the samples' weights; or "none" or None,
        all values, which cannot be trained on. Default the first
    dtype : None or "float32"
    """

    name = "loss"
    reduction: str | None = "sum_over_batch_size"
    DTYPES: ClassVar[tuple[str | None, ...]] = (None, "float32")
    __repr__ = repr_from_config

    def __init__(
        self,
        name: str | None = None,
        reduction: str | None = "sum_over_batch_size",
        dtype: str | None = None,
    ) -> None:
        if reduction not in REDUCTIONS:
            raise ArgumentError(
                f"reduction must be one of {list(REDUCTIONS)}; got {quoted(reduction)}"
            )
        if dtype not in self.DTYPES:
            raise ArgumentError(f"losses are computed in float32: dtype=None; got {quoted(dtype)}")
        self.name = check_name(name) if name else loss_name(type(self).__name__)
        self.reduction = reduction
        self._label_shape: Shape | None = None  # of one label, where it is not the output's

    @property
    def dtype(self) -> str:
        """The name of the dtype in which it is computed."""
        return "float32"

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the losses of tensors of labels and predictions: one per sample, or more."""
        raise NotImplementedError(f"{type(self).__name__} needs call(y_true, y_pred)")

    def values(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value per sample, (N,), of tensors: what training computes for a batch.

        The loss of a batch is their mean, multiplied by `scale`. Of several values per sample the
        mean counts, or the sum if `reduction` is "sum".
        """
        losses, samples = self.call(y_true, y_pred), y_pred.shape[0]
        reduce = ops.sum if self.reduction == "sum" else ops.mean
        if len(losses.shape) == 0 or losses.shape[0] != samples:  # one value of the whole batch
            whole = reduce(losses) if len(losses.shape) else losses
            share = whole / samples if self.reduction == "sum" else whole
            return ops.multiply(np.ones(samples, np.float32), share)
        axes = tuple(range(1, len(losses.shape)))
        return reduce(losses, axis=axes) if axes else losses

    def scale(self, samples: int, weights: np.ndarray | None = None) -> float:
        """Return what the mean over the batch of the weighted `values` must be multiplied by.

        >>> Loss(reduction="sum").scale(32)
        32.0
        """
        if self.reduction == "sum":
            return float(samples)
        if self.reduction == "mean_with_sample_weight" and weights is not None:
            total = float(np.sum(weights, dtype=np.float64))
            return samples / total if total else 0.0
        return 1.0

    def refuse_weighted_mean(self, argument: str) -> None:
        """Raise ArgumentError for a mean by weights of a loss that does not count all samples."""
        if self.reduction == "mean_with_sample_weight":
            raise ArgumentError(
                f"{argument} leaves out samples, and reduction='mean_with_sample_weight' would "
                "count their weights; use 'sum_over_batch_size'"
            )

    def has_kernel(self, output_shape: Shape) -> bool:
        """Return whether `operation` computes it for such predictions, faster than `values`."""
        return False

    @property
    def fused_with(self) -> dict[str, str]:
        """{a network's last activation: the operation that computes it and the loss together}."""
        return {}

    def check_trainable(self) -> None:
        """Raise ArgumentError if the reduction leaves no number to minimize."""
        if self.reduction in ("none", None):
            raise ArgumentError(
                f"loss {self.name!r} has reduction={self.reduction!r}, so there is no number to "
                "minimize; training needs 'sum_over_batch_size' or 'sum'"
            )

    def prepare(self, y_true: Any, output_shape: Shape) -> np.ndarray:
        """Check the labels and return them as the program reads them.

        Parameters
        ----------
        y_true : the user's labels, one per sample
        output_shape : shape of the predictions, the number of samples first

        Raises
        ------
        ArgumentError, ShapeError, DTypeError : the labels do not fit the loss or the predictions;
            the message names the first wrong one
        """
        y = fitted(real_labels(y_true, output_shape), output_shape).astype(np.float32, copy=False)
        self._label_shape = y.shape[1:]
        return y

    def label_spec(self, output_shape: Shape) -> Spec:
        """Return the shape and dtype of what `prepare` returns."""
        own = getattr(self, "_label_shape", None)
        return Spec(tuple(output_shape) if own is None else (output_shape[0], *own))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, JSON-able."""
        return {"name": self.name, "reduction": self.reduction}

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the loss of labels and predictions, which may be lists or arrays.

        Parameters
        ----------
        y_true, y_pred : labels and predictions
        sample_weight : how much each sample counts; default 1
        """
        y_pred = np.ascontiguousarray(y_pred, np.float32)
        if y_pred.ndim == 0:
            raise ShapeError("y_pred must be a batch, (N, ...); got a single number")
        values = np.asarray(self.call(self.prepare(y_true, y_pred.shape), y_pred), np.float64)
        weights = None if sample_weight is None else np.asarray(sample_weight, np.float64)
        if weights is not None:
            values = values * _fitting_weights(weights, values)
        return _reduced(values, weights, self.reduction)


class PairedLoss(Loss):
    """Base class of losses whose labels are numbers in the predictions' shape."""

    def prepare(self, y_true: Any, output_shape: Shape) -> np.ndarray:
        """Return float32 of the predictions' shape."""
        return labels_like_output(y_true, output_shape)


class KernelLoss(Loss):
    """Base class of losses that an operation with kernels of its own computes."""

    kernels: ClassVar[str]  # the operation's name: its kernels' without `_forward`, `_backward`

    @property
    def operation(self) -> str:
        """Name of the operation."""
        return self.kernels

    @property
    def attributes(self) -> dict[str, Any]:
        """The attributes of the kernels."""
        return {}

    def has_kernel(self, output_shape: Shape) -> bool:
        """Return whether the operation computes it: of rows, or of any shape if means count."""
        return len(output_shape) == 2

    def operation_named(self, name: str) -> Operation:
        """Return the operation of that name: `operation`, or one of `fused_with`."""
        return LOSSES[name]

    def values(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value per sample, (N,), of tensors."""
        if not self.has_kernel(y_pred.shape):
            return super().values(y_true, y_pred)
        operation = self.operation_named(self.operation)
        return apply_operation(operation, y_pred, y_true, **self.attributes)


def loss_name(class_name: str) -> str:
    """Return a loss's name: mean_squared_error for MeanSquaredError."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", class_name).lower()


def tensors(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Return labels and predictions as tensors of float32 with equally many axes."""
    y_true, y_pred = (ops.cast(ops.convert_to_tensor(x), "float32") for x in (y_true, y_pred))
    a, b = len(y_true.shape), len(y_pred.shape)
    if a == b + 1 and y_true.shape[-1] == 1:
        return (y_true, _longer(y_pred)) if b == 1 else (_shorter(y_true), y_pred)
    if b == a + 1 and y_pred.shape[-1] == 1:
        return (_longer(y_true), y_pred) if a == 1 else (y_true, _shorter(y_pred))
    return y_true, y_pred


def _longer(x: Any) -> Any:
    return ops.reshape(x, (*x.shape, 1))


def _shorter(x: Any) -> Any:
    return ops.reshape(x, x.shape[:-1])


def _fitting_weights(weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the samples' weights in a shape that multiplies the values."""
    if values.ndim == 0:
        return weights
    if weights.ndim == values.ndim + 1 and weights.shape[-1] == 1:
        weights = weights[..., 0]
    if weights.ndim and weights.shape != values.shape[: weights.ndim]:
        wanted, got = shape_text(values.shape[:1]), shape_text(weights.shape)
        raise ShapeError(f"sample_weight must be {wanted}; got {got}")
    return weights.reshape(*weights.shape, *(1,) * (values.ndim - weights.ndim))


def _reduced(values: np.ndarray, weights: np.ndarray | None, reduction: str | None) -> Any:
    if reduction in ("none", None):
        return as_number(values.astype(np.float32))
    total = values.sum()
    if reduction == "sum":
        return as_number(total)
    count: float = max(values.size, 1)
    if reduction == "mean_with_sample_weight" and weights is not None:
        count = float(weights.sum())
    return as_number(total / count if count else 0.0)
