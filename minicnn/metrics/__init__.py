"""Metrics, which training reports but does not minimize."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

from minicnn.errors import ArgumentError
from minicnn.losses import BinaryCrossentropy, Crossentropy, Loss, SparseCategoricalCrossentropy
from minicnn.metrics.accuracy import (
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
)
from minicnn.metrics.base import Mean, Metric, metric_name
from minicnn.metrics.curves import AUC, ConfusionMatrix, confusion_matrix
from minicnn.metrics.positives import F1Score, Precision, Recall
from minicnn.support.registry import Registry

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
    "as_metrics",
    "confusion_matrix",
    "deserialize",
    "get",
    "serialize",
]

_registry: Registry[Metric] = Registry(
    "metric",
    Metric,
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
check_rebuildable = _registry.check_rebuildable
ACCURACIES = ("accuracy", "acc")


def get(
    identifier: str | dict[str, Any] | Metric,
    loss: Loss | None = None,
    output_shape: Sequence[int | None] | None = None,
) -> Metric:
    """Return a new metric, with no samples counted yet.

    Parameters
    ----------
    identifier : a name, what `serialize` gave, or a metric, which is copied
    loss, output_shape : the network's; they decide which accuracy "accuracy" is, how many classes
        "f1_score" has, and whether the predictions are logits

    >>> get("accuracy", SparseCategoricalCrossentropy(), (None, 10)).name
    'accuracy'
    """
    if isinstance(identifier, Metric):
        metric = _copy(identifier)
    else:
        metric = _made(identifier, loss, output_shape)
    if isinstance(metric, F1Score) and metric.classes is None and output_shape is not None:
        metric = _registry.build(type(metric), metric.get_config() | {"classes": output_shape[-1]})
    if isinstance(loss, Crossentropy) and loss.from_logits:
        metric.built_in = loss.activation
    if loss is not None and not metric.scalar:
        raise ArgumentError(
            f"{metric.name} is a table, and training reports single numbers; after training, "
            "confusion_matrix(y, model.predict(x)) gives the table"
        )
    return metric


def as_metrics(wanted: Sequence[str | Metric] | None) -> list[str | Metric]:
    """Return the metrics of `compile` as a list, after a check of their names."""
    if isinstance(wanted, (str, Metric)):
        wanted = [wanted]
    if wanted is not None and not isinstance(wanted, (list, tuple)):
        raise ArgumentError(f'metrics must be a list like ["accuracy"]; got {wanted!r:.80}')
    found = list(wanted or [])
    names = ["loss"]
    for metric in found:
        names.append(_name(metric))
        if names[-1] in names[:-1]:
            raise ArgumentError(
                f"metrics: two are called {names[-1]!r}; give one of them another name="
            )
    return found


def serialize(metric: str | Metric) -> str | dict[str, Any]:
    """Return a name as it is, and a metric as its class and its constructor's arguments."""
    return metric if isinstance(metric, str) else _registry.serialize(metric)


def deserialize(data: str | dict[str, Any]) -> str | Metric:
    """Return what `serialize` was given."""
    return data if isinstance(data, str) else _registry.deserialize(data)


def _copy(metric: Metric) -> Metric:
    """Return the same metric with no samples counted."""
    try:
        return _registry.build(type(metric), metric.get_config())
    except ArgumentError as err:
        raise ArgumentError(
            f"metrics: training copies {metric.name} by its get_config(), which must return the "
            f"constructor's arguments; {err}"
        ) from err


def _made(
    identifier: str | dict[str, Any], loss: Loss | None, shape: Sequence[int | None] | None
) -> Metric:
    if not isinstance(identifier, str):
        return _registry.get(identifier)
    if identifier in ACCURACIES:
        return _accuracy(loss, shape)
    if _registry.find(identifier) is F1Score:
        return F1Score(classes=_classes(identifier, shape))
    if _registry.find(identifier) is ConfusionMatrix:
        return ConfusionMatrix(_classes(identifier, shape))
    return _registry.get(identifier)


def _name(metric: str | Metric) -> str:
    """Return the name under which the metric is reported."""
    if isinstance(metric, Metric):
        return _copy(metric).name
    if metric in ACCURACIES:
        return "accuracy"
    try:
        return metric_name(_registry.find(metric).__name__)
    except ArgumentError:
        if difflib.get_close_matches(str(metric), ACCURACIES):
            raise ArgumentError(f"unknown metric {metric!r}; did you mean 'accuracy'?") from None
        raise


def _accuracy(loss: Loss | None, shape: Sequence[int | None] | None) -> Metric:
    """Return the accuracy for this loss and output shape, under the name "accuracy"."""
    if isinstance(loss, BinaryCrossentropy) or (shape is not None and shape[-1] == 1):
        return BinaryAccuracy("accuracy")
    if isinstance(loss, SparseCategoricalCrossentropy):
        return SparseCategoricalAccuracy("accuracy")
    return CategoricalAccuracy("accuracy")


def _classes(name: str, shape: Sequence[int | None] | None) -> int:
    if shape is None or shape[-1] is None:
        raise ArgumentError(f"{name} needs the number of classes: ConfusionMatrix(10)")
    return shape[-1]
