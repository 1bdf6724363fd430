"""The circle loss: embeddings of a class move together, and those of other classes apart."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn import ops
from minicnn.checks import check_flag, check_number
from minicnn.contracts import Shape, Spec
from minicnn.errors import ShapeError
from minicnn.losses.base import Loss
from minicnn.losses.labels import finite_labels, fitted

NEVER = -1e30  # the exponent of a pair that does not count


class Circle(Loss):
    """Loss of embeddings of length 1 by the cosines between all pairs of a batch.

    With d = max(1 - cosine, 0), of the pairs of one class the loss grows with d, of pairs of two
    classes it falls with d, the more the farther the pair is from the margin.

    Parameters
    ----------
    gamma : scale of the distances; default 80
    margin : how near pairs of a class should come; default 0.4
    remove_diagonal : True leaves out the pairs of a sample with itself; default True
    reduction, name, dtype : see `Loss`

    References
    ----------
    Sun et al. Circle loss: A unified perspective of pair similarity optimization. CVPR 2020.
    """

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "circle",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.gamma, self.margin = check_number(gamma, "gamma"), check_number(margin, "margin")
        self.remove_diagonal = check_flag(remove_diagonal, "remove_diagonal")
        self.refuse_weighted_mean("the circle loss")

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value per sample."""
        options = (self.remove_diagonal, self.gamma, self.margin)
        losses = circle(y_true, y_pred, None, None, *options)
        if self.reduction in ("none", None, "sum"):
            return losses
        counted = ops.sum(ops.cast(losses > 0, "float32"))  # the others have no pair, as in Keras
        return losses * (float(losses.shape[0]) / ops.maximum(counted, 1.0))

    def prepare(self, y_true: Any, output_shape: Shape) -> np.ndarray:
        """Return int32 (N,): the class of each embedding (N, features)."""
        if len(output_shape) != 2:
            raise ShapeError(f"loss {self.name!r} needs embeddings (N, features)")
        y = fitted(finite_labels(y_true, output_shape), output_shape[:1])
        if y.ndim != 1:
            raise ShapeError(f"loss {self.name!r} needs one class per sample; got {y.shape}")
        return y.astype(np.int32)

    def label_spec(self, output_shape: Shape) -> Spec:
        """Return the Spec of one class per sample."""
        return Spec(tuple(output_shape[:1]), "int32")

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        own = {"gamma": self.gamma, "margin": self.margin, "remove_diagonal": self.remove_diagonal}
        return {**own, **super().get_config()}


def circle(
    y_true: Any,
    y_pred: Any,
    ref_labels: Any = None,
    ref_embeddings: Any = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Any:
    """Return the circle loss of each embedding with all of a batch, or with those of reference.

    Parameters
    ----------
    y_true : (N,) classes
    y_pred : (N, features) embeddings of length 1
    ref_labels, ref_embeddings : classes and embeddings to compare with; default: the same
    remove_diagonal, gamma, margin : see `Circle`
    """
    y_pred = ops.cast(ops.convert_to_tensor(y_pred), "float32")
    labels = ops.reshape(ops.cast(ops.convert_to_tensor(y_true), "int32"), (-1, 1))
    others = labels if ref_labels is None else ops.cast(ops.convert_to_tensor(ref_labels), "int32")
    embeddings = y_pred if ref_embeddings is None else ops.convert_to_tensor(ref_embeddings)
    distances = ops.maximum(1.0 - ops.matmul(y_pred, ops.transpose(embeddings)), 0.0)
    same = ops.equal(labels, ops.reshape(others, (1, -1)))
    counted = same
    if remove_diagonal:
        counted = ops.logical_and(same, np.eye(*distances.shape) == 0)
    near = -gamma * ops.maximum(margin + distances, 0.0) * (margin - distances)
    far = gamma * ops.maximum(1.0 + margin - distances, 0.0) * (1.0 - margin - distances)
    positive = ops.logsumexp(ops.where(counted, near, NEVER), axis=1)
    negative = ops.logsumexp(ops.where(same, NEVER, far), axis=1)
    return ops.softplus(positive + negative)
