"""What is measured beside the loss: metrics, each of one output, and the loss of each output."""

from __future__ import annotations

from typing import Any, NamedTuple

from minicnn.metrics import Metric


class Reported(NamedTuple):
    """A metric as `compile` was given it, and the output that it is of."""

    metric: Any  # a name, or a Metric
    output: int = 0
    weighted: bool = False  # whether the sample weights apply to it


class Measure(NamedTuple):
    """A metric with its sums, and where its labels and predictions are."""

    name: str  # in the logs
    metric: Metric
    output: int | None = None  # of the predictions; None if there is one output
    target: int | None = None  # of the labels and weights; None if there is one loss
    weighted: bool = False

    def update(self, labels: Any, predictions: Any, weights: Any) -> None:
        """Add a batch."""
        y_true = labels if self.target is None else labels[self.target]
        y_pred = predictions if self.output is None else predictions[self.output]
        self.metric.update(y_true, y_pred, self._rows(weights) if self.weighted else None)

    def _rows(self, weights: Any) -> Any:
        several = self.target is not None and isinstance(weights, (list, tuple))
        return weights[self.target] if several else weights


class LossOf(NamedTuple):
    """The loss of one of several outputs, as it is reported."""

    name: str
    target: int


class Measures:
    """Everything that is reported beside the whole loss, in the order of `evaluate`.

    Attributes
    ----------
    losses : of each output; empty if there is one loss
    metrics : with their sums
    names : the names in the logs, with "loss" first
    sorted_names : the same in alphabetical order, each with its index in `names`
    """

    def __init__(self, losses: list[LossOf], metrics: list[Measure]) -> None:
        self.losses, self.metrics = losses, metrics
        self.names = ["loss", *(one.name for one in losses), *(one.name for one in metrics)]
        self.sorted_names = sorted((name, i) for i, name in enumerate(self.names))
