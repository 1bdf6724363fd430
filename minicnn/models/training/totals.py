"""The loss and the metrics of the samples so far."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from minicnn.metrics import Metric
from minicnn.models.batches import Batch
from minicnn.models.execution import BatchResult


class Totals:
    """Sums up loss and metrics over batches."""

    def __init__(self, metrics: list[Metric]) -> None:
        self.metrics = metrics
        self.loss_sum, self.samples, self.failed = 0.0, 0, False

    def add(self, result: BatchResult, batch: Batch) -> None:
        """Add one batch."""
        self.add_steps((result.loss,), result.predictions, batch.labels)

    def add_steps(self, losses: Sequence[float], predictions: Any, labels: Any) -> None:
        """Add several batches of one size: the loss of each, and all their samples."""
        n = len(predictions) // len(losses)
        for loss in losses:
            self.loss_sum += loss * n
        self.samples += len(predictions)
        for metric in self.metrics:
            metric.update(labels, predictions)  # sample weights apply to the loss alone

    def fail(self) -> None:
        """Make all results NaN, because a batch had a loss that is not finite."""
        self.failed = True

    def logs(self) -> dict[str, float]:
        """Return {"loss": ..., metric: ...}: the means over everything added."""
        logs = {"loss": self.loss_sum / self.samples if self.samples else 0.0}
        logs |= {metric.name: metric.result() for metric in self.metrics}
        return dict.fromkeys(logs, math.nan) if self.failed else logs

    def get_state(self) -> dict[str, Any]:
        """Return the sums, JSON-able."""
        states = [metric.get_state() for metric in self.metrics]
        return {"loss_sum": self.loss_sum, "samples": self.samples, "metrics": states}

    def set_state(self, state: dict[str, Any]) -> None:
        """Continue from the sums that `get_state` returned."""
        self.loss_sum, self.samples = state["loss_sum"], state["samples"]
        for metric, saved in zip(self.metrics, state["metrics"], strict=True):
            metric.set_state(saved)


def batch_logs(metrics: list[Metric], result: BatchResult, batch: Batch) -> float | list[float]:
    """Return [loss, metric, ...] of one batch, for which the metrics must be new."""
    totals = Totals(metrics)
    totals.add(result, batch)
    return loss_or_list(totals.logs())


def loss_or_list(logs: dict[str, float]) -> float | list[float]:
    """Return [loss, metric, ...], or the loss alone if there are no metrics, as Keras does."""
    values = list(logs.values())
    return values if len(values) > 1 else values[0]
