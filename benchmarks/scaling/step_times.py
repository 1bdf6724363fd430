"""Time the parts of a training step on one rank, while every processor is as busy.

    mpirun -n 2 python benchmarks/scaling/step_times.py NETWORK SAMPLES BATCH FILE

Every rank trains the network alone, on one thread: shards of SAMPLES samples of a batch of BATCH.
Rank 0 writes FILE, a JSON document with the means of all ranks, in seconds:

    kernels    of each kernel call of the passes of a shard
    gradients  [number of kernel calls after which a gradient is complete, its bytes]
    dense      [number of kernel calls after which x and dy are complete, inputs, outputs, time of
               the update of all rows] of each dense layer whose gradient is not summed
    update     of all other parameters
    shard      of a shard in addition to its kernels
    step       of a step in addition to its shards and updates
    join       of a step for each shard of other ranks, whose results are joined
    results    bytes of a shard's losses, predictions and statistics
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI
from peers.networks import NETWORKS, Network, random_batch
from peers.with_minicnn import optimizer_of, zoo_model

import minicnn as mc
from minicnn import random
from minicnn.backends.engine import Runner
from minicnn.distributed.communicator import OneProcess
from minicnn.distributed.data_parallel import ROW_MULTIPLE, DataParallel
from minicnn.distributed.shard_results import ShardResults
from minicnn.distributed.shards import share
from minicnn.models.batches import Batch
from minicnn.models.data_parallel import ShardExecution, UpdateExecution, shard_execution
from minicnn.models.strategy import set_strategy
from scaling.mpirun import pin

SECONDS, ROUNDS = 0.6, (7, 300)  # of each measurement; the fewest and the most rounds
FLOAT = 4  # bytes
FEW, MANY = 16, 256  # shards whose results are joined
WORLD = MPI.COMM_WORLD


def quartile(work: Callable[[], list[float]]) -> list[float]:
    """The lower quartile of each time that `work` returns, of many rounds; the mean of all ranks.

    Other programs only add time.
    """
    rounds: list[list[float]] = []
    end = time.monotonic() + SECONDS
    while len(rounds) < ROUNDS[0] or (len(rounds) < ROUNDS[1] and _all(time.monotonic() < end)):
        WORLD.Barrier()
        rounds.append(work())
    return np.mean(WORLD.allgather(np.percentile(rounds, 25, axis=0)), axis=0).tolist()


def _all(value: bool) -> bool:
    """Whether it is so on every rank."""
    return WORLD.allreduce(value, MPI.LAND)


def call_times(runner: Runner, count: int) -> list[float]:
    """The time of each kernel call of a program."""

    def once() -> list[float]:
        times = [time.perf_counter()]
        for i in range(count):
            runner.run(i, i + 1)
            times.append(time.perf_counter())
        return np.diff(times).tolist()

    return quartile(once)


class Trained:
    """A network that is trained in shards by this process alone."""

    def __init__(self, network: Network, samples: int, batch: int) -> None:
        self.network, self.samples, self.batch = network, samples, batch
        self.model = zoo_model(network)
        # With random labels larger steps would end in NaN.
        slow = network._replace(optimizer=network.optimizer._replace(learning_rate=1e-9))
        self.model.compile(optimizer_of(slow), loss="sparse_categorical_crossentropy")

    def step(self, shards: int) -> float:
        """The time of a training step of so many shards."""
        set_strategy(DataParallel(OneProcess(), shards))
        x, y = random_batch(self.network, shards * self.samples, seed=WORLD.rank)
        self.model.train_on_batch(x, y)

        def once() -> list[float]:
            start = time.perf_counter()
            self.model.train_on_batch(x, y)
            return [time.perf_counter() - start]

        return quartile(once)[0]

    def shard(self) -> ShardExecution:
        """The program of a shard, after one run."""
        x, y = random_batch(self.network, self.samples, seed=WORLD.rank)
        execution = shard_execution(self.model, Batch((x,), y), self.batch)
        execution.load(Batch((x,), y), [1 / self.batch], 0.0, random.rng_key(0, 0))
        execution.runner.run()
        return execution

    def update(self, batch: int) -> UpdateExecution:
        """The program that updates the weights after a batch, on a rank that owns all rows."""
        shards = batch // self.samples

        def parts_of(rows: int) -> list[slice]:
            return [share(rows, part, shards, ROW_MULTIPLE) for part in range(shards)]

        x, y = random_batch(self.network, 1, seed=0)
        shapes = np.broadcast_to(x, (batch, *x.shape[1:])), np.broadcast_to(y, batch)

        def make(*arguments: Any) -> UpdateExecution:
            return UpdateExecution(*arguments, parts_of)

        key = f"update of {batch}"
        execution = self.model.part_of_step(key, shapes[:1], shapes[1:], batch, make)
        execution.run(self.model.optimizer.rates(0))
        return execution

    def join(self, shards: int) -> float:
        """The time to join the results of so many shards."""
        plan = self.update(self.batch).update
        results = ShardResults(OneProcess(), shards, shards * self.samples, 1, plan)

        def once() -> list[float]:
            start = time.perf_counter()
            results.whole_batch()
            results.join_states()
            return [time.perf_counter() - start]

        return quartile(once)[0]


def measure(network: Network, samples: int, batch: int) -> dict[str, Any]:
    """Time the kernel calls of the programs, then whole steps of one and of two shards."""
    trained = Trained(network, samples, batch)
    one, two = trained.step(1), trained.step(2)
    shard, kernels = _timed_shard(trained)
    dense, update = _timed_update(trained, batch)
    passes = sum(kernels)
    small_dense, small_update = _timed_update(trained, samples)
    rest = one - passes - sum(small_dense) - small_update
    per_shard = two - one - passes
    join = (trained.join(MANY) - trained.join(FEW)) / (MANY - FEW)
    ends = [(steps, FLOAT * end) for steps, end in shard.shard.parts]
    layers = zip(shard.shard.dense, trained.update(batch).update.dense, dense, strict=True)
    return {
        "kernels": kernels,
        "gradients": [[n, b - a] for (_, a), (n, b) in zip([(0, 0), *ends], ends, strict=False)],
        "dense": [[one.complete, *of.weights.shape, seconds] for one, of, seconds in layers],
        "update": update,
        "shard": per_shard,
        "step": rest - per_shard,
        "join": join,
        "results": _results(shard, network, samples),
    }


def _timed_shard(trained: Trained) -> tuple[ShardExecution, list[float]]:
    shard = trained.shard()
    return shard, call_times(shard.runner, shard.steps)


def _timed_update(trained: Trained, batch: int) -> tuple[list[float], float]:
    """The times to update each large dense layer, and everything else."""
    execution = trained.update(batch)
    steps = execution.update.plan.program.steps
    times = call_times(execution.runner, len(steps))
    is_dense = [step.kernel.startswith("dense_") for step in steps]
    dense = [seconds for seconds, of in zip(times, is_dense, strict=True) if of]
    layers = len(execution.update.dense)
    of_layers = np.reshape(dense, (layers, -1)).sum(1).tolist() if layers else []
    return of_layers, sum(times) - sum(dense)


def _results(shard: ShardExecution, network: Network, samples: int) -> int:
    states = sum(state.size for state in shard.values(shard.shard.states))
    return FLOAT * (samples * (1 + network.classes) + states)


def main() -> None:
    """Measure, and let rank 0 write the times."""
    name, samples, batch, path = sys.argv[1:]
    pin(WORLD.rank)
    mc.set_backend("native")
    mc.config.set_threads(1)
    found = measure(NETWORKS[name], int(samples), int(batch))
    if WORLD.rank == 0:
        Path(path).write_text(json.dumps(found))


if __name__ == "__main__":
    main()
