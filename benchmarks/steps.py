"""Time each kernel call of a network's training step, and count its operations.

The calls run in the program's order, round after round, so that each finds the caches as in real
training. Operations are those of the formula: a kernel that needs fewer shows more GFLOP/s than it
computes.
"""

from __future__ import annotations

import math
import time
from typing import Any, NamedTuple

import numpy as np
from peers.networks import NETWORKS, Network, random_batch
from peers.with_minicnn import optimizer_of, zoo_model

from minicnn import random
from minicnn.contracts import CONTRACTS, Spec
from minicnn.models.batches import batch_of
from minicnn.models.execution import Execution
from minicnn.models.planner.plan import plan_training
from minicnn.program import Program, Step


class StepTime(NamedTuple):
    """One kernel call of a program."""

    kernel: str
    result: str  # name and shape of the first array that it writes
    seconds: float  # of its fastest round, because other load only adds time
    flop: float  # of the dense formula; 0 for kernels other than convolutions and dense layers
    traffic: float  # bytes of all arrays that it reads and writes, each counted once

    @property
    def gflops(self) -> float:
        """Billions of operations per second."""
        return self.flop / self.seconds / 1e9

    @property
    def gbytes(self) -> float:
        """Billions of bytes per second."""
        return self.traffic / self.seconds / 1e9

    @property
    def intensity(self) -> float:
        """Operations per byte."""
        return self.flop / self.traffic


def measure(name: str, batch: int | None = None, rounds: int = 7) -> list[StepTime]:
    """Time every kernel call of a network's training step, the fastest of `rounds`."""
    network = NETWORKS[name]
    execution = _execution(network, batch or network.batch)
    program, runner = execution.plan.program, execution.runner
    seconds: list[list[float]] = [[] for _ in program.steps]
    for _ in range(rounds):
        for i in range(len(program.steps)):
            start = time.perf_counter()
            runner.run(i, i + 1)
            seconds[i].append(time.perf_counter() - start)
    pairs = zip(program.steps, seconds, strict=True)
    return [_step_time(program, step, min(times)) for step, times in pairs]


def _execution(network: Network, size: int) -> Execution:
    """The training step of a network of the zoo on the current engine, after one run."""
    model = zoo_model(network)
    model.compile(optimizer_of(network), loss="sparse_categorical_crossentropy")
    x, y = random_batch(network, size, seed=0)
    targets = model.targets
    labels = [one.loss.label_spec((size, network.classes)) for one in targets]
    inputs = [Spec(x.shape, "uint8")]
    plan = plan_training(model.graph, inputs, targets, labels, model.optimizer, model.slot)
    execution = Execution(plan, targets=targets)
    execution.forward_backward(batch_of(x, y), model.optimizer.rates(0), random.rng_key(0))
    execution.commit()
    return execution


def _step_time(program: Program, step: Step, seconds: float) -> StepTime:
    result = program.buffers[next(w for w in step.writes if w is not None)]
    touched = {i for i in (*step.reads, *step.writes) if i is not None}
    traffic = sum(_size_bytes(program.buffers[i].spec) for i in touched)
    text = f"{result.name} {'x'.join(map(str, result.spec.shape))}"
    return StepTime(step.kernel, text, seconds, _flop(program, step), traffic)


def _flop(program: Program, step: Step) -> float:
    """2 per product of a convolution or a dense layer; its three passes have equally many."""
    if not step.kernel.startswith(("conv2d", "dense")):
        return 0
    contract = CONTRACTS[step.kernel]
    named: dict[str, Any] = dict(zip(contract.writes, step.writes, strict=True))
    named |= {k.rstrip("?"): v for k, v in zip(contract.reads, step.reads, strict=True)}
    w = program.buffers[named["w"] if "w" in named else named["dw"]].spec.shape
    n = program.buffers[named["x"] if "x" in named else named["dy"]].spec.shape[0]
    places = 1
    if "window" in step.attributes:
        places = math.prod(step.attributes["window"].out_hw(step.attributes["image"]))
    return 2.0 * n * places * math.prod(w)


def _size_bytes(spec: Spec) -> int:
    return math.prod(spec.shape) * np.dtype(spec.dtype).itemsize
