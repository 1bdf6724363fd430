"""Metrics by name, by function and from files; which accuracy "accuracy" is."""

from __future__ import annotations

import copy
import difflib
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from minicnn.checks import quoted
from minicnn.errors import ArgumentError
from minicnn.losses import Crossentropy, Loss
from minicnn.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
)
from minicnn.metrics.base import Metric
from minicnn.metrics.confusion import ConfusionMatrix
from minicnn.metrics.correlation import ConcordanceCorrelation, PearsonCorrelation
from minicnn.metrics.curves import AUC
from minicnn.metrics.f_scores import F1Score, FBetaScore
from minicnn.metrics.hinges import CategoricalHinge, Hinge, SquaredHinge
from minicnn.metrics.iou import BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU
from minicnn.metrics.means import Mean, MeanMetricWrapper, Sum, function_metric
from minicnn.metrics.positives import (
    FalseNegatives,
    FalsePositives,
    Precision,
    Recall,
    TrueNegatives,
    TruePositives,
)
from minicnn.metrics.probabilistic import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    KLDivergence,
    Poisson,
    SparseCategoricalCrossentropy,
)
from minicnn.metrics.rates import (
    PrecisionAtRecall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
)
from minicnn.metrics.regression import (
    CosineSimilarity,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    R2Score,
    RootMeanSquaredError,
)
from minicnn.support.registry import Registry

CLASSES: tuple[type[Metric], ...] = (
    AUC,
    Accuracy,
    BinaryAccuracy,
    BinaryCrossentropy,
    BinaryIoU,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    CategoricalHinge,
    ConcordanceCorrelation,
    ConfusionMatrix,
    CosineSimilarity,
    F1Score,
    FBetaScore,
    FalseNegatives,
    FalsePositives,
    Hinge,
    IoU,
    KLDivergence,
    LogCoshError,
    Mean,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanIoU,
    MeanMetricWrapper,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    OneHotIoU,
    OneHotMeanIoU,
    PearsonCorrelation,
    Poisson,
    Precision,
    PrecisionAtRecall,
    R2Score,
    Recall,
    RecallAtPrecision,
    RootMeanSquaredError,
    SensitivityAtSpecificity,
    SparseCategoricalAccuracy,
    SparseCategoricalCrossentropy,
    SparseTopKCategoricalAccuracy,
    SpecificityAtSensitivity,
    SquaredHinge,
    Sum,
    TopKCategoricalAccuracy,
    TrueNegatives,
    TruePositives,
)
ALIASES: dict[str, type[Metric]] = {
    "bce": BinaryCrossentropy,
    "kld": KLDivergence,
    "logcosh": LogCoshError,
    "mae": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError,
    "mse": MeanSquaredError,
    "msle": MeanSquaredLogarithmicError,
}
_registry: Registry[Metric] = Registry(
    "metric", Metric, CLASSES, ALIASES, of_function=function_metric
)
check_rebuildable = _registry.check_rebuildable
# The names that mean the accuracy that fits the network.
ACCURACIES = ("accuracy", "acc")


def get(
    identifier: Any,
    loss: Loss | None = None,
    output_shape: Sequence[int | None] | None = None,
) -> Metric:
    """Return a new metric, with no samples counted yet.

    Parameters
    ----------
    identifier : a name; what `serialize` gave; a function of (y_true, y_pred), which is called with
        arrays; or a metric, which is copied
    loss, output_shape : the network's; they decide which accuracy "accuracy" is, how many classes
        an F score has, and whether the predictions are logits

    >>> get("accuracy", output_shape=(None, 1))
    BinaryAccuracy(name='accuracy')
    """
    metric = _made(identifier, loss, output_shape)
    if isinstance(identifier, str) and (loss is not None or output_shape is not None):
        metric.name = identifier  # the history's key is the name as the user wrote it
    if isinstance(metric, FBetaScore):
        _fit_to_output(metric, loss, output_shape)
    if isinstance(loss, Crossentropy) and loss.from_logits:
        metric.built_in = loss.activation
    if loss is not None and not metric.scalar:
        raise ArgumentError(
            f"{metric.name} is a table, and training reports single numbers; after training, "
            f"{_instead(metric)} gives the table"
        )
    return metric


def as_metrics(wanted: Any) -> list[str | Metric]:
    """Return the metrics of `compile` as a list, after a check of their names.

    Functions become metrics. Of several metrics of a class that have no name of their own the
    second is called "precision_1", as in Keras.
    """
    if isinstance(wanted, (str, Metric)) or inspect.isroutine(wanted):
        wanted = [wanted]
    if wanted is not None and not isinstance(wanted, (list, tuple)):
        raise ArgumentError(f'metrics must be a list like ["accuracy"]; got {quoted(wanted)}')
    found = [one if isinstance(one, (str, Metric)) else _found(one) for one in wanted or []]
    names = ["loss"]
    for metric in found:
        if isinstance(metric, Metric) and metric.auto_named:
            metric.name = _numbered(metric.name, names)
        names.append(_name(metric))
        if names[-1] in names[:-1]:
            raise ArgumentError(
                f"metrics: two are called {names[-1]!r}; give one of them another name="
            )
    return found


def serialize(metric: Any) -> Any:
    """Return a name as it is, and a metric as its class and its constructor's arguments."""
    if isinstance(metric, str):
        return metric
    return _registry.serialize(metric if isinstance(metric, Metric) else _found(metric))


def deserialize(data: str | dict[str, Any]) -> str | Metric:
    """Return what `serialize` was given."""
    return data if isinstance(data, str) else _registry.deserialize(data)


def _found(identifier: Any) -> Metric:
    """Return a metric from what is neither a metric nor "accuracy"."""
    if isinstance(identifier, Mapping) and set(identifier) >= {"class_name", "config"}:
        identifier = {"class": identifier["class_name"], "config": identifier["config"]}
    if inspect.isroutine(identifier):
        return function_metric(identifier)()
    return _registry.get(identifier)


def _made(identifier: Any, loss: Loss | None, shape: Sequence[int | None] | None) -> Metric:
    if isinstance(identifier, Metric):
        return _copy(identifier)
    if not isinstance(identifier, str):
        return _found(identifier)
    if identifier in ACCURACIES:
        return _accuracy(loss, shape)
    kind = _registry.find(identifier)
    if issubclass(kind, (ConfusionMatrix, IoU)) and kind is not BinaryIoU:
        raise ArgumentError(f"{identifier} needs the number of classes: {kind.__name__}(10)")
    return _registry.get(identifier)


def _copy(metric: Metric) -> Metric:
    """Return the same metric with no samples counted."""
    try:
        copied = copy.deepcopy(metric)
    except (TypeError, ValueError, AttributeError, NotImplementedError) as err:
        raise ArgumentError(
            f"metrics: training counts with a copy of {metric.name}, and it cannot be copied: {err}"
        ) from err
    copied.reset_state()
    return copied


def _fit_to_output(
    metric: FBetaScore, loss: Loss | None, shape: Sequence[int | None] | None
) -> None:
    """Tell an F score the number of classes; in training it is one number."""
    if metric.classes is None and shape is not None:
        metric.classes = shape[-1]
        metric.make_sums()
    if loss is not None and metric.average is None:
        metric.average = "macro"


def _instead(metric: Metric) -> str:
    """Return the call that gives a table after a training."""
    if isinstance(metric, ConfusionMatrix):
        return "confusion_matrix(y, model.predict(x))"
    return "the metric called with (y, model.predict(x))"


def _name(metric: str | Metric) -> str:
    """Return the name under which the metric is reported."""
    if isinstance(metric, Metric):
        return _copy(metric).name
    if metric in ACCURACIES:
        return metric
    try:
        _registry.find(metric)
        return metric
    except ArgumentError:
        if difflib.get_close_matches(str(metric), ACCURACIES):
            raise ArgumentError(f"unknown metric {metric!r}; did you mean 'accuracy'?") from None
        raise


def _numbered(name: str, taken: list[str]) -> str:
    """Return the name, with a number if it is taken."""
    number, new = 0, name
    while new in taken:
        number += 1
        new = f"{name}_{number}"
    return new


def _accuracy(loss: Loss | None, shape: Sequence[int | None] | None) -> Metric:
    """Return the accuracy for labels and predictions of these shapes, as Keras chooses it.

    One output is yes or no. Labels with fewer axes than the predictions are class indices, and
    others one-hot rows.
    """
    if shape is not None and shape[-1] == 1:
        return BinaryAccuracy("accuracy")
    if loss is not None and shape is not None:
        output = tuple(1 if n is None else n for n in shape)
        if len(loss.label_spec(output).shape) < len(output):
            return SparseCategoricalAccuracy("accuracy")
    return CategoricalAccuracy("accuracy")
