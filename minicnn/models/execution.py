"""A plan bound to an engine: batches go in, predictions and losses come out."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minicnn.backends import current_backend, runner
from minicnn.host_sync import mark_parameters_changed, parameters_version, synced
from minicnn.models.batches import Batch
from minicnn.models.groups import Group
from minicnn.models.planner.plan import Plan


class Outcome(NamedTuple):
    """What one batch gave. An Execution's arrays are the arena's: copy what must last."""

    predictions: np.ndarray
    loss: float
    weight: float  # sum of the samples' weights, N without any

    def copied(self) -> Outcome:
        """The same with predictions that last."""
        return self._replace(predictions=self.predictions.copy())


class Execution:
    """Runs one plan again and again, in an arena of its own or in one that is shared."""

    def __init__(self, plan: Plan, arena: Any = None) -> None:
        self.plan = plan
        self.engine = current_backend()
        self.runner: Any = runner(plan.program, plan.arrays, arena)
        self._changes = 0  # of parameters, when the constants were last looked at
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

    def forward_backward(self, batch: Batch, rates: np.ndarray, rng_key: np.ndarray) -> Outcome:
        """Loss and gradients of one batch. The model is as before until `commit`."""
        self._load(batch.inputs)
        self._set(self.plan.y_true, batch.labels)
        self._set_dloss(batch)
        self._set(self.plan.rates, rates)
        self._set(self.plan.rng_key, rng_key)
        self.runner.run(0, self.plan.program.commit)
        return self._outcome(batch)

    def commit(self) -> None:
        """Move the weights, and the running statistics."""
        self.runner.run(self.plan.program.commit)
        mark_parameters_changed()

    def start(self, group: Group, rates: np.ndarray, rng_keys: np.ndarray) -> None:
        """Begin to train on a group's batches; `rates` and `rng_keys` have a row for each."""
        plan = self.plan
        values = {
            plan.y_true: group.labels,
            plan.dloss: [_gradient_of_mean(weights, group.samples) for weights in group.weights],
            plan.rates: rates,
            plan.rng_key: rng_keys,
        }
        known = {place: feed for place, feed in values.items() if place is not None}
        inputs = dict(zip(plan.inputs, group.inputs, strict=True))
        self.runner.start(inputs, known, plan.loss, plan.outputs[0])
        mark_parameters_changed()

    def finish(self, group: Group) -> tuple[tuple[float, ...], np.ndarray]:
        """Wait for the group that was started first: losses and predictions of its steps.

        Only of those that were done: the ones before the first whose loss is not finite.
        """
        losses, predictions = self.runner.finish()
        pairs = zip(losses, group.weights[: len(losses)], strict=True)
        means = tuple(_mean(*pair) for pair in pairs)
        return means, predictions.reshape(-1, *predictions.shape[2:])

    def _run(self) -> None:
        """All steps; those that depend on parameters alone only if these have changed."""
        changes = parameters_version()
        if changes != self._changes:
            self.runner.refresh_constants()
            self._changes = changes
        self.runner.run(self.plan.program.constant)

    def _load(self, inputs: tuple[np.ndarray, ...]) -> None:
        for place, x in zip(self.plan.inputs, inputs, strict=True):
            self._set(place, x)

    def _set(self, place: int | None, value: Any) -> None:
        if place is not None:
            synced(self.plan.arrays[place])[...] = value

    def _set_dloss(self, batch: Batch) -> None:
        if batch.weights is not None or not self._equal_weights:
            self._equal_weights = False  # should Ctrl-C come in between
            self._set(self.plan.dloss, _gradient_of_mean(batch.weights, len(batch.inputs[0])))
            self._equal_weights = batch.weights is None

    def _outcome(self, batch: Batch) -> Outcome:
        losses, predictions = self.runner[self.plan.loss], self.runner[self.plan.outputs[0]]
        loss = _mean(losses, batch.weights)
        if batch.weights is None:
            return Outcome(predictions, loss, float(len(losses)))
        return Outcome(predictions, loss, float(np.sum(batch.weights, dtype=np.float64)))


def _gradient_of_mean(weights: np.ndarray | None, n: int) -> Any:
    """The loss is the mean over the batch, so each sample's loss counts weight / N."""
    return 1 / max(n, 1) if weights is None else np.asarray(weights, np.float64) / n


def _mean(losses: np.ndarray, weights: np.ndarray | None) -> float:
    if weights is None:
        return float(losses.sum(dtype=np.float64)) / max(len(losses), 1)
    return float((losses * np.asarray(weights, np.float64)).sum()) / max(len(losses), 1)
