"""Evaluation and prediction: all batches of a data set, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from itertools import count, islice
from typing import Any

import numpy as np

from minicnn import random
from minicnn.callbacks import CallbackList
from minicnn.contracts import Shape
from minicnn.errors import ArgumentError
from minicnn.models.batches import ArrayBatches, Batch, Batches
from minicnn.models.compiled_network import CompiledNetwork
from minicnn.models.execution import BatchResult
from minicnn.models.strategy import agree_together, current_strategy, is_shared
from minicnn.models.training.interrupt import Interrupt
from minicnn.models.training.measuring import new_measures
from minicnn.models.training.preparation import prepare_arrays
from minicnn.models.training.running import progress_for, running
from minicnn.models.training.totals import Totals
from minicnn.support.progress import Progress

NO_SAMPLE = "there is no sample to evaluate; give at least one"


def measure(
    model: CompiledNetwork,
    batches: Batches,
    callbacks: CallbackList,
    *,
    interrupt: Interrupt | None = None,
    progress: Progress | None = None,
    seed: int | None = None,
) -> Totals:
    """Return loss and metrics over all batches, at inference; arrays are prepared already.

    `seed` is for batches that draw random numbers; by default it is the current one.
    """
    totals = Totals(new_measures(model))
    coming = random.each_seeded(batches.for_epoch(), random.seed() if seed is None else seed)
    interruptible = nullcontext() if interrupt is None else interrupt.interruptible
    callbacks.on_test_begin()
    if not isinstance(batches, ArrayBatches):
        coming = map(model.prepare_batch, coming)
    fetched = coming if interrupt is None else interrupt.each(coming)
    tested = _tested(model, fetched, callbacks, interruptible)
    for number, (batch, result) in enumerate(tested):
        totals.add(result, batch)
        logs = totals.logs()
        callbacks.on_test_batch_end(number, logs)
        if progress is not None:
            progress.update(number + 1, logs)
    if totals.samples == 0:
        raise ArgumentError(NO_SAMPLE)
    callbacks.on_test_end(totals.logs())
    return totals


def _tested(
    model: CompiledNetwork,
    batches: Iterator[Batch],
    callbacks: CallbackList,
    interruptible: AbstractContextManager[Any],
) -> Iterator[tuple[Batch, BatchResult]]:
    """Yield each batch with its result; several processes compute as many batches at once."""
    strategy = current_strategy()
    at_once = 1 if strategy is None else strategy.batches_at_once
    for first in count(step=at_once):
        several = list(islice(batches, at_once))
        if not several:
            return
        for number in range(first, first + len(several)):
            callbacks.on_test_batch_begin(number)
        if strategy is not None:
            results = strategy.test_steps(model, several)
        else:
            with interruptible:
                results = [model.test_step(several[0])]
        yield from zip(several, results, strict=True)


def evaluate(
    model: CompiledNetwork, batches: Batches, callbacks: Any, verbose: int | str
) -> Totals:
    """`measure` with callbacks and progress, and with the number of wrong images."""
    if isinstance(batches, ArrayBatches):
        if not batches.samples:
            raise ArgumentError(NO_SAMPLE)
        prepare_arrays(model, batches)
    if is_shared():
        _build(model, batches)
        agree_together(model, batches)
    with running(model, batches, callbacks, verbose) as hooks, progress_for(hooks) as progress:
        progress.begin_epoch(None, None, len(batches) or None)
        totals = measure(model, batches, hooks, progress=progress)
        logs = totals.logs()
        progress.end_epoch(logs)
        if isinstance(batches, ArrayBatches) and "accuracy" in logs:
            wrong = round((1 - logs["accuracy"]) * totals.samples)
            progress.message(f"{wrong} of {totals.samples} images wrong")
    return totals


def _build(model: CompiledNetwork, batches: Batches) -> None:
    """Build the network for the first batch, which stays the next one."""
    first, _ = batches.begin()
    if first is not None:
        model.build_for(first.inputs)


def predict(model: CompiledNetwork, batches: Batches, callbacks: Any, verbose: int | str) -> Any:
    """Return the outputs of all batches, joined."""
    if isinstance(batches, ArrayBatches):
        model.build_for(batches.inputs)
    results: list[list[np.ndarray]] = []
    with running(model, batches, callbacks, verbose) as hooks, progress_for(hooks) as progress:
        progress.begin_epoch(None, None, len(batches) or None)
        hooks.on_predict_begin()
        for number, batch in enumerate(batches.for_epoch()):
            hooks.on_predict_batch_begin(number)
            if not isinstance(batches, ArrayBatches):
                model.build_for(batch.inputs)
            outputs = model.predict_step(batch.inputs)
            results.append(outputs)
            if hooks.callbacks:
                hooks.on_predict_batch_end(number, {"outputs": model.packed(outputs)})
            progress.update(number + 1, {})
        hooks.on_predict_end()
        progress.end_epoch({})
    results = results or [[_no_samples(t.shape) for t in model.graph.outputs]]
    return model.packed([np.concatenate(ys) for ys in zip(*results, strict=True)])


def _no_samples(shape: Shape) -> np.ndarray:
    """Return an empty array of results; lengths that are not known yet are 0."""
    return np.empty((0, *(length or 0 for length in shape[1:])), np.float32)
