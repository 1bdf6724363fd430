"""Training steps in groups: the batches of one shape that the engine takes with one call.

A call to the processor's engines is one step, so their groups have one batch. A GPU takes several
steps per call: it is given the next group before the outcome of the one before is awaited, so it is
never idle; batches are fetched and outcomes counted while it works.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from minicnn import random
from minicnn.host_sync import mark_parameters_changed
from minicnn.models.batches import ArrayBatches, Batch, EpochStart
from minicnn.models.compiled_network import CompiledNetwork
from minicnn.models.execution import Execution, gradient_of_mean, weighted_mean
from minicnn.models.training.interrupt import BetweenSteps
from minicnn.program import Feed, IndexedBatches


class StepGroup(NamedTuple):
    """Batches of one shape, to be trained on one after the other."""

    example: tuple[np.ndarray, ...]  # inputs of the shapes and dtypes of each batch
    inputs: tuple[Feed, ...]  # for each input of the network, one array per step
    labels: Feed
    weights: Sequence[np.ndarray | None]

    @property
    def steps(self) -> int:
        """The number of batches."""
        return len(self.labels)

    def batch(self, step: int) -> Batch:
        """Return one of the batches."""
        inputs = tuple(feed[step] for feed in self.inputs)
        return Batch(inputs, self.labels[step], self.weights[step])


def groups_of_arrays(
    data: ArrayBatches, start: EpochStart, first: int, max_steps: int
) -> Iterator[StepGroup]:
    """Yield an epoch's batches from batch `first` on, the last and smaller one separately."""
    size = data.batch_size
    order = data.order(start)[first * size :]
    complete = len(order) // size
    for begin in range(0, complete, max_steps):
        stop = min(begin + max_steps, complete)
        yield _group_of_rows(data, order[begin * size : stop * size].reshape(-1, size))
    if complete * size < len(order):
        yield _group_of_rows(data, order[complete * size :].reshape(1, -1))


def _group_of_rows(data: ArrayBatches, indices: np.ndarray) -> StepGroup:
    """Return the group of the samples with these indices, (steps, batch size)."""
    weights = data.weights
    return StepGroup(
        tuple(x[: indices.shape[1]] for x in data.inputs),
        tuple(IndexedBatches(x, indices) for x in data.inputs),
        IndexedBatches(np.asarray(data.labels), indices),
        [None if weights is None else weights[rows] for rows in indices],
    )


def groups_of_batches(
    batches: Iterable[Batch], max_steps: Callable[[Batch], int]
) -> Iterator[StepGroup]:
    """Yield neighboring batches of one shape, at most `max_steps(batch)` per group.

    If fetching a batch fails, the batches before it are yielded before the error is raised.
    """
    waiting: list[Batch] = []
    try:
        for batch in batches:
            if waiting and not _alike(batch, waiting[0]):
                yield _group_of(waiting)
                waiting = []
            waiting.append(batch)
            if len(waiting) >= max_steps(batch):
                yield _group_of(waiting)
                waiting = []
    except Exception:
        if waiting:
            yield _group_of(waiting)
        raise
    if waiting:
        yield _group_of(waiting)


def _alike(a: Batch, b: Batch) -> bool:
    pairs = zip(a.inputs, b.inputs, strict=False)
    same = all((x.shape, x.dtype) == (y.shape, y.dtype) for x, y in pairs)
    return same and len(a.inputs) == len(b.inputs)


def _group_of(batches: list[Batch]) -> StepGroup:
    return StepGroup(
        batches[0].inputs,
        tuple(zip(*(batch.inputs for batch in batches), strict=True)),
        [batch.labels for batch in batches],
        [batch.weights for batch in batches],
    )


def max_steps_for(model: CompiledNetwork, inputs: tuple[np.ndarray, ...]) -> int:
    """Return how many steps on such batches the current engine takes per call."""
    return _execution(model, inputs).runner.max_steps_per_call


class TrainedGroup(NamedTuple):
    """A group and the results of the steps that were taken, from before each update."""

    group: StepGroup
    losses: tuple[float, ...] = ()  # one per step taken
    predictions: np.ndarray | None = None  # for all samples of these steps

    @property
    def labels(self) -> np.ndarray:
        """The labels of the same samples."""
        return np.concatenate([self.group.labels[i] for i in range(len(self.losses))])

    @property
    def rest(self) -> range:
        """The batches that are still to be trained on, one at a time."""
        return range(len(self.losses), self.group.steps)


class _Started(NamedTuple):
    """A group that the engine is working on."""

    group: StepGroup
    execution: Execution


def train_groups(
    model: CompiledNetwork, groups: Iterator[StepGroup]
) -> Generator[TrainedGroup, None, None]:
    """Train on one group after the other, and yield each as soon as it is done.

    The caller takes the steps of `TrainedGroup.rest`: a group with one batch, and in a larger
    group the steps from the first loss on that is not finite. The engine has not changed the model
    in these.
    """
    started: deque[_Started] = deque()
    try:
        yield from _trained(model, groups, started)
    finally:  # the caller may stop listening, but the steps must be counted all the same
        while started:
            _finish(model, started)


def _trained(
    model: CompiledNetwork, groups: Iterator[StepGroup], started: deque[_Started]
) -> Iterator[TrainedGroup]:
    try:
        for group in groups:
            execution = _execution(model, group.example) if group.steps > 1 else None
            while started and (started[0].execution is not execution or len(started) > 1):
                yield _finish(model, started)
            if execution is None:
                yield TrainedGroup(group)
            else:
                _start(model, _Started(group, execution), started)
    except (Exception, BetweenSteps):  # from `groups`: the steps before it are reported first
        while started:
            yield _finish(model, started)
        raise
    while started:
        yield _finish(model, started)


def _execution(model: CompiledNetwork, inputs: tuple[np.ndarray, ...]) -> Execution:
    with model.lock:
        return model.execution("train", inputs)


def _start(model: CompiledNetwork, new: _Started, started: deque[_Started]) -> None:
    """Give the engine a group; it may still be working on the one before."""
    optimizer, _ = model.need_compiled()
    group, (plan, runner) = new.group, (new.execution.plan, new.execution.runner)
    first = optimizer.iterations + sum(before.group.steps for before in started)
    steps = range(first, first + group.steps)
    samples = len(group.example[0])
    values = {
        plan.y_true: group.labels,
        plan.dloss: [gradient_of_mean(weights, samples) for weights in group.weights],
        plan.rates: np.stack([optimizer.rates(step) for step in steps]),
        plan.rng_key: np.stack([random.rng_key(step) for step in steps]),
    }
    feeds = {index: feed for index, feed in values.items() if index is not None}
    inputs = dict(zip(plan.inputs, group.inputs, strict=True))
    with model.lock:
        runner.start(inputs, feeds, plan.loss, plan.outputs[0])
        mark_parameters_changed()
    started.append(new)


def _finish(model: CompiledNetwork, started: deque[_Started]) -> TrainedGroup:
    """Wait for the group that was started first; count the steps before a loss is not finite."""
    group, execution = started.popleft()
    with model.lock:
        losses, predictions = execution.runner.finish()
    pairs = zip(losses, group.weights[: len(losses)], strict=True)
    means = tuple(weighted_mean(*pair) for pair in pairs)
    optimizer, _ = model.need_compiled()
    optimizer.iterations += len(means)
    return TrainedGroup(group, means, predictions.reshape(-1, *predictions.shape[2:]))
