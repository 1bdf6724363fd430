"""Correlations between the columns of labels and predictions."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.losses.labels import same_rank
from minicnn.metrics.means import MeanMetricWrapper
from minicnn.support.arrays import Array, as_number

EPSILON = 1e-7


def pearson_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Array:
    """Return Pearson's correlation along an axis: covariance / (both standard deviations).

    It is NaN where all values along the axis are equal.

    >>> round(float(pearson_correlation([[0, 1, 0.5]], [[0.1, 0.9, 1.0]])[0]), 4)
    0.8109
    """
    true, pred = _centered(y_true, y_pred, axis)
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled = [x / x.std(axis, keepdims=True) for x in (true, pred)]
        return as_number((scaled[0] * scaled[1]).mean(axis).astype(np.float32))


def concordance_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Array:
    """Return the concordance correlation along an axis, which also asks for equal means.

    2 covariance / (both variances + (difference of the means)^2 + 1e-7)

    >>> round(float(concordance_correlation([[0, 1, 0.5]], [[0.1, 0.9, 1.0]])[0]), 4)
    0.7477
    """
    y_true, y_pred = same_rank(np.asarray(y_true, np.float32), np.asarray(y_pred, np.float32))
    true, pred = _centered(y_true, y_pred, axis)
    apart = (y_true.mean(axis) - y_pred.mean(axis)) ** 2
    spread = true.var(axis) + pred.var(axis) + apart
    return as_number(2 * (true * pred).mean(axis) / (spread + EPSILON))


def _centered(y_true: Any, y_pred: Any, axis: int) -> list[np.ndarray]:
    pair = same_rank(np.asarray(y_true, np.float32), np.asarray(y_pred, np.float32))
    return [x - x.mean(axis, keepdims=True) for x in pair]


class PearsonCorrelation(MeanMetricWrapper):
    """Mean over the samples of `pearson_correlation` of their values.

    Parameters
    ----------
    name, dtype : see `Metric`
    axis : the axis of the values; default -1
    """

    def __init__(
        self,
        name: str | None = "pearson_correlation",
        dtype: str | None = None,
        axis: int = -1,
    ) -> None:
        super().__init__(pearson_correlation, name, dtype, axis=axis)


class ConcordanceCorrelation(MeanMetricWrapper):
    """Mean over the samples of `concordance_correlation` of their values.

    Parameters
    ----------
    name, dtype : see `Metric`
    axis : the axis of the values; default -1
    """

    def __init__(
        self,
        name: str | None = "concordance_correlation",
        dtype: str | None = None,
        axis: int = -1,
    ) -> None:
        super().__init__(concordance_correlation, name, dtype, axis=axis)
