"""Metrics: what is reported, but not trained on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minicnn.errors import ArgumentError
from minicnn.losses import BinaryCrossentropy, Loss, SparseCategoricalCrossentropy
from minicnn.metrics.accuracy import (
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
)
from minicnn.metrics.base import Mean, Metric
from minicnn.metrics.curves import AUC, ConfusionMatrix, confusion_matrix
from minicnn.metrics.positives import F1Score, Precision, Recall
from minicnn.registry import Registry

__all__ = [
    "AUC",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "ConfusionMatrix",
    "F1Score",
    "Mean",
    "Metric",
    "Precision",
    "Recall",
    "SparseCategoricalAccuracy",
    "SparseTopKCategoricalAccuracy",
    "TopKCategoricalAccuracy",
    "confusion_matrix",
    "deserialize",
    "get",
    "serialize",
]

_registry: Registry[Metric] = Registry(
    "metric",
    (
        BinaryAccuracy,
        CategoricalAccuracy,
        SparseCategoricalAccuracy,
        TopKCategoricalAccuracy,
        SparseTopKCategoricalAccuracy,
        Precision,
        Recall,
        F1Score,
        AUC,
        ConfusionMatrix,
    ),
)
ACCURACIES = ("accuracy", "acc")


def get(
    identifier: str | dict[str, Any] | Metric,
    loss: Loss | None = None,
    output_shape: Sequence[int | None] | None = None,
) -> Metric:
    """A new metric that has counted nothing yet.

    Parameters
    ----------
    identifier : a name, what `serialize` gave, or a metric, of which a copy is made
    loss, output_shape : of the network; they decide which accuracy "accuracy" is, and how many
        classes "f1_score" has

    >>> get("accuracy", SparseCategoricalCrossentropy(), (None, 10)).name
    'accuracy'
    """
    if isinstance(identifier, Metric):
        identifier = _registry.serialize(identifier)
    metric = _made(identifier, loss, output_shape)
    if loss is not None and not metric.scalar:
        raise ArgumentError(
            f"{metric.name} is a table, not a number that a training could report; after it, "
            "confusion_matrix(y, model.predict(x)) gives the table"
        )
    return metric


def serialize(metric: str | Metric) -> str | dict[str, Any]:
    """A name as it is; a metric as its class and its constructor's arguments."""
    return metric if isinstance(metric, str) else _registry.serialize(metric)


def deserialize(data: str | dict[str, Any]) -> str | Metric:
    """What `serialize` was given."""
    return data if isinstance(data, str) else _registry.deserialize(data)


def _made(
    identifier: str | dict[str, Any], loss: Loss | None, shape: Sequence[int | None] | None
) -> Metric:
    if not isinstance(identifier, str):
        return _registry.get(identifier)
    if identifier in ACCURACIES:
        return _accuracy(loss, shape)
    if _registry.find(identifier) is F1Score:
        return F1Score(_classes(identifier, shape))
    if _registry.find(identifier) is ConfusionMatrix:
        return ConfusionMatrix(_classes(identifier, shape))
    return _registry.get(identifier)


def _accuracy(loss: Loss | None, shape: Sequence[int | None] | None) -> Metric:
    """The accuracy that fits the network, under the name "accuracy"."""
    if isinstance(loss, BinaryCrossentropy):
        # The sigmoid of a logit is above 0.5 where the logit is above 0.
        return BinaryAccuracy("accuracy", 0.0 if loss.from_logits else 0.5)
    if shape is not None and shape[-1] == 1:
        return BinaryAccuracy("accuracy")
    if isinstance(loss, SparseCategoricalCrossentropy):
        return SparseCategoricalAccuracy("accuracy")
    return CategoricalAccuracy("accuracy")


def _classes(name: str, shape: Sequence[int | None] | None) -> int:
    if shape is None or shape[-1] is None:
        raise ArgumentError(f"{name} needs the number of classes: F1Score(10)")
    return shape[-1]
