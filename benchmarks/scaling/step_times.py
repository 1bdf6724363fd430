"""Time the kernel calls of a shard, and the updates, while every processor is as busy.

    mpirun -n 2 python benchmarks/scaling/step_times.py NETWORK SAMPLES FILE

Every rank trains the network alone, on one thread. Rank 0 writes FILE, a JSON document with the
mean of all ranks, in seconds:

    kernels   of the passes of a shard: [seconds, bytes of gradients, dense layer or null]
    dense     [inputs, outputs, seconds] of gradient and update of each dense kernel
    update    of all other parameters
    results   bytes of the losses, predictions and statistics of a shard
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI
from peers.networks import NETWORKS, Network, random_batch
from peers.with_minicnn import optimizer_of, zoo_model

import minicnn as mc
from minicnn import random
from minicnn.models.batches import batch_of
from minicnn.models.execution import Execution
from minicnn.models.planner.plan import plan_training
from minicnn.optimizers.step_kind import ONLY_KIND, StepKind
from minicnn.program import Program, Step
from minicnn.specs import Spec
from scaling.mpirun import pin

SECONDS, ROUNDS = 1.0, (5, 200)  # for each program; the fewest and the most rounds
WORLD = MPI.COMM_WORLD
FLOAT = 4


class Timed:
    """A training program, and the median time of each of its kernel calls."""

    def __init__(self, network: Network, samples: int, kind: StepKind) -> None:
        execution = _execution(network, samples, kind)
        self.program: Program = execution.plan.program
        runner = execution.runner
        calls = range(len(self.program.steps))
        rounds: list[list[float]] = []
        end = time.monotonic() + SECONDS
        while len(rounds) < ROUNDS[0] or (len(rounds) < ROUNDS[1] and _all(time.monotonic() < end)):
            WORLD.Barrier()
            times = [time.perf_counter()]
            for i in calls:
                runner.run(i, i + 1)
                times.append(time.perf_counter())
            rounds.append(np.diff(times).tolist())
        self.seconds = np.mean(WORLD.allgather(np.median(rounds, axis=0)), axis=0).tolist()

    def buffers(self, indices: Any) -> list[Any]:
        """The buffers with these indices."""
        return [self.program.buffers[i] for i in indices if i is not None]


def _all(value: bool) -> bool:
    """Whether it is so on every rank."""
    return WORLD.allreduce(value, MPI.LAND)


def _execution(network: Network, samples: int, kind: StepKind) -> Execution:
    """A training program of a network of the zoo, after one step."""
    model = zoo_model(network)
    model.compile(optimizer_of(network), loss="sparse_categorical_crossentropy")
    x, y = random_batch(network, samples, seed=WORLD.rank)
    targets = model.targets
    labels = [one.loss.label_spec((samples, network.classes)) for one in targets]
    inputs = [Spec(x.shape, "uint8")]
    optimizer = model.optimizer
    if kind.accumulation:
        optimizer.gradient_accumulation_steps = 2  # then it keeps the gradients in arrays
    plan = plan_training(model.graph, inputs, targets, labels, optimizer, model.slot, kind=kind)
    execution = Execution(plan, targets=targets)
    execution.forward_backward(batch_of(x, y), optimizer.rates(0), random.rng_key(0))
    execution.commit()
    return execution


def passes(timed: Timed, dense: dict[str, int]) -> list[list[Any]]:
    """The kernel calls of forward and backward pass: seconds, bytes of gradients, dense layer."""
    parameters = {b.name for b in timed.program.buffers if b.storage == "parameter"}
    rows = []
    for step, seconds in list(zip(timed.program.steps, timed.seconds, strict=True))[
        : timed.program.first_change
    ]:
        names = {f"d {name}": name for name in parameters}
        written = [b for b in timed.buffers(step.writes) if b.name in names]
        size = sum(FLOAT * int(np.prod(b.spec.shape)) for b in written)
        layers = [dense[names[b.name]] for b in written if names[b.name] in dense]
        rows.append([seconds, size, layers[0] if layers else None])
    return rows


def dense_kernels(timed: Timed) -> dict[str, tuple[int, int, float]]:
    """The dense kernels by name: inputs, outputs, seconds to compute the gradient and update."""
    found = {}
    for step, seconds in zip(timed.program.steps, timed.seconds, strict=True):
        if step.kernel.startswith("dense_") and step.kernel.endswith("_update"):
            kernel = timed.buffers(step.writes)[0]
            found[kernel.name] = (*kernel.spec.shape, seconds)
    return found


def is_other_update(timed: Timed, step: Step) -> bool:
    """Whether a call changes the model and belongs to no dense kernel."""
    return not step.kernel.startswith("dense_")


def measure(network: Network, samples: int) -> dict[str, Any]:
    """Time both programs: one that keeps all gradients, and one that updates the weights."""
    gradients = Timed(network, samples, StepKind("start"))
    whole = Timed(network, samples, ONLY_KIND)
    dense = dense_kernels(whole)
    order = {name: number for number, name in enumerate(dense)}
    calls = list(zip(whole.program.steps, whole.seconds, strict=True))
    changes = calls[whole.program.first_change :]
    statistics = sum(FLOAT * c.filters * 2 for c in network.layers if hasattr(c, "filters"))
    return {
        "kernels": passes(gradients, order),
        "dense": list(dense.values()),
        "update": sum(seconds for step, seconds in changes if is_other_update(whole, step)),
        "results": FLOAT * samples * (network.classes + 1) + statistics,
    }


def main() -> None:
    """Measure, and let rank 0 write the times."""
    name, samples, path = sys.argv[1:]
    pin(WORLD.rank)
    mc.set_backend("native")
    mc.config.set_threads(1)
    found = measure(NETWORKS[name], int(samples))
    if WORLD.rank == 0:
        Path(path).write_text(json.dumps(found))


if __name__ == "__main__":
    main()
