"""Evaluation and prediction: all batches of a data set, one after the other."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np

from minicnn import random
from minicnn.callbacks import CallbackList
from minicnn.errors import ArgumentError
from minicnn.models.batches import ArrayBatches, Batches
from minicnn.models.compiled_network import CompiledNetwork
from minicnn.models.training.interrupt import Interrupt
from minicnn.models.training.preparation import prepare_arrays
from minicnn.models.training.totals import Totals
from minicnn.support.progress import Progress

NO_SAMPLE = "there is no sample to evaluate; give at least one"


def measure(
    model: CompiledNetwork,
    batches: Batches,
    *,
    interrupt: Interrupt | None = None,
    progress: Progress | None = None,
    callbacks: CallbackList | None = None,
    seed: int | None = None,
) -> dict[str, float]:
    """Return loss and metrics over all batches, at inference; arrays are prepared already.

    `seed` is for batches that draw random numbers; by default it is the current one.
    """
    totals = Totals(model.new_metrics())
    coming = random.each_seeded(batches.for_epoch(), random.seed() if seed is None else seed)
    interruptible = nullcontext() if interrupt is None else interrupt.interruptible
    for number, batch in enumerate(coming if interrupt is None else interrupt.each(coming)):
        if callbacks is not None:
            callbacks.on_test_batch_begin(number)
        if not isinstance(batches, ArrayBatches):
            batch = model.prepare_batch(batch)
        with interruptible:
            result = model.test_step(batch)
        totals.add(result, batch)
        if callbacks is not None:
            callbacks.on_test_batch_end(number, totals.logs())
        if progress is not None:
            progress.update(number + 1, totals.logs())
    if totals.samples == 0:
        raise ArgumentError(NO_SAMPLE)
    return totals.logs()


def evaluate(model: CompiledNetwork, batches: Batches, verbose: int | str) -> dict[str, float]:
    """`measure` with progress, and with the number of wrong images."""
    if isinstance(batches, ArrayBatches):
        if not batches.samples:
            raise ArgumentError(NO_SAMPLE)
        prepare_arrays(model, batches)
    with Progress(verbose) as progress:
        progress.begin_epoch(None, None, len(batches) or None)
        logs = measure(model, batches, progress=progress)
        progress.end_epoch(logs)
        if isinstance(batches, ArrayBatches) and "accuracy" in logs:
            wrong = round((1 - logs["accuracy"]) * batches.samples)
            progress.message(f"{wrong} of {batches.samples} images wrong")
    return logs


def predict(model: CompiledNetwork, batches: Batches, verbose: int | str) -> Any:
    """Return the outputs of all batches, joined."""
    if isinstance(batches, ArrayBatches):
        model.build_for(batches.inputs)
    results: list[list[np.ndarray]] = []
    with Progress(verbose) as progress:
        progress.begin_epoch(None, None, len(batches) or None)
        for number, batch in enumerate(batches.for_epoch()):
            if not isinstance(batches, ArrayBatches):
                model.build_for(batch.inputs)
            results.append(model.predict_step(batch.inputs))
            progress.update(number + 1, {})
        progress.end_epoch({})
    shapes = [t.shape[1:] for t in model.graph.outputs]
    empty = [np.empty((0, *shape), np.float32) for shape in shapes]
    joined = [np.concatenate(ys) for ys in zip(empty, *results, strict=True)]
    return joined[0] if len(joined) == 1 else joined
