"""Crossentropies that count easy samples less, or wrong labels less."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn import ops
from minicnn.checks import check_flag, check_number
from minicnn.contracts import Shape, Spec
from minicnn.losses.base import Loss, PairedLoss, tensors
from minicnn.losses.crossentropies import checked_axis
from minicnn.losses.labels import class_labels

EPSILON = 1e-7  # how far probabilities stay from 0 and 1, as in Keras


class Focal(PairedLoss):
    """Base class of the focal losses, (1 - p)^gamma * crossentropy for the right class's p.

    Parameters
    ----------
    alpha : weight of the classes
    gamma : how much less an easy sample counts; 0 is the crossentropy
    from_logits, label_smoothing, axis : see `BinaryCrossentropy`
    reduction, name, dtype : see `Loss`
    """

    def __init__(
        self,
        alpha: float,
        gamma: float,
        from_logits: bool,
        label_smoothing: float,
        axis: int,
        reduction: str | None,
        name: str | None,
        dtype: str | None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.alpha, self.gamma = alpha, check_number(gamma, "gamma", 0.0)
        self.from_logits = check_flag(from_logits, "from_logits")
        self.label_smoothing = check_number(label_smoothing, "label_smoothing", 0.0, 1.0)
        self.axis = checked_axis(axis)

    @property
    def _options(self) -> dict[str, Any]:
        """The arguments of the function that computes it."""
        names = ("alpha", "gamma", "from_logits", "label_smoothing", "axis")
        return {name: getattr(self, name) for name in names}

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**self._options, **super().get_config()}


class BinaryFocalCrossentropy(Focal):
    """Binary crossentropy * (1 - p)^gamma, where p is the probability of the right answer.

    Parameters
    ----------
    apply_class_balancing : True multiplies by `alpha` where the label is 1, else by 1 - `alpha`
    alpha, gamma, from_logits, label_smoothing, axis : see `Focal`; defaults 0.25 and 2
    reduction, name, dtype : see `Loss`

    >>> round(BinaryFocalCrossentropy()([[1.0]], [[0.5]]), 4)
    0.1733
    """

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_focal_crossentropy",
        dtype: str | None = None,
    ) -> None:
        options = (from_logits, label_smoothing, axis, reduction, name, dtype)
        super().__init__(check_number(alpha, "alpha"), gamma, *options)
        self.apply_class_balancing = check_flag(apply_class_balancing, "apply_class_balancing")

    @property
    def _options(self) -> dict[str, Any]:
        return {"apply_class_balancing": self.apply_class_balancing, **super()._options}

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value per row."""
        return binary_focal_crossentropy(y_true, y_pred, **self._options)


class CategoricalFocalCrossentropy(Focal):
    """-sum(alpha * (1 - p)^gamma * y * log(p)) for one-hot labels y.

    Parameters
    ----------
    alpha, gamma, from_logits, label_smoothing, axis : see `Focal`; defaults 0.25 and 2. `alpha` may
        be a list of one weight per class
    reduction, name, dtype : see `Loss`

    >>> round(CategoricalFocalCrossentropy()([[0, 1]], [[0.5, 0.5]]), 4)
    0.0433
    """

    def __init__(
        self,
        alpha: Any = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_focal_crossentropy",
        dtype: str | None = None,
    ) -> None:
        listed = isinstance(alpha, (list, tuple, np.ndarray))
        checked = [check_number(a, "alpha") for a in (alpha if listed else [alpha])]
        options = (from_logits, label_smoothing, axis, reduction, name, dtype)
        super().__init__(checked if listed else checked[0], gamma, *options)  # type: ignore[arg-type]

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value per row."""
        return categorical_focal_crossentropy(y_true, y_pred, **self._options)


class CategoricalGeneralizedCrossEntropy(Loss):
    """(1 - p[y]^q) / q for class indices y: bounded, so that wrong labels matter less.

    Parameters
    ----------
    q : within (0, 1]; near 0 it is the crossentropy, at 1 the absolute error; default 0.5
    reduction, name, dtype : see `Loss`
    """

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_generalized_cross_entropy",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.q = check_number(q, "q", 0.0, np.nextafter(1.0, 2.0), open=True)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value per row."""
        return categorical_generalized_cross_entropy(y_true, y_pred, self.q)

    def prepare(self, y_true: Any, output_shape: Shape) -> np.ndarray:
        """Return int32 class indices."""
        return class_labels(y_true, output_shape, self.name, None)

    def label_spec(self, output_shape: Shape) -> Spec:
        """Return the Spec of one class index per row."""
        return Spec(tuple(output_shape[:-1]), "int32")

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"q": self.q, **super().get_config()}


def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Return the mean of the focal crossentropies of each row; see `BinaryFocalCrossentropy`."""
    checked_axis(axis)
    y_true, y_pred = tensors(y_true, y_pred)
    y = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    p = ops.sigmoid(y_pred) if from_logits else y_pred
    safe = ops.clip(p, EPSILON, 1.0 - EPSILON)
    crossentropy = -(y * ops.log(safe) + (1.0 - y) * ops.log(1.0 - safe))
    right = y * p + (1.0 - y) * (1.0 - p)
    losses = ops.power(1.0 - right, gamma) * crossentropy
    if apply_class_balancing:
        losses = losses * (y * alpha + (1.0 - y) * (1.0 - alpha))
    return ops.mean(losses, axis=-1)


def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: Any = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Return the focal crossentropy of each row; see `CategoricalFocalCrossentropy`."""
    checked_axis(axis)
    y_true, y_pred = tensors(y_true, y_pred)
    y = y_true * (1.0 - label_smoothing) + label_smoothing / y_true.shape[-1]
    p = ops.softmax(y_pred, axis=-1) if from_logits else y_pred
    p = ops.clip(p / ops.sum(p, axis=-1, keepdims=True), EPSILON, 1.0 - EPSILON)
    weights = alpha if isinstance(alpha, (int, float)) else np.asarray(alpha, np.float32)
    losses = ops.power(1.0 - p, gamma) * weights * -y * ops.log(p)
    return ops.sum(losses, axis=-1)


def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float) -> Any:
    """Return (1 - y_pred[y_true]^q) / q of each row; y_true are class indices."""
    y_pred = ops.cast(ops.convert_to_tensor(y_pred), "float32")
    labels = ops.reshape(ops.cast(ops.convert_to_tensor(y_true), "int32"), y_pred.shape[:-1])
    one_hot = ops.one_hot(labels, y_pred.shape[-1])
    return (1.0 - ops.power(ops.sum(y_pred * one_hot, axis=-1), q)) / q
