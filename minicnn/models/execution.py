"""A plan bound to an engine: batches go in, predictions and losses come out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from minicnn.backends import current_backend, runner
from minicnn.backends.engine import Runner
from minicnn.host_sync import mark_parameters_changed, parameters_version, synced
from minicnn.losses.base import MEANS
from minicnn.models.batches import Batch
from minicnn.models.planner.losses import Target
from minicnn.models.planner.plan import Plan
from minicnn.support.structures import single


class BatchResult(NamedTuple):
    """The predictions and the loss of one batch.

    An Execution returns predictions that its next run overwrites: copy what must last.
    """

    predictions: Any  # an array, or a list of one per output
    loss: float  # the whole loss
    losses: tuple[float, ...] = ()  # of each output that has one, without its weight

    def copied(self) -> BatchResult:
        """Return the same with a copy of the predictions."""
        y = self.predictions
        copies = y.copy() if isinstance(y, np.ndarray) else [one.copy() for one in y]
        return BatchResult(copies, self.loss, self.losses)


class Execution:
    """Runs one plan on one engine, in an arena of its own or in a shared one."""

    def __init__(self, plan: Plan, arena: Any = None, targets: Sequence[Target] = ()) -> None:
        self.plan, self.targets = plan, targets
        # What the mean of each loss is multiplied by in the whole loss if no sample has a weight.
        samples = plan.program.buffers[plan.inputs[0]].spec.shape[0]
        self._constant_factors = [one.weight * one.loss.scale(samples) for one in targets]
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
        self._set_labels(batch)
        self._run()
        return self._result(batch)

    def forward_backward(self, batch: Batch, rates: np.ndarray, rng_key: np.ndarray) -> BatchResult:
        """Compute loss and gradients of one batch. The model stays as it is until `commit`."""
        self._load(batch.inputs)
        self._set_labels(batch)
        self._set_dlosses(batch)
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

    def _set_labels(self, batch: Batch) -> None:
        for index, labels in zip(self.plan.y_true, batch.each_labels, strict=True):
            self._set(index, labels)

    def _set_dlosses(self, batch: Batch) -> None:
        """Write the gradients by each sample's losses, unless the arrays already hold 1 / N."""
        if batch.weights is not None or not self._dloss_is_mean:
            self._dloss_is_mean = False  # in case Ctrl-C interrupts the next lines
            gradients = loss_gradients(batch, self._factors(batch))
            for index, gradient in zip(self.plan.dlosses, gradients, strict=True):
                self._set(index, gradient)
            self._dloss_is_mean = batch.weights is None

    def _factors(self, batch: Batch) -> list[float]:
        """Return what the mean of each loss is multiplied by in the whole loss."""
        return (
            self._constant_factors if batch.weights is None else loss_factors(self.targets, batch)
        )

    @property
    def takes_groups(self) -> bool:
        """Whether the whole loss is the mean of one loss, so that an engine may take many steps."""
        alone = len(self.targets) == 1 and not self.plan.penalties
        return alone and self.targets[0].weight == 1 and self.targets[0].loss.reduction in MEANS[:2]

    def _result(self, batch: Batch) -> BatchResult:
        plan, values = self.plan, self.runner
        return batch_result(
            batch,
            self._factors(batch),
            [values[i] for i in plan.losses],
            [float(values[i].sum(dtype=np.float64)) for i in plan.penalties],
            [values[i] for i in plan.outputs],
        )


def batch_result(
    batch: Batch,
    factors: Sequence[float],
    losses: Sequence[np.ndarray],
    penalties: Sequence[float],
    outputs: list[np.ndarray],
) -> BatchResult:
    """Return the predictions and the loss of a batch, from the losses of its samples."""
    weights = weights_of_each(batch, len(losses))
    means = [weighted_mean(one, rows) for one, rows in zip(losses, weights, strict=True)]
    whole = 0.0
    for factor, mean in zip(factors, means, strict=True):
        whole += factor * mean
    for penalty in penalties:
        whole += penalty
    return BatchResult(single(outputs), whole, tuple(means))


def loss_factors(targets: Sequence[Target], batch: Batch) -> list[float]:
    """Return what the mean of each loss is multiplied by in the whole loss of a batch."""
    n, weights = len(batch.inputs[0]), weights_of_each(batch, len(targets))
    pairs = zip(targets, weights, strict=True)
    return [target.weight * target.loss.scale(n, rows) for target, rows in pairs]


def loss_gradients(batch: Batch, factors: Sequence[float]) -> list[Any]:
    """Return the gradients of the whole loss by the losses of the samples, for each loss."""
    n, weights = len(batch.inputs[0]), weights_of_each(batch, len(factors))
    means = [(factor, gradient_of_mean(w, n)) for factor, w in zip(factors, weights, strict=True)]
    return [mean if factor == 1 else factor * mean for factor, mean in means]


def weights_of_each(batch: Batch, count: int) -> Sequence[np.ndarray | None]:
    """Return the weights of a batch's samples for each of `count` losses."""
    given = batch.weights
    return given if isinstance(given, (list, tuple)) else [given] * count


def gradient_of_mean(weights: np.ndarray | None, n: int) -> Any:
    """Return weight / N of each sample: the gradient of the batch's loss by the sample's loss."""
    return 1 / max(n, 1) if weights is None else np.asarray(weights, np.float64) / n


def weighted_mean(losses: np.ndarray, weights: np.ndarray | None) -> float:
    """Return sum(weights * losses) / N in float64: the loss of a batch of N samples."""
    if weights is None:
        return float(np.add.reduce(losses, dtype=np.float64)) / max(len(losses), 1)
    return float((losses * np.asarray(weights, np.float64)).sum()) / max(len(losses), 1)
