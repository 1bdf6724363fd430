"""Several training steps with one call of the engine, where it can do that."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from typing import NamedTuple

import numpy as np

from minicnn import random
from minicnn.models.execution import Execution
from minicnn.models.groups import Group
from minicnn.models.stepper import Stepper


class Trained(NamedTuple):
    """How far a group came, and what its batches gave before their steps."""

    group: Group
    losses: tuple[float, ...] = ()  # one for each step that was done
    predictions: np.ndarray | None = None  # for all samples of these steps

    @property
    def labels(self) -> np.ndarray:
        """Of the same samples."""
        return np.concatenate([self.group.labels[i] for i in range(len(self.losses))])

    @property
    def rest(self) -> range:
        """The batches that are still to be trained on, one at a time."""
        return range(len(self.losses), self.group.batches)


class Running(NamedTuple):
    """A group that the engine is at work on."""

    group: Group
    execution: Execution


def train_groups(model: Stepper, groups: Iterator[Group]) -> Generator[Trained, None, None]:
    """Train on one group after the other.

    The engine is given the next group before this waits for the one before, so it is never idle:
    groups are fetched, and their outcomes looked at, while it works. A group of one batch is left
    to the caller, as is the rest of a group from the first loss on that is not finite; no step
    after that one has changed the model.
    """
    at_work: deque[Running] = deque()
    try:
        yield from _trained(model, groups, at_work)
    finally:  # if nobody listens any more: what was done must be counted all the same
        while at_work:
            _finish(model, at_work)


def _trained(model: Stepper, groups: Iterator[Group], at_work: deque[Running]) -> Iterator[Trained]:
    try:
        for group in groups:
            several = group.batches > 1
            execution = _execution_for(model, group) if several else None
            while at_work and (at_work[0].execution is not execution or len(at_work) > 1):
                yield _finish(model, at_work)
            if execution is None:
                yield Trained(group)
            else:
                _start(model, Running(group, execution), at_work)
    except Exception:  # where groups come from: what was trained before is told first
        while at_work:
            yield _finish(model, at_work)
        raise
    while at_work:
        yield _finish(model, at_work)


def _execution_for(model: Stepper, group: Group) -> Execution:
    with model.lock:
        return model.execution("train", group.like.inputs)


def _start(model: Stepper, running: Running, at_work: deque[Running]) -> None:
    optimizer, _ = model.need_compiled()
    first = optimizer.iterations + sum(before.group.batches for before in at_work)
    steps = range(first, first + running.group.batches)
    rates = np.stack([optimizer.rates(step) for step in steps])
    with model.lock:
        running.execution.start(running.group, rates, np.stack([random.rng_key(s) for s in steps]))
    at_work.append(running)


def _finish(model: Stepper, at_work: deque[Running]) -> Trained:
    group, execution = at_work.popleft()
    with model.lock:
        losses, predictions = execution.finish(group)
    optimizer, _ = model.need_compiled()
    optimizer.iterations += len(losses)
    return Trained(group, losses, predictions)
