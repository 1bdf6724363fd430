"""One batch at a time: programs made when they are first needed, then run again and again."""

from __future__ import annotations

import math
import threading
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from minicnn import metrics, random
from minicnn.backends.settings import conv_algorithm, precision
from minicnn.contracts import Spec
from minicnn.errors import ArgumentError, NumericError
from minicnn.host_sync import layers_version, sync_all, synced
from minicnn.layers.base import Parameter, aligned
from minicnn.losses import Loss
from minicnn.metrics import Metric
from minicnn.models.batches import Batch
from minicnn.models.execution import Execution, Outcome
from minicnn.models.graph import Graph
from minicnn.models.network import Network
from minicnn.models.planner.plan import Plan, plan_prediction, plan_test, plan_training
from minicnn.models.planner.shared_arrays import SharedArrays
from minicnn.models.programs import Memory, Programs
from minicnn.models.training.interrupt import Whole
from minicnn.models.training.nonfinite import first_not_finite
from minicnn.optimizers import Optimizer
from minicnn.program import Program
from minicnn.support.memory_limits import check_activations


class Stepper(Network):
    """A network that can predict, and, once it has an optimizer and a loss, learn."""

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name)
        self.optimizer: Optimizer | None = None
        self.loss: Loss | None = None
        self.compiled_metrics: list[Any] = []
        self.fuse = True
        self._slots: dict[Parameter, dict[str, np.ndarray]] = {}
        self._executions = Programs()
        self._step_metrics: list[Metric] | None = None
        # Entered while a training step may be given up as a whole; `fit` lets Ctrl-C strike there.
        self.interruptible: AbstractContextManager[Any] = nullcontext()
        self.uninterruptible: AbstractContextManager[Any] = Whole()  # while the model changes

    def __getstate__(self) -> dict[str, Any]:
        """For copies and pickles: all but the programs, which are made again when needed."""
        for arrays in self._slots.values():
            sync_all(arrays.values())
        kept = {name: value for name, value in vars(self).items() if name != "_executions"}
        return {**kept, "interruptible": nullcontext(), "uninterruptible": Whole()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._executions = Programs()

    @property
    def lock(self) -> threading.Lock:
        """To be held while a program is made or runs: threads may use one model, one at a time."""
        return self._executions.lock

    def take_graph(self, graph: Graph) -> None:
        """Become the network of this graph; programs made before are forgotten."""
        super().take_graph(graph)
        self._executions.clear()
        self._step_metrics = None

    def set_training(
        self, optimizer: Optimizer, loss: Loss | None, reported: list[Any], *, fuse: bool
    ) -> None:
        """Take a new optimizer, with fresh state."""
        self.optimizer, self.loss, self.compiled_metrics = optimizer, loss, reported
        self.fuse = fuse
        self._slots = {}
        self._executions.clear()
        self._step_metrics = None

    def program(self, batch_size: int = 32, *, training: bool | None = None) -> Program:
        """The list of kernel calls for such a batch; `print` it to see the network's algorithm.

        Of a training step if the model is compiled, else of a prediction.
        """
        if training is None:
            training = self.optimizer is not None
        dtypes = ["float32"] * len(self.graph.inputs)
        return self._plan("train" if training else "predict", batch_size, dtypes).program

    def train_step(self, batch: Batch) -> Outcome:
        """Forward, backward and update; the outcome is that before the update.

        Ctrl-C gives up a step as a whole, before the model changes, or not at all.
        """
        optimizer, loss = self.need_compiled()
        batch = self.prepared(batch)
        with self.lock:
            step = optimizer.iterations  # here, as threads may train one model in turn
            execution = self.execution("train", batch.inputs)
            with self.interruptible:
                rates, rng_key = optimizer.rates(step), random.rng_key(step)
                outcome = execution.forward_backward(batch, rates, rng_key)
            if math.isfinite(outcome.loss):
                with self.uninterruptible:
                    execution.commit()
                    optimizer.iterations = step + 1
                return outcome.copied()
        cause = first_not_finite(self.graph, batch.inputs, loss, step)
        raise NumericError(
            f"the loss became {outcome.loss} at step {step + 1}: {cause}. The weights are still "
            f"those before this step (learning_rate {optimizer.learning_rate:g})"
        )

    def test_step(self, batch: Batch) -> Outcome:
        """Predictions and loss, as in use: no dropout, running statistics."""
        batch = self.prepared(batch)
        with self.lock:
            return self.execution("test", batch.inputs).test(batch).copied()

    def predict_step(self, inputs: tuple[np.ndarray, ...]) -> list[np.ndarray]:
        """The outputs."""
        self.check_inputs(inputs)
        with self.lock:
            return [y.copy() for y in self.execution("predict", inputs).predict(inputs)]

    def new_metrics(self) -> list[Metric]:
        """A fresh set of the compiled metrics."""
        shape = self.graph.outputs[0].shape
        return [metrics.get(metric, self.loss, shape) for metric in self.compiled_metrics]

    def step_metrics(self) -> list[Metric]:
        """The compiled metrics with nothing counted; each call gives the same objects."""
        if self._step_metrics is None:
            self._step_metrics = self.new_metrics()
        for metric in self._step_metrics:
            metric.reset()
        return self._step_metrics

    def slot(self, parameter: Parameter, name: str) -> np.ndarray:
        """Return the optimizer's array of that name for a parameter; a new one is initialized."""
        optimizer, _ = self.need_compiled()
        arrays = self._slots.setdefault(parameter, {})
        if name not in arrays:
            array = aligned(parameter.shape, "float32")
            array.fill(optimizer.slots[name])
            arrays[name] = array
        return synced(arrays[name])

    @property
    def slots(self) -> dict[tuple[str, str], np.ndarray]:
        """All the optimizer's arrays, by (parameter's name, slot's name)."""
        return {
            (p.name, name): synced(a)
            for p, arrays in self._slots.items()
            for name, a in arrays.items()
        }

    def need_compiled(self) -> tuple[Optimizer, Loss]:
        """The optimizer and the loss, or an error that says how to give them."""
        if self.optimizer is None or self.loss is None:
            raise ArgumentError(
                "say how to train first: model.compile(optimizer='adam', "
                "loss='sparse_categorical_crossentropy', metrics=['accuracy'])"
            )
        if self._graph is not None and len(self._graph.outputs) != 1:
            raise ArgumentError(
                f"training needs one output; {self.name} has {len(self._graph.outputs)}"
            )
        return self.optimizer, self.loss

    def prepared(self, batch: Batch) -> Batch:
        """The batch with labels as the loss wants them, after every check."""
        _, loss = self.need_compiled()
        self.check_inputs(batch.inputs)
        if batch.labels is None:
            raise ArgumentError("training and evaluation need labels y")
        if len(batch.inputs[0]) == 0:
            raise ArgumentError("a batch needs at least one sample; x has 0")
        labels = loss.prepare(batch.labels, self._output_shape(len(batch.inputs[0])))
        return batch._replace(labels=labels)

    def together(self, inputs: tuple[np.ndarray, ...]) -> int:
        """How many steps on such batches the engine in use takes at a time."""
        with self.lock:
            return self.execution("train", inputs).runner.max_steps_per_call

    def _output_shape(self, batch_size: int) -> tuple[int, ...]:
        return (batch_size, *self.graph.outputs[0].shape[1:])

    def execution(self, kind: str, inputs: tuple[np.ndarray, ...]) -> Execution:
        """The plan of a "predict", "test" or "train" step on the engine in use; the lock is held.

        It lies in memory that all of them share: the next one that runs overwrites its arrays.
        """
        dtypes = [self._input_dtype(i, x) for i, x in enumerate(inputs)]
        trained = [layer.trainable for layer in self._layers] if kind == "train" else []
        ways = (conv_algorithm.get(), precision.get(), layers_version())
        key = (kind, len(inputs[0]), *dtypes, *ways, *trained)

        def make(memory: Memory) -> Execution:
            plan = self._plan(kind, len(inputs[0]), dtypes, memory.shared)
            check_activations(plan.program.arena_bytes, len(inputs[0]))
            return Execution(plan, memory.arena)

        return self._executions.get(key, make)

    def _input_dtype(self, i: int, x: np.ndarray) -> str:
        """uint8 pixels stay uint8 where every layer that reads them rescales them."""
        return "uint8" if x.dtype == np.uint8 and self.rescales(i) else "float32"

    def _plan(
        self, kind: str, batch_size: int, dtypes: list[str], shared: SharedArrays | None = None
    ) -> Plan:
        pairs = zip(self.graph.inputs, dtypes, strict=True)
        specs = [Spec((batch_size, *t.shape[1:]), dtype) for t, dtype in pairs]
        if kind == "predict":
            return plan_prediction(self.graph, specs, shared, fuse=self.fuse)
        optimizer, loss = self.need_compiled()
        labels = loss.label_spec(self._output_shape(batch_size))
        if kind == "test":
            return plan_test(self.graph, specs, loss, labels, shared, fuse=self.fuse)
        return plan_training(
            self.graph, specs, loss, labels, optimizer, self.slot, shared, fuse=self.fuse
        )
