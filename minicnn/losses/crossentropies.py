"""Crossentropies: losses of probabilities, or of the logits from which a loss makes them.

For a network that ends in softmax or sigmoid, `fused_with` tells the planner which operation
computes activation and loss together, which is exact even where a probability would round to 0
or 1.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from minicnn import ops
from minicnn.checks import check_flag, check_number
from minicnn.contracts import Shape, Spec
from minicnn.errors import ArgumentError, ShapeError
from minicnn.layers.tracing import apply_operation
from minicnn.losses.base import MEANS, KernelLoss, tensors
from minicnn.losses.labels import (
    check_within_0_1,
    class_labels,
    labels_like_output,
    one_hot_labels,
)
from minicnn.operations.losses import LOSSES
from minicnn.shapes import is_int
from minicnn.support.text import quoted


class Crossentropy(KernelLoss):
    """Base class of the three crossentropies.

    Parameters
    ----------
    from_logits : True if the predictions are not probabilities, because the network does not end
        in softmax (or sigmoid); the loss then includes it. Default False
    label_smoothing : the part of each label that is spread evenly over all classes; default 0
    axis : the axis of the classes, the last one
    reduction, name, dtype : see `Loss`
    """

    activation: ClassVar[str] = "softmax"
    from_logits = False
    label_smoothing = 0.0

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.from_logits = check_flag(from_logits, "from_logits")
        self.label_smoothing = check_number(label_smoothing, "label_smoothing", 0.0, 1.0)
        self.axis = checked_axis(axis)

    @property
    def operation(self) -> str:
        """Name of the operation, which includes the activation if the predictions are logits."""
        return self._fused if self.from_logits else self.kernels

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
        own = {"from_logits": self.from_logits, "label_smoothing": self.label_smoothing}
        return {**own, **super().get_config()}

    @property
    def _fused(self) -> str:
        return f"{self.activation}_{self.kernels}"


class CategoricalCrossentropy(Crossentropy):
    """-sum(y * log(p)) for samples of one class each; labels are one-hot rows (N, C).

    >>> round(CategoricalCrossentropy()([[0, 1]], np.array([[0.5, 0.5]], np.float32)), 4)
    0.6931
    """

    kernels = name = "categorical_crossentropy"

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: str | None = None,
    ) -> None:
        super().__init__(from_logits, label_smoothing, axis, reduction, name, dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the crossentropy of each row."""
        options = (self.from_logits, self.label_smoothing)
        return categorical_crossentropy(y_true, y_pred, *options)

    def prepare(self, y_true: Any, output_shape: Shape) -> np.ndarray:
        """Return float32 labels of the predictions' shape, whose rows add up to 1."""
        return one_hot_labels(y_true, output_shape, self.name)


class SparseCategoricalCrossentropy(Crossentropy):
    """-log(p[y]) for samples of one class each; labels y are class indices (N,).

    Parameters
    ----------
    from_logits : see `CategoricalCrossentropy`
    ignore_class : a label, such as -1 or 255, whose samples do not count; default None
    reduction, axis, name, dtype, label_smoothing : see `CategoricalCrossentropy`

    >>> round(SparseCategoricalCrossentropy()([1], [[0.5, 0.5]]), 4)
    0.6931
    """

    kernels = name = "sparse_categorical_crossentropy"
    ignore_class: int | None = None

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: str | None = None,
        *,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(from_logits, label_smoothing, axis, reduction, name, dtype)
        if ignore_class is not None and not is_int(ignore_class):
            raise ArgumentError(
                f"ignore_class must be an integer or None; got {quoted(ignore_class)}"
            )
        self.ignore_class = None if ignore_class is None else int(ignore_class)
        if ignore_class is not None:
            self.refuse_weighted_mean("ignore_class")

    def has_kernel(self, output_shape: Shape) -> bool:
        """Return whether the operation computes it: of rows, if all of them count."""
        return super().has_kernel(output_shape) and self.ignore_class is None

    @property
    def fused_with(self) -> dict[str, str]:
        """{the activation: the fused operation}, if all samples count."""
        return super().fused_with if self.ignore_class is None else {}

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the crossentropy of each row; 0 where the class is ignored."""
        losses, counted = _sparse(
            y_true, y_pred, self.from_logits, self.ignore_class, self.label_smoothing
        )
        if counted is None or self.reduction not in MEANS:
            return losses
        total = float(np.prod(losses.shape))
        return losses * (total / ops.maximum(ops.sum(counted), 1.0))

    def prepare(self, y_true: Any, output_shape: Shape) -> np.ndarray:
        """Return int32 of the predictions' shape without its last axis, each within 0...C - 1."""
        return class_labels(y_true, output_shape, self.name, self.ignore_class)

    def label_spec(self, output_shape: Shape) -> Spec:
        """Return the Spec of one class index per row."""
        return Spec(tuple(output_shape[:-1]), "int32")

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"ignore_class": self.ignore_class, **super().get_config()}


class BinaryCrossentropy(Crossentropy):
    """-y * log(p) - (1 - y) * log(1 - p) for yes-or-no labels y: 0, 1, or values between.

    The labels have the shape of the predictions; the loss of several outputs is their mean.

    >>> round(BinaryCrossentropy()([1, 0], [0.5, 0.5]), 4)
    0.6931
    """

    kernels = name = "binary_crossentropy"
    activation = "sigmoid"

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: str | None = None,
    ) -> None:
        super().__init__(from_logits, label_smoothing, axis, reduction, name, dtype)

    def has_kernel(self, output_shape: Shape) -> bool:
        """Return whether the operation computes it: of rows, or of any shape if means count."""
        return len(output_shape) == 2 or (len(output_shape) > 2 and self.reduction in MEANS)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the mean of each row's crossentropies."""
        return binary_crossentropy(y_true, y_pred, self.from_logits, self.label_smoothing)

    def prepare(self, y_true: Any, output_shape: Shape) -> np.ndarray:
        """Return float32 of the predictions' shape, within [0, 1]."""
        y = labels_like_output(y_true, output_shape)
        check_within_0_1(y, "a binary label")
        return y


def categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Return -sum(y_true * log(y_pred)) of each row.

    Parameters
    ----------
    y_true, y_pred : (..., C): one-hot rows, and probabilities, or logits if `from_logits`
    from_logits, label_smoothing, axis : see `CategoricalCrossentropy`

    >>> categorical_crossentropy([[0, 1]], [[0.5, 0.5]]).round(4).tolist()
    [0.6930999755859375]
    """
    checked_axis(axis)
    y_true, y_pred = tensors(y_true, y_pred)
    return _of_rows("categorical_crossentropy", y_true, y_pred, from_logits, label_smoothing)


def sparse_categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> Any:
    """Return -log(y_pred[y_true]) of each row.

    Parameters
    ----------
    y_true : (...) or (..., 1): class indices
    y_pred : (..., C): probabilities, or logits if `from_logits`
    from_logits, ignore_class, axis : see `SparseCategoricalCrossentropy`
    """
    checked_axis(axis)
    y_pred = ops.cast(ops.convert_to_tensor(y_pred), "float32")
    if isinstance(y_pred, np.ndarray):
        y_true = class_labels(np.atleast_1d(y_true), y_pred.shape, "y_true", ignore_class)
    return _sparse(y_true, y_pred, from_logits, ignore_class, 0.0)[0]


def binary_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Return the mean of -y_true * log(y_pred) - (1 - y_true) * log(1 - y_pred) of each row.

    Parameters
    ----------
    y_true, y_pred : arrays (..., C): labels within 0...1, and probabilities, or logits
    from_logits, label_smoothing, axis : see `BinaryCrossentropy`
    """
    checked_axis(axis)
    y_true, y_pred = tensors(y_true, y_pred)
    return _of_rows("binary_crossentropy", y_true, y_pred, from_logits, label_smoothing)


def checked_axis(axis: Any) -> int:
    """Return -1; another axis than the last one is refused."""
    if axis != -1 or isinstance(axis, bool):
        raise ArgumentError(
            f"axis must be -1, as channels are last here; got {quoted(axis)}. Move the axis of the "
            "classes to the end: ops.moveaxis"
        )
    return -1


def _of_rows(name: str, y_true: Any, y_pred: Any, from_logits: bool, label_smoothing: float) -> Any:
    """Apply a crossentropy's operation to rows (..., C); return (...)."""
    shape, classes = tuple(y_pred.shape), y_pred.shape[-1]
    kind = "sigmoid" if name == "binary_crossentropy" else "softmax"
    operation = LOSSES[f"{kind}_{name}" if from_logits else name]
    sparse = len(y_true.shape) < len(shape) or name.startswith("sparse")
    labels = ops.reshape(y_true, (-1,) if sparse else (-1, classes))
    rows = ops.reshape(y_pred, (-1, classes))
    losses = apply_operation(operation, rows, labels, label_smoothing=label_smoothing)
    return ops.reshape(losses, shape[:-1])


def _sparse(
    y_true: Any, y_pred: Any, from_logits: bool, ignored: int | None, label_smoothing: float
) -> tuple[Any, Any]:
    """Return the losses of each row, and 1 for those that count; None if all do."""
    if np.prod(y_true.shape) != np.prod(y_pred.shape[:-1]):
        raise ShapeError(f"labels {y_true.shape} do not fit predictions {y_pred.shape}")
    labels = ops.cast(y_true, "int32")
    name = "sparse_categorical_crossentropy"
    if ignored is None:
        return _of_rows(name, labels, y_pred, from_logits, label_smoothing), None
    labels = ops.reshape(labels, tuple(y_pred.shape[:-1]))
    counted = ops.cast(ops.not_equal(labels, ignored), "float32")
    labels = ops.where(ops.equal(labels, ignored), 0, labels)
    losses = _of_rows(name, labels, y_pred, from_logits, label_smoothing)
    return ops.where(counted > 0, losses, 0.0), counted
