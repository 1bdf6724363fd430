"""Losses of probabilities as metrics; the formulas are in `minicnn.losses`."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.losses.crossentropies import (
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from minicnn.losses.divergences import kl_divergence, poisson
from minicnn.metrics.means import MeanMetricWrapper


class KLDivergence(MeanMetricWrapper):
    """Mean of sum(y_true * log(y_true / y_pred)) over the samples.

    Parameters
    ----------
    name, dtype : see `Metric`
    """

    def __init__(self, name: str | None = "kl_divergence", dtype: str | None = None) -> None:
        super().__init__(kl_divergence, name, dtype)


class Poisson(MeanMetricWrapper):
    """Mean of y_pred - y_true * log(y_pred) over the samples.

    Parameters
    ----------
    name, dtype : see `Metric`
    """

    def __init__(self, name: str | None = "poisson", dtype: str | None = None) -> None:
        super().__init__(poisson, name, dtype)


class BinaryCrossentropy(MeanMetricWrapper):
    """Mean of the binary crossentropy over the samples.

    Parameters
    ----------
    name, dtype : see `Metric`
    from_logits : True if predictions need a sigmoid; default False
    label_smoothing : the part of each label that is replaced by 1/2; default 0

    >>> round(BinaryCrossentropy()([1, 0], [0.8, 0.4]), 4)
    0.367
    """

    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        dtype: str | None = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None:
        options = {"from_logits": from_logits, "label_smoothing": label_smoothing}
        super().__init__(binary_crossentropy, name, dtype, **options)

    @property
    def needs_probabilities(self) -> bool:
        """True unless the metric takes logits."""
        return not self.kwargs["from_logits"]


class CategoricalCrossentropy(MeanMetricWrapper):
    """Mean of the crossentropy over the samples; labels are one-hot rows.

    Parameters
    ----------
    name, dtype : see `Metric`
    from_logits : True if predictions need a softmax; default False
    label_smoothing : the part of each label that is spread evenly over all classes; default 0
    axis : the axis of the classes, the last one
    """

    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        dtype: str | None = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ) -> None:
        options = {"from_logits": from_logits, "label_smoothing": label_smoothing, "axis": axis}
        super().__init__(categorical_crossentropy, name, dtype, **options)

    @property
    def needs_probabilities(self) -> bool:
        """True unless the metric takes logits."""
        return not self.kwargs["from_logits"]


class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """Mean of the crossentropy over the samples; labels are class indices.

    Parameters
    ----------
    name, dtype : see `Metric`
    from_logits : True if predictions need a softmax; default False
    ignore_class : a label whose samples do not count; default None
    axis : the axis of the classes, the last one
    """

    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: str | None = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        options = {"from_logits": from_logits, "ignore_class": ignore_class, "axis": axis}
        super().__init__(sparse_categorical_crossentropy, name, dtype, **options)

    @property
    def needs_probabilities(self) -> bool:
        """True unless the metric takes logits."""
        return not self.kwargs["from_logits"]

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Add a batch; samples of the ignored class have no weight."""
        ignored = self.kwargs["ignore_class"]
        if ignored is not None:
            labels = np.asarray(y_true)
            counted = (labels != ignored).reshape(np.shape(y_pred)[:-1]).astype(np.float64)
            given = 1.0 if sample_weight is None else np.asarray(sample_weight, np.float64)
            if np.ndim(given) > counted.ndim:
                given = given.reshape(counted.shape)  # type: ignore[union-attr]
            sample_weight = counted * given
        super().update_state(y_true, y_pred, sample_weight)
