"""The loss and the metrics of the samples so far."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from minicnn.models.batches import Batch
from minicnn.models.execution import BatchResult
from minicnn.models.training.measures import Measure


class Totals:
    """Sums up loss and metrics over batches."""

    def __init__(self, measures: list[Measure]) -> None:
        self.measures = measures
        self.names = ["loss", *(measure.name for measure in measures)]
        self._sorted = sorted(self.names)
        self.loss_sum, self.samples, self.failed = 0.0, 0, False

    def add(self, result: BatchResult, batch: Batch) -> None:
        """Add one batch."""
        self.add_steps((result.loss,), result.predictions, batch.labels, batch.weights)

    def add_steps(
        self, losses: Sequence[float], predictions: Any, labels: Any, weights: Any = None
    ) -> None:
        """Add several batches of one size: the loss of each, and all their samples."""
        n = len(predictions) // len(losses)
        for loss in losses:
            self.loss_sum += loss * n
        self.samples += len(predictions)
        for measure in self.measures:
            measure.metric.update(labels, predictions, weights if measure.weighted else None)

    def fail(self) -> None:
        """Make all results NaN, because a batch had a loss that is not finite."""
        self.failed = True

    def results(self) -> list[float]:
        """Return [loss, metric, ...]: the means over everything added, in the order of `names`."""
        if self.failed:
            return [math.nan] * len(self.names)
        loss = self.loss_sum / self.samples if self.samples else 0.0
        return [loss, *(measure.metric.result() for measure in self.measures)]

    def logs(self) -> dict[str, float]:
        """Return the results by their names, sorted by name, as callbacks get them."""
        found = dict(zip(self.names, self.results(), strict=True))
        return {name: found[name] for name in self._sorted}

    def returned(self, *, as_dict: bool) -> Any:
        """Return what `evaluate` returns: a dict, a list, or the loss alone without metrics."""
        if as_dict:
            return self.logs()
        results = self.results()
        return results if len(results) > 1 else results[0]

    def get_state(self) -> dict[str, Any]:
        """Return the sums, JSON-able."""
        states = [measure.metric.get_state() for measure in self.measures]
        return {"loss_sum": self.loss_sum, "samples": self.samples, "metrics": states}

    def set_state(self, state: dict[str, Any]) -> None:
        """Continue from the sums that `get_state` returned."""
        self.loss_sum, self.samples = state["loss_sum"], state["samples"]
        for measure, saved in zip(self.measures, state["metrics"], strict=True):
            measure.metric.set_state(saved)
