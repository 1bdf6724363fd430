"""A training step in parts: forward and backward pass of each shard, then the update of the model.

`minicnn.distributed` lets several processes compute the shards of a batch, and sums the gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minicnn.backends import runner
from minicnn.backends.engine import Runner
from minicnn.contracts import Spec
from minicnn.host_sync import mark_parameters_changed
from minicnn.models.batches import Batch
from minicnn.models.compiled_network import CompiledNetwork
from minicnn.models.planner.data_parallel import (
    TrainingRequest,
    plan_shard,
    plan_update,
)
from minicnn.models.programs import Memory
from minicnn.support.memory_limits import check_activations


class ShardExecution:
    """Forward and backward pass for the samples of a shard, on the current engine.

    Attributes
    ----------
    shard : the plan
    gradients : of all parameters but large dense ones, in one array; valid after a run
    """

    def __init__(
        self, request: TrainingRequest, inputs: list[Spec], labels: list[Spec], memory: Memory
    ) -> None:
        self.shard = plan_shard(request, inputs, labels, memory.shared)
        self.gradients = self.shard.gradients
        plan = self.shard.plan
        check_activations(plan.program.arena_bytes, inputs[0].shape[0])
        self.runner: Runner = runner(plan.program, plan.arrays, memory.arena)

    @property
    def steps(self) -> int:
        """The number of steps of the program."""
        return len(self.shard.plan.program.steps)

    def load(self, batch: Batch, dlosses: Sequence[Any], share: float, rng_key: np.ndarray) -> None:
        """Set everything that the program reads.

        Parameters
        ----------
        batch : the samples of the shard
        dlosses : the gradients of the whole batch's loss by the losses of these samples
        share : of the batch's samples, by which the shard's penalties count
        rng_key : of the step and the shard
        """
        plan = self.shard.plan
        for index, x in zip(plan.inputs, batch.inputs, strict=True):
            plan.arrays[index][...] = x
        for index, labels in zip(plan.y_true, batch.each_labels, strict=True):
            plan.arrays[index][...] = labels
        for index, gradient in zip(plan.dlosses, dlosses, strict=True):
            plan.arrays[index][...] = gradient
        for index in plan.dpenalties:
            plan.arrays[index][...] = share
        if plan.rng_key is not None:
            plan.arrays[plan.rng_key][...] = rng_key

    def values(self, indices: Sequence[int]) -> list[np.ndarray]:
        """Return the arrays of these buffers; the next run overwrites them."""
        return [self.runner[index] for index in indices]


class UpdateExecution:
    """The update of the model by sums over all shards, on the current engine.

    Attributes
    ----------
    update : the plan, with the arrays to be filled before `run`
    """

    def __init__(
        self,
        request: TrainingRequest,
        inputs: list[Spec],
        labels: list[Spec],
        memory: Memory,
        parts_of: Callable[[int], Sequence[slice]],
    ) -> None:
        self.update = plan_update(request, inputs, labels, parts_of)
        plan = self.update.plan
        self.runner: Runner = runner(plan.program, plan.arrays, memory.arena)

    def run(self, rates: np.ndarray) -> None:
        """Update the weights and what layers keep for later batches."""
        plan = self.update.plan
        if plan.rates is not None:
            plan.arrays[plan.rates][...] = rates
        self.runner.run()
        mark_parameters_changed()


def shard_execution(model: CompiledNetwork, batch: Batch, samples: int) -> ShardExecution:
    """Return the program for a shard of this shape, of a batch of `samples` samples.

    The caller holds the model's lock.
    """
    return model.part_of_step("shard", batch.inputs, batch.each_labels, samples, ShardExecution)
