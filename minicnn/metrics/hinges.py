"""Hinge losses as metrics; the formulas are in `minicnn.losses.hinges`."""

from __future__ import annotations

from minicnn.losses.hinges import categorical_hinge, hinge, squared_hinge
from minicnn.metrics.means import MeanMetricWrapper


class Hinge(MeanMetricWrapper):
    """Mean of max(1 - y_true * y_pred, 0), for labels -1 and 1, or 0 and 1."""

    def __init__(self, name: str | None = "hinge", dtype: str | None = None) -> None:
        super().__init__(hinge, name, dtype)


class SquaredHinge(MeanMetricWrapper):
    """Mean of max(1 - y_true * y_pred, 0) squared, for labels -1 and 1, or 0 and 1."""

    def __init__(self, name: str | None = "squared_hinge", dtype: str | None = None) -> None:
        super().__init__(squared_hinge, name, dtype)


class CategoricalHinge(MeanMetricWrapper):
    """Mean of max(1 + largest wrong score - right score, 0), for one-hot labels."""

    def __init__(self, name: str | None = "categorical_hinge", dtype: str | None = None) -> None:
        super().__init__(categorical_hinge, name, dtype)
