"""The losses and the metrics of the samples so far."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from minicnn.models.batches import Batch
from minicnn.models.execution import BatchResult
from minicnn.models.training.measures import Measures


class Totals:
    """Sums up losses and metrics over batches."""

    def __init__(self, measures: Measures) -> None:
        self.losses, self.metrics = measures.losses, measures.metrics
        self.names, self._sorted = measures.names, measures.sorted_names
        self.loss_sum, self.samples, self.failed = 0.0, 0, False
        self.loss_sums = [0.0] * len(self.losses)  # of each output

    def add(self, result: BatchResult, batch: Batch) -> None:
        """Add one batch."""
        n = len(batch.inputs[0])
        for i, one in enumerate(self.losses):
            self.loss_sums[i] += result.losses[one.target] * n
        self.add_steps((result.loss,), n, result.predictions, batch.labels, batch.weights)

    def add_steps(
        self, losses: Sequence[float], n: int, predictions: Any, labels: Any, weights: Any = None
    ) -> None:
        """Add several batches of `n` samples: the loss of each, and all their samples."""
        for loss in losses:
            self.loss_sum += loss * n
        self.samples += n * len(losses)
        for measure in self.metrics:
            measure.update(labels, predictions, weights)

    def fail(self) -> None:
        """Make all results NaN, because a batch had a loss that is not finite."""
        self.failed = True

    def results(self) -> list[float]:
        """Return the means over everything added, in the order of `names`."""
        if self.failed:
            return [math.nan] * len(self.names)
        n = max(self.samples, 1)
        losses = [self.loss_sum / n, *[total / n for total in self.loss_sums]]
        return losses + [measure.metric.result() for measure in self.metrics]

    def logs(self) -> dict[str, float]:
        """Return the results by their names, sorted by name, as callbacks get them."""
        results = self.results()
        return {name: results[i] for name, i in self._sorted}

    def returned(self, *, as_dict: bool) -> Any:
        """Return what `evaluate` returns: a dict, a list, or the loss alone without metrics."""
        if as_dict:
            return self.logs()
        results = self.results()
        return results if len(results) > 1 else results[0]

    def get_state(self) -> dict[str, Any]:
        """Return the sums, JSON-able."""
        states = [measure.metric.get_state() for measure in self.metrics]
        losses = {"losses": self.loss_sums} if self.losses else {}
        return {"loss_sum": self.loss_sum, "samples": self.samples, "metrics": states, **losses}

    def set_state(self, state: dict[str, Any]) -> None:
        """Continue from the sums that `get_state` returned."""
        self.loss_sum, self.samples = state["loss_sum"], state["samples"]
        sums = [float(total) for total in state.get("losses", [])]
        for measure, saved in zip(self.metrics, state["metrics"], strict=True):
            measure.metric.set_state(saved)
        self.loss_sums = sums if self.losses else []
