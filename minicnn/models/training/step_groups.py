"""Training steps in groups: the batches of one shape that the engine takes with one call.

A call to the processor's engines is one step, so their groups have one batch. A GPU takes several
steps per call: it is given the next group before the outcome of the one before is awaited, so it is
never idle; batches are fetched and outcomes counted while it works.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, cast

import numpy as np

from minicnn import random
from minicnn.backends.engine import MultiStepRunner
from minicnn.host_sync import mark_parameters_changed
from minicnn.models.batches import ArrayBatches, Batch, EpochStart
from minicnn.models.compiled_network import CompiledNetwork
from minicnn.models.execution import Execution, gradient_of_mean, weighted_mean
from minicnn.models.training.interrupt import BetweenSteps
from minicnn.program import Feed, IndexedBatches


class Feeds(NamedTuple):
    """What the engine is given for a group: arrays for each of its steps."""

    inputs: tuple[Feed, ...]  # one per input of the network
    labels: Feed
    weights: Sequence[np.ndarray | None]


class FetchedGroup(list[Batch]):
    """Batches of one shape that were fetched one by one."""

    @property
    def example(self) -> tuple[np.ndarray, ...]:
        """Inputs of the shapes and dtypes of each batch."""
        return self[0].inputs

    @property
    def feeds(self) -> Feeds:
        """The arrays of all batches."""
        inputs, labels, weights = zip(*self, strict=True)
        return Feeds(tuple(zip(*inputs, strict=True)), labels, weights)


class IndexedGroup:
    """Batches of one shape whose samples have these indices, (steps, batch size), in arrays."""

    def __init__(self, data: ArrayBatches, indices: np.ndarray) -> None:
        self.data, self.indices = data, indices

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, step: int) -> Batch:
        inputs, labels, weights = self.feeds
        return Batch(tuple(feed[step] for feed in inputs), labels[step], weights[step])

    @property
    def example(self) -> tuple[np.ndarray, ...]:
        """Inputs of the shapes and dtypes of each batch."""
        return tuple(x[: self.indices.shape[1]] for x in self.data.inputs)

    @property
    def feeds(self) -> Feeds:
        """The arrays, of which an engine may have a copy, and the indices."""
        weights = self.data.weights
        return Feeds(
            tuple(IndexedBatches(x, self.indices) for x in self.data.inputs),
            IndexedBatches(np.asarray(self.data.labels), self.indices),
            [None if weights is None else weights[rows] for rows in self.indices],
        )


StepGroup = FetchedGroup | IndexedGroup


def groups_of_arrays(
    data: ArrayBatches, start: EpochStart, first: int, max_steps: int
) -> Iterator[StepGroup]:
    """Yield an epoch's batches from batch `first` on, the last and smaller one separately."""
    size = data.batch_size
    for number, begin, end in data.stretches(start, first):
        order = data.order(number)[begin * size : end * size]
        complete = len(order) // size
        for at in range(0, complete, max_steps):
            stop = min(at + max_steps, complete)
            yield IndexedGroup(data, order[at * size : stop * size].reshape(-1, size))
        if complete * size < len(order):
            yield IndexedGroup(data, order[complete * size :].reshape(1, -1))


def groups_of_batches(
    batches: Iterable[Batch], max_steps: Callable[[Batch], int]
) -> Iterator[StepGroup]:
    """Yield neighboring batches of one shape, at most `max_steps(batch)` per group.

    If fetching a batch fails, the batches before it are yielded before the error is raised.
    """
    group = FetchedGroup()
    try:
        for batch in batches:
            if group and not _alike(batch, group[0]):
                yield group
                group = FetchedGroup()
            group.append(batch)
            if len(group) >= max_steps(batch):
                yield group
                group = FetchedGroup()
    except Exception:
        if group:
            yield group
        raise
    if group:
        yield group


def _alike(a: Batch, b: Batch) -> bool:
    pairs = zip(a.inputs, b.inputs, strict=False)
    same = all((x.shape, x.dtype) == (y.shape, y.dtype) for x, y in pairs)
    return same and len(a.inputs) == len(b.inputs)


def max_steps_for(model: CompiledNetwork, inputs: tuple[np.ndarray, ...]) -> int:
    """Return how many steps on such batches the current engine takes per call."""
    if model.need_compiled()[0].has_kinds:  # each kind of step has a program of its own
        return 1
    execution = _execution(model, inputs)
    return execution.runner.max_steps_per_call if execution.takes_groups else 1


class TrainedGroup(NamedTuple):
    """A group and the results of the steps that were taken, from before each update.

    The steps from `len(losses)` on are still to be taken, one at a time.
    """

    group: StepGroup
    losses: tuple[float, ...] = ()  # one per step taken
    predictions: np.ndarray | None = None  # for all samples of these steps

    @property
    def labels(self) -> np.ndarray:
        """The labels of the same samples."""
        labels = self.group.feeds.labels
        return np.concatenate([labels[i] for i in range(len(self.losses))])

    @property
    def weights(self) -> np.ndarray | None:
        """The weights of the same samples, None if no batch has any."""
        weights = self.group.feeds.weights[: len(self.losses)]
        if all(one is None for one in weights):
            return None
        size = len(self.group.example[0])
        return np.concatenate([np.ones(size) if one is None else one for one in weights])


class _Started(NamedTuple):
    """A group that the engine is working on."""

    group: StepGroup
    execution: Execution


def train_groups(
    model: CompiledNetwork, groups: Iterator[StepGroup]
) -> Generator[TrainedGroup, None, None]:
    """Train on one group after the other until `stop_training`; yield each as soon as it is done.

    The caller takes the steps that are left: the only one of a group with one batch, and in a
    larger group those from the first loss on that is not finite. The engine has not changed the
    model in these.
    """
    started: deque[_Started] = deque()
    try:
        for group in groups:
            execution = _execution(model, group.example) if len(group) > 1 else None
            while started and (started[0].execution is not execution or len(started) > 1):
                yield _finish(model, started)
            if execution is None:
                yield TrainedGroup(group)
            else:
                _start(model, _Started(group, execution), started)
            if model.stop_training:
                break
        while started:
            yield _finish(model, started)
    except (Exception, BetweenSteps):  # from `groups`: the steps before it are reported first
        while started:
            yield _finish(model, started)
        raise
    finally:  # the caller may stop listening, but the steps must be counted all the same
        while started:
            _finish(model, started)


def _execution(model: CompiledNetwork, inputs: tuple[np.ndarray, ...]) -> Execution:
    with model.lock:
        return model.execution("train", inputs)


def _start(model: CompiledNetwork, new: _Started, started: deque[_Started]) -> None:
    """Give the engine a group; it may still be working on the one before."""
    optimizer, _ = model.need_compiled()
    group, plan = new.group, new.execution.plan
    first = optimizer.steps + sum(len(before.group) for before in started)
    steps = range(first, first + len(group))
    samples, feeds = len(group.example[0]), group.feeds
    values: dict[int | None, Any] = {
        plan.y_true[0]: feeds.labels,
        plan.dlosses[0]: [gradient_of_mean(weights, samples) for weights in feeds.weights],
        plan.rates: np.stack([optimizer.rates(step) for step in steps]),
        plan.rng_key: np.stack([random.rng_key(step) for step in steps]),
    }
    others = {index: feed for index, feed in values.items() if index is not None}
    inputs = dict(zip(plan.inputs, feeds.inputs, strict=True))
    with model.lock:
        _runner(new.execution).start(inputs, others, plan.losses[0], plan.outputs[0])
        mark_parameters_changed()
    started.append(new)


def _runner(execution: Execution) -> MultiStepRunner:
    """Return the runner of an engine that takes several steps per call."""
    return cast(MultiStepRunner, execution.runner)


def _finish(model: CompiledNetwork, started: deque[_Started]) -> TrainedGroup:
    """Wait for the group that was started first, and count the steps that were taken."""
    group, execution = started.popleft()
    with model.lock:
        losses, predictions = _runner(execution).finish()
    pairs = zip(losses, group.feeds.weights[: len(losses)], strict=True)
    means = tuple(weighted_mean(*pair) for pair in pairs)
    optimizer, _ = model.need_compiled()
    optimizer.steps += len(means)
    return TrainedGroup(group, means, predictions.reshape(-1, *predictions.shape[2:]))
