"""Measuring: loss and metrics of batches, predictions for them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from minicnn import random
from minicnn.callbacks import CallbackList
from minicnn.errors import ArgumentError
from minicnn.metrics import Metric
from minicnn.models.batches import ArrayBatches, Batch, Batches
from minicnn.models.execution import Outcome
from minicnn.models.training.interrupt import Interrupt
from minicnn.support.progress import Progress

if TYPE_CHECKING:
    from minicnn.models.model import Model


class Totals:
    """Loss and metrics of the samples so far."""

    def __init__(self, metrics: list[Metric]) -> None:
        self.metrics = metrics
        self.loss_sum, self.samples, self.failed = 0.0, 0, False

    def add(self, outcome: Outcome, batch: Batch) -> None:
        """Count one batch in."""
        self.add_steps((outcome.loss,), outcome.predictions, batch.labels)

    def add_steps(self, losses: Sequence[float], predictions: Any, labels: Any) -> None:
        """Count in the losses of several batches of one size, and all their samples."""
        n = len(predictions) // len(losses)
        for loss in losses:
            self.loss_sum += loss * n
        self.samples += len(predictions)
        for metric in self.metrics:
            metric.update(labels, predictions)  # weights are the loss's alone

    def fail(self) -> None:
        """There was a batch without a finite loss: no number of this epoch says anything."""
        self.failed = True

    def logs(self) -> dict[str, float]:
        """{"loss": ..., metric: ...}: means over all that was added."""
        logs = {"loss": self.loss_sum / self.samples if self.samples else 0.0}
        logs |= {metric.name: metric.result() for metric in self.metrics}
        return dict.fromkeys(logs, math.nan) if self.failed else logs

    def get_state(self) -> dict[str, Any]:
        """The sums, JSON-able."""
        states = [metric.get_state() for metric in self.metrics]
        return {"loss_sum": self.loss_sum, "samples": self.samples, "metrics": states}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from these sums."""
        self.loss_sum, self.samples = state["loss_sum"], state["samples"]
        for metric, kept in zip(self.metrics, state["metrics"], strict=True):
            metric.set_state(kept)


def measure(
    model: Model,
    batches: Batches,
    *,
    interrupt: Interrupt | None = None,
    progress: Progress | None = None,
    callbacks: CallbackList | None = None,
    seed: int | None = None,
) -> dict[str, float]:
    """Loss and metrics of all batches, in use mode; `seed` is for batches that draw numbers."""
    totals = Totals(model.new_metrics())
    coming = random.each_seeded(batches.for_epoch(), random.seed() if seed is None else seed)
    at_once = nullcontext() if interrupt is None else interrupt.at_once
    for number, batch in enumerate(coming if interrupt is None else interrupt.each(coming)):
        if callbacks is not None:
            callbacks.on_test_batch_begin(number)
        with at_once:
            outcome = model.test_step(batch)
        totals.add(outcome, batch)
        if callbacks is not None:
            callbacks.on_test_batch_end(number, totals.logs())
        if progress is not None:
            progress.update(number + 1, totals.logs())
    if totals.samples == 0:
        raise ArgumentError("there is no sample to evaluate; give at least one")
    return totals.logs()


def evaluate(model: Model, batches: Batches, verbose: int | str) -> dict[str, float]:
    """`measure` with progress, and how many images were wrong."""
    _check_arrays(model, batches)
    with Progress(verbose) as progress:
        progress.begin_epoch(None, None, len(batches) or None)
        logs = measure(model, batches, progress=progress)
        progress.end_epoch(logs)
        if isinstance(batches, ArrayBatches) and "accuracy" in logs:
            wrong = round((1 - logs["accuracy"]) * batches.samples)
            progress.message(f"{wrong} of {batches.samples} images wrong")
    return logs


def predict(model: Model, batches: Batches, verbose: int | str) -> Any:
    """The outputs of every batch, joined."""
    _check_arrays(model, batches)
    parts: list[list[np.ndarray]] = []
    with Progress(verbose) as progress:
        progress.begin_epoch(None, None, len(batches) or None)
        for number, batch in enumerate(batches.for_epoch()):
            parts.append(model.predict_step(batch.inputs))
            progress.update(number + 1, {})
        progress.end_epoch({})
    shapes = [t.shape[1:] for t in model.graph.outputs]
    empty = [np.empty((0, *shape), np.float32) for shape in shapes]
    joined = [np.concatenate(ys) for ys in zip(empty, *parts, strict=True)]
    return joined[0] if len(joined) == 1 else joined


def _check_arrays(model: Model, batches: Batches) -> None:
    """Refuse arrays as a whole, before the first of their batches."""
    if isinstance(batches, ArrayBatches):
        model.check_inputs(batches.inputs)


def measured(metrics: list[Metric], outcome: Outcome, batch: Batch) -> float | list[float]:
    """[loss, metric, ...] of one batch, the loss alone without metrics, which are new ones."""
    totals = Totals(metrics)
    totals.add(outcome, batch)
    return loss_or_list(totals.logs())


def loss_or_list(logs: dict[str, float]) -> float | list[float]:
    """[loss, metric, ...]; a number where there is nothing but the loss, as in Keras."""
    values = list(logs.values())
    return values if len(values) > 1 else values[0]
