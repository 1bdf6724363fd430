"""What every process must know of all shards after the passes: losses, predictions, states."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from minicnn.contracts import Shape
from minicnn.distributed.communicator import Communicator, Pending
from minicnn.distributed.shards import share
from minicnn.models.data_parallel import ShardExecution
from minicnn.models.planner.data_parallel import UpdatePlan

TAG = 0x6FFF  # of the exchange


class _Views(NamedTuple):
    """The parts of one shard's record."""

    losses: list[np.ndarray]  # of each loss, (n,)
    outputs: list[np.ndarray]  # (n, ...)
    penalties: np.ndarray
    states: list[np.ndarray]


class WholeBatch(NamedTuple):
    """The results of all shards, joined."""

    losses: list[np.ndarray]  # of each loss, (N,)
    penalties: list[float]
    outputs: list[np.ndarray]  # (N, ...)


class ShardResults:
    """One record for each shard, in one array, of which every process sends its part to all.

    Parameters
    ----------
    communicator : the processes
    shards : the number of all shards
    samples : of the whole batch
    losses : the number of losses
    plan : the update, which says what results there are
    """

    def __init__(
        self, communicator: Communicator, shards: int, samples: int, losses: int, plan: UpdatePlan
    ) -> None:
        self.communicator, self.samples, self.plan = communicator, samples, plan
        self._shapes: list[Shape] = [
            *[()] * losses,
            *(shape[1:] for shape in plan.outputs),
        ]  # of one sample's results
        self._losses = losses
        rows = [share(samples, shard, shards) for shard in range(shards)]
        self.counts = [one.stop - one.start for one in rows]
        ends = np.cumsum([0, *map(self._length, self.counts)])
        memory = np.zeros(ends[-1], np.float32)
        self._records = [memory[a:b] for a, b in itertools.pairwise(ends)]
        self._views = [
            self._cut(record, n) for record, n in zip(self._records, self.counts, strict=True)
        ]
        dealt = [share(shards, rank, communicator.size) for rank in range(communicator.size)]
        self._of_ranks = [memory[ends[own.start] : ends[own.stop]] for own in dealt]
        self._pending: Pending | None = None

    def _length(self, n: int) -> int:
        """Return the length of the record of a shard with n samples; none has nothing to say."""
        rows = n * sum(map(math.prod, self._shapes))
        states = sum(state.size for state in self.plan.states)
        return rows + self.plan.penalties + states if n else 0

    def _cut(self, record: np.ndarray, n: int) -> _Views:
        """Return the parts of a record."""
        shapes = [(n, *shape) for shape in self._shapes]
        shapes += [(self.plan.penalties,), *(state.shape for state in self.plan.states)]
        if n == 0:
            shapes = [(0,) for _ in shapes]
        ends = np.cumsum([0, *map(math.prod, shapes)])
        parts = [
            record[a:b].reshape(shape)
            for a, b, shape in zip(ends[:-1], ends[1:], shapes, strict=True)
        ]
        rows = len(self._shapes)
        return _Views(
            parts[: self._losses], parts[self._losses : rows], parts[rows], parts[rows + 1 :]
        )

    def put(self, number: int, execution: ShardExecution) -> None:
        """Copy the results of a shard of this process."""
        views, plan, shard = self._views[number], execution.shard.plan, execution.shard
        for indices, targets in (
            (plan.losses, views.losses),
            (plan.outputs, views.outputs),
            (shard.states, views.states),
        ):
            for value, target in zip(execution.values(indices), targets, strict=True):
                target[...] = value
        views.penalties[:] = [value.sum() for value in execution.values(plan.penalties)]

    def begin(self) -> None:
        """Send the records of this process to all."""
        outgoing = [self._of_ranks[self.communicator.rank]] * self.communicator.size
        self._pending = self.communicator.exchange(outgoing, self._of_ranks, TAG)

    def whole_batch(self) -> WholeBatch:
        """Wait for the records of all, and return the results in the order of the samples."""
        if self._pending is not None:
            self._pending.wait()
        filled = [v for v, n in zip(self._views, self.counts, strict=True) if n]
        return WholeBatch(
            [np.concatenate(parts) for parts in zip(*(v.losses for v in filled), strict=True)],
            self._mean_penalties(),
            [np.concatenate(parts) for parts in zip(*(v.outputs for v in filled), strict=True)],
        )

    def _mean_penalties(self) -> list[float]:
        """Return the mean of each penalty over the samples."""
        weighted = zip(self._views, self.counts, strict=True)
        rows = [n / self.samples * v.penalties.astype(np.float64) for v, n in weighted if n]
        return [float(total) for total in sum(rows)] if self.plan.penalties else []

    def join_states(self) -> None:
        """Write the mean over the samples of each state; of a variance, that of the whole batch.

        A moving average is old * m + new * (1 - m), so the mean of the shards' averages is the
        average with the mean of `new`. The variance of all samples is the mean of the shards'
        variances and the variance of the shards' means.
        """
        means = [self._mean(self._state(i)) for i in range(len(self.plan.states))]
        for one in self.plan.statistics:
            if one.momentum < 1:
                between = [(mean - means[one.mean]) ** 2 for mean in self._state(one.mean)]
                # The moving averages of the means differ by 1 - momentum of the means' difference.
                means[one.variance] += self._mean(between) / (1 - one.momentum)
        for state, mean in zip(self.plan.states, means, strict=True):
            state[...] = mean

    def _state(self, number: int) -> list[np.ndarray]:
        """Return a state as each shard that is not empty has computed it, in float64."""
        filled = (v for v, n in zip(self._views, self.counts, strict=True) if n)
        return [views.states[number].astype(np.float64) for views in filled]

    def _mean(self, of_shards: Sequence[np.ndarray]) -> np.ndarray:
        """Return the mean over the samples of a value that each shard has, added shard by shard."""
        counts = [n for n in self.counts if n]
        total = np.zeros_like(of_shards[0])
        for n, value in zip(counts, of_shards, strict=True):
            total += n / self.samples * value
        return total
