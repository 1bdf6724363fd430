"""A plan bound to an engine: batches go in, predictions and losses come out."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minicnn.backends import current_backend, runner
from minicnn.models.batches import Batch
from minicnn.models.plan import Plan
from minicnn.ownership import at_home


class Outcome(NamedTuple):
    """What one batch gave. The arrays are the program's own: copy what must last."""

    predictions: np.ndarray
    loss: float
    weight: float  # sum of the samples' weights, N without any


class Execution:
    """Runs one plan again and again."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.engine = current_backend()
        self.runner: Any = runner(plan.program, plan.arrays)
        self._equal_weights = False  # does dloss hold 1 / N?

    def predict(self, inputs: tuple[np.ndarray, ...]) -> list[np.ndarray]:
        """The outputs for one batch."""
        self._load(inputs)
        self._run()
        return [self.runner[i] for i in self.plan.outputs]

    def test(self, batch: Batch) -> Outcome:
        """Predictions and loss of one batch with labels."""
        self._load(batch.inputs)
        self._set(self.plan.y_true, batch.labels)
        self._run()
        return self._outcome(batch)

    def forward_backward(self, batch: Batch, rates: np.ndarray, stream: np.ndarray) -> Outcome:
        """Loss and gradients of one batch. The model is as before until `commit`."""
        self._load(batch.inputs)
        self._set(self.plan.y_true, batch.labels)
        self._set_dloss(batch)
        self._set(self.plan.rates, rates)
        self._set(self.plan.stream, stream)
        self.runner.run(0, self.plan.program.commit)
        return self._outcome(batch)

    def commit(self) -> None:
        """Move the weights, and the running statistics."""
        self.runner.run(self.plan.program.commit)

    def _run(self) -> None:
        """All steps; those that depend on parameters alone only if these have changed."""
        self.runner.refresh_constants()
        self.runner.run(self.plan.program.constant)

    def _load(self, inputs: tuple[np.ndarray, ...]) -> None:
        for place, x in zip(self.plan.inputs, inputs, strict=True):
            self._set(place, x)

    def _set(self, place: int | None, value: Any) -> None:
        if place is not None:
            at_home(self.plan.arrays[place])[...] = value

    def _set_dloss(self, batch: Batch) -> None:
        """The loss is the mean over the batch, so each sample's loss counts weight / N."""
        if batch.weights is not None:
            self._set(self.plan.dloss, np.asarray(batch.weights, np.float64) / len(batch.weights))
        elif not self._equal_weights:
            self._set(self.plan.dloss, 1 / max(len(batch.inputs[0]), 1))
        self._equal_weights = batch.weights is None

    def _outcome(self, batch: Batch) -> Outcome:
        losses, predictions = self.runner[self.plan.loss], self.runner[self.plan.outputs[0]]
        n = len(losses)
        if batch.weights is None:
            return Outcome(predictions, float(losses.sum(dtype=np.float64)) / max(n, 1), float(n))
        rows = np.asarray(batch.weights, np.float64)
        return Outcome(predictions, float((losses * rows).sum()) / max(n, 1), float(rows.sum()))
