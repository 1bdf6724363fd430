"""A plan bound to an engine: batches go in, predictions and losses come out."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import numpy as np

from minicnn.backends import current_backend, runner
from minicnn.backends.engine import Runner
from minicnn.host_sync import mark_parameters_changed, parameters_version, synced
from minicnn.models.batches import Batch
from minicnn.models.planner.plan import Plan


class BatchResult(NamedTuple):
    """The predictions and the loss of one batch.

    An Execution returns predictions that its next run overwrites: copy what must last.
    """

    predictions: np.ndarray
    loss: float
    weight: float  # the sum of the samples' weights; N without weights

    def copied(self) -> BatchResult:
        """Return the same with a copy of the predictions."""
        return self._replace(predictions=self.predictions.copy())


class Execution:
    """Runs one plan on one engine, in an arena of its own or in a shared one."""

    def __init__(self, plan: Plan, arena: Any = None) -> None:
        self.plan = plan
        self.engine = current_backend()
        self.runner: Runner = runner(plan.program, plan.arrays, arena)
        self._version = 0  # of the parameters when the constant steps last ran
        self._dloss_is_mean = False  # whether every element of dloss is 1 / N

    def predict(self, inputs: tuple[np.ndarray, ...]) -> list[np.ndarray]:
        """Return the outputs for one batch."""
        self._load(inputs)
        self._run()
        return [self.runner[i] for i in self.plan.outputs]

    def test(self, batch: Batch) -> BatchResult:
        """Return predictions and loss of one batch with labels."""
        self._load(batch.inputs)
        self._set(self.plan.y_true, batch.labels)
        self._run()
        return self._result(batch)

    def forward_backward(self, batch: Batch, rates: np.ndarray, rng_key: np.ndarray) -> BatchResult:
        """Compute loss and gradients of one batch. The model stays as it is until `commit`."""
        self._load(batch.inputs)
        self._set(self.plan.y_true, batch.labels)
        self._set_dloss(batch)
        self._set(self.plan.rates, rates)
        self._set(self.plan.rng_key, rng_key)
        self.runner.run(0, self.plan.program.first_change)
        return self._result(batch)

    def commit(self) -> None:
        """Update the weights and the running statistics."""
        self.runner.run(self.plan.program.first_change)
        mark_parameters_changed()

    def _run(self) -> None:
        """Run all steps; those that read parameters alone, only if the parameters have changed."""
        version = parameters_version()
        if version != self._version:
            self.runner.refresh_constants()
            self._version = version
        self.runner.run(self.plan.program.constant_steps)

    def _load(self, inputs: tuple[np.ndarray, ...]) -> None:
        for index, x in zip(self.plan.inputs, inputs, strict=True):
            self._set(index, x)

    def _set(self, index: int | None, value: Any) -> None:
        if index is not None:
            synced(self.plan.arrays[index])[...] = value

    def _set_dloss(self, batch: Batch) -> None:
        """Write the gradient by each sample's loss, unless the array already holds 1 / N."""
        if batch.weights is not None or not self._dloss_is_mean:
            self._dloss_is_mean = False  # in case Ctrl-C interrupts the next line
            self._set(self.plan.dloss, gradient_of_mean(batch.weights, len(batch.inputs[0])))
            self._dloss_is_mean = batch.weights is None

    def _result(self, batch: Batch) -> BatchResult:
        losses = self.runner[cast(int, self.plan.loss)]  # a plan with labels has one
        predictions = self.runner[self.plan.outputs[0]]
        loss = weighted_mean(losses, batch.weights)
        if batch.weights is None:
            return BatchResult(predictions, loss, float(len(losses)))
        return BatchResult(predictions, loss, float(np.sum(batch.weights, dtype=np.float64)))


def gradient_of_mean(weights: np.ndarray | None, n: int) -> Any:
    """Return weight / N of each sample: the gradient of the batch's loss by the sample's loss."""
    return 1 / max(n, 1) if weights is None else np.asarray(weights, np.float64) / n


def weighted_mean(losses: np.ndarray, weights: np.ndarray | None) -> float:
    """Return sum(weights * losses) / N in float64: the loss of a batch of N samples."""
    if weights is None:
        return float(losses.sum(dtype=np.float64)) / max(len(losses), 1)
    return float((losses * np.asarray(weights, np.float64)).sum()) / max(len(losses), 1)
