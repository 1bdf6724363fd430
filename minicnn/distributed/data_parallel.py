"""Training on several processes: each computes some shards of every batch.

A step of a process:

1. forward and backward pass of its shards, one after the other. The gradients are summed over all
   shards of all processes, in one fixed tree (`gradient_sum`);
2. x and dy of the large dense layers go to the processes that update their weights
   (`dense_exchange`), losses, predictions and running statistics to all (`shard_results`);
3. if the loss of the whole batch is finite, every process updates its copy of the weights. Of a
   large dense layer each updates some rows, with the optimizer's state of these rows alone, and
   then all get the rows of all.

References
----------
S. Rajbhandari, J. Rasley, O. Ruwase, Y. He, "ZeRO: memory optimizations toward training trillion
parameter models", SC 2020: each process updates a part of the weights.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from minicnn import random
from minicnn.contracts import Spec
from minicnn.distributed.agreement import check_agreement
from minicnn.distributed.broadcasting import broadcast_training
from minicnn.distributed.communicator import Communicator
from minicnn.distributed.dense_exchange import DenseExchange
from minicnn.distributed.gradient_sum import GradientSum
from minicnn.distributed.shard_results import ShardResults
from minicnn.distributed.shards import share
from minicnn.distributed.training_facts import training_facts
from minicnn.models.batches import ArrayBatches, Batch, Batches, picked
from minicnn.models.compiled_network import CompiledNetwork
from minicnn.models.data_parallel import ShardExecution, UpdateExecution, shard_execution
from minicnn.models.execution import BatchResult, batch_result, loss_factors, loss_gradients
from minicnn.models.planner.data_parallel import TrainingRequest
from minicnn.models.programs import Memory

ROW_MULTIPLE = 16  # rows of a dense layer's weights: parts begin at multiples of it


class _StepState(NamedTuple):
    """What a step on batches of one shape needs, besides the programs of their shards."""

    samples: int
    update: UpdateExecution
    gradients: GradientSum
    dense: DenseExchange
    results: ShardResults


class DataParallel:
    """The strategy by which several processes train one network; see `minicnn.models.strategy`.

    Parameters
    ----------
    communicator : the processes
    shards : the number of parts into which every batch is cut
    """

    def __init__(self, communicator: Communicator, shards: int) -> None:
        self.communicator, self.shards = communicator, shards
        self.batches_at_once = communicator.size
        own = share(shards, communicator.rank, communicator.size)
        self._own = range(own.start, own.stop)
        # The large dense layers of each model whose state is spread over the processes.
        self._spread: weakref.WeakKeyDictionary[CompiledNetwork, DenseExchange] = (
            weakref.WeakKeyDictionary()
        )
        self._begun: weakref.WeakSet[CompiledNetwork] = weakref.WeakSet()
        # Models of which every process has the whole state of the optimizer.
        self._whole: weakref.WeakSet[CompiledNetwork] = weakref.WeakSet()

    def own_rows(self, samples: int) -> slice:
        """Return the samples of a batch that this process computes."""
        return self._samples(samples, self.communicator.rank)

    def agree(
        self,
        model: CompiledNetwork,
        data: Batches,
        validation: Batches | None,
        settings: dict[str, Any],
    ) -> None:
        """Compare what the processes are about to train; see `Strategy`."""
        if self.communicator.size > 1:
            settings = {"shards": self.shards, **settings}
            check_agreement(self.communicator, training_facts(model, data, validation, settings))

    def begin(self, model: CompiledNetwork) -> None:
        """Continue from the weights and the progress of rank 0."""
        self.gather(model)
        self._spread.pop(model, None)
        broadcast_training(self.communicator, model)
        self._begun.add(model)
        if model.slots and self.communicator.size > 1:
            self._whole.add(model)

    def gather(self, model: CompiledNetwork) -> None:
        """Give rank 0 the rows of the optimizer's state that the others have."""
        if model in self._spread:
            self._spread[model].gather_slots([0])

    def train_step(self, model: CompiledNetwork, batch: Batch) -> BatchResult:
        """Take a training step; see `Strategy`."""
        self._begin_once(model, batch)
        optimizer, _ = model.need_compiled()
        with model.lock:
            step, factors = optimizer.steps, loss_factors(model.targets, batch)
            state = self._state_of(model, batch)
            self._run_shards(model, batch, state, loss_gradients(batch, factors))
            result = batch_result(batch, factors, *state.results.whole_batch())
            state.gradients.finish()
            state.dense.finish()
            if math.isfinite(result.loss):
                state.results.join_states()
                state.update.run(optimizer.rates(step))
                state.dense.gather_weights()
                optimizer.steps = step + 1
            return result

    def test_steps(self, model: CompiledNetwork, batches: Sequence[Batch]) -> list[BatchResult]:
        """Return predictions and loss of each batch; see `Strategy`."""
        self._begin_once(model, batches[0])
        rank = self.communicator.rank
        own = model.test_step(batches[rank]) if rank < len(batches) else None
        return [result for result in self.communicator.gather(own) if result is not None]

    def _begin_once(self, model: CompiledNetwork, batch: Batch) -> None:
        """Begin with the weights of rank 0 if neither `fit` nor a step before has begun."""
        if model not in self._begun:
            data = ArrayBatches(batch.inputs, batch.labels, batch.weights, len(batch.inputs[0]))
            self.agree(model, data, None, {})
            self.begin(model)

    def _state_of(self, model: CompiledNetwork, batch: Batch) -> _StepState:
        """Return what the step on such a batch needs; the caller holds the model's lock."""
        samples = len(batch.inputs[0])
        state = model.part_of_step(
            "update", batch.inputs, batch.each_labels, samples, self._new_state
        )
        if model in self._whole:  # a checkpoint was loaded
            self._whole.discard(model)
            for layer in state.update.update.dense:
                model.keep_slot_rows(layer.weights, layer.rows)
            return self._state_of(model, batch)
        before = self._spread.get(model)
        if before is not None and not before.is_like(state.dense):
            before.gather_slots(range(self.communicator.size))
        self._spread[model] = state.dense
        return state

    def _new_state(
        self, request: TrainingRequest, inputs: list[Spec], labels: list[Spec], memory: Memory
    ) -> _StepState:
        communicator, samples = self.communicator, request.samples

        def parts_of(rows: int, rank: int = communicator.rank) -> list[slice]:
            """Return the parts of a dense layer's rows that a process updates, one per shard."""
            own = share(self.shards, rank, communicator.size)
            parts = range(own.start, own.stop)
            return [share(rows, part, self.shards, ROW_MULTIPLE) for part in parts]

        update = UpdateExecution(request, inputs, labels, memory, parts_of)
        plan = update.update
        dealt = [self._samples(samples, rank) for rank in range(communicator.size)]
        return _StepState(
            samples,
            update,
            GradientSum(communicator, self.shards, plan.gradients, plan.ends),
            DenseExchange(communicator, dealt, plan.dense, parts_of),
            ShardResults(communicator, self.shards, samples, len(request.targets), plan),
        )

    def _samples(self, samples: int, rank: int) -> slice:
        """Return the samples of a batch that a process computes."""
        own = share(self.shards, rank, self.communicator.size)
        first, last = (share(samples, shard, self.shards) for shard in (own.start, own.stop - 1))
        return slice(first.start, last.stop)

    def _run_shards(
        self, model: CompiledNetwork, batch: Batch, state: _StepState, dlosses: Sequence[Any]
    ) -> None:
        """Run forward and backward pass of the shards of this process, and send the results."""
        optimizer, _ = model.need_compiled()
        state.gradients.clear()
        for number in self._own:
            rows = share(state.samples, number, self.shards)
            execution = None
            if rows.start < rows.stop:
                shard = Batch(picked(batch.inputs, rows), picked(batch.labels, rows))
                execution = shard_execution(model, shard, state.samples)
                given = [d if np.ndim(d) == 0 else d[rows] for d in dlosses]
                key = random.rng_key(optimizer.steps, number)
                execution.load(shard, given, (rows.stop - rows.start) / state.samples, key)
            if number == self._own[-1]:
                _run_last(state, number, rows, execution)
            else:
                _run(state, number, rows, execution)
        state.results.begin()


def _run(state: _StepState, number: int, rows: slice, execution: ShardExecution | None) -> None:
    """Run the passes of a shard, and add its gradients to those of this process."""
    if execution is None:
        state.gradients.add(number, np.zeros_like(state.gradients.total))
        return
    execution.runner.run()
    state.gradients.add(number, execution.gradients)
    for layer in range(len(state.dense.updates)):
        _put_dense(state, layer, rows, execution)
    state.results.put(number, execution)


def _run_last(
    state: _StepState, number: int, rows: slice, execution: ShardExecution | None
) -> None:
    """Run the passes of the last shard of this process, and send results as they are computed."""
    layers = range(len(state.dense.updates))
    if execution is None:
        zeros = np.zeros_like(state.gradients.total)
        for bucket in range(len(state.gradients.buckets)):
            state.gradients.add_bucket(number, zeros, bucket)
        for layer in layers:
            state.dense.begin(layer)
        return
    complete = {end: steps for steps, end in execution.shard.parts}
    events = [(complete[one.end], 0, i) for i, one in enumerate(state.gradients.buckets)]
    events += [(execution.shard.dense[layer].complete, 1, layer) for layer in layers]
    done = 0
    for steps, is_dense, i in sorted(events):
        execution.runner.run(done, steps)
        done = max(done, steps)
        if is_dense:
            _put_dense(state, i, rows, execution)
            state.dense.begin(i)
        else:
            state.gradients.add_bucket(number, execution.gradients, i)
    execution.runner.run(done, execution.steps)
    state.results.put(number, execution)


def _put_dense(state: _StepState, layer: int, rows: slice, execution: ShardExecution) -> None:
    """Copy x and dy of a large dense layer."""
    found = execution.shard.dense[layer]
    x, dy = execution.values((found.x, found.dy))
    state.dense.put(layer, rows, x, dy)
