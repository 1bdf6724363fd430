"""A network with its programs: it predicts, tests and trains on one batch per call.

Programs are planned when a batch of a new kind comes and are cached. The steps here trust their
batches: `prepare_batch` and `build_for` check what comes from outside, once.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Hashable, Sequence
from contextlib import nullcontext
from typing import Any, TypeVar, cast

import numpy as np

from minicnn import metrics, random
from minicnn.backends.settings import conv_algorithm, precision
from minicnn.contracts import Spec
from minicnn.errors import ArgumentError, NumericError
from minicnn.history import History
from minicnn.host_sync import layers_version
from minicnn.layers.apply import infer_spec
from minicnn.layers.parameter import Parameter
from minicnn.losses import Loss
from minicnn.metrics import Metric
from minicnn.models.batches import Batch
from minicnn.models.execution import BatchResult, Execution
from minicnn.models.graph import Graph
from minicnn.models.network import Network
from minicnn.models.planner.data_parallel import TrainingRequest
from minicnn.models.planner.losses import Target
from minicnn.models.planner.plan import Plan, plan_prediction, plan_test, plan_training
from minicnn.models.planner.shared_arrays import SharedArrays
from minicnn.models.programs import Memory, Programs
from minicnn.models.slots import Slots
from minicnn.models.strategy import current_strategy, gather_together
from minicnn.models.training.interrupt import Interrupt, Uninterruptible
from minicnn.models.training.measures import Measures, Reported
from minicnn.models.training.nonfinite import first_not_finite
from minicnn.models.training.session import TrainingSession
from minicnn.optimizers import Optimizer, StepKind
from minicnn.program import Program
from minicnn.support.memory_limits import check_activations

T = TypeVar("T")


class CompiledNetwork(Network):
    """A network that can predict and, once it has an optimizer and a loss, learn."""

    def __init__(self, name: str | None = None, **options: Any) -> None:
        super().__init__(name, **options)
        self.optimizer: Optimizer | None = None
        # One loss for every output, or one or None for each.
        self.loss: Loss | Sequence[Loss | None] | None = None
        self.loss_weights: Sequence[float] | None = None
        self.compiled_metrics: list[Reported] = []
        # The outputs in the order in which their losses are reported; [] is the network's order.
        self.loss_order: list[int] = []
        self.fuse = True
        self.stop_training = False
        self.session = TrainingSession()
        self._slots = Slots()
        self._executions = Programs()
        self.step_measures: Measures | None = None  # with the metrics of `step_metrics`
        self._step_metrics: list[Metric] | None = None
        self._targets: list[Target] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Return the state for copies and pickles: no programs, no running training.

        If several processes share the training, all must call it; the first one gets the whole
        state of the optimizer, and gives it to the others when the copy is trained.
        """
        gather_together(self)
        self._slots.sync()
        state = {name: value for name, value in vars(self).items() if name != "_executions"}
        return {**state, "session": self.session.idle()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._executions = Programs()

    @property
    def history(self) -> History | None:
        """The curves of the last training; None before the first."""
        return self.session.history

    @property
    def saved_history(self) -> dict[str, list[float]]:
        """The curves of the trainings before that one, also from the file of a loaded model."""
        return self.session.state.past

    @property
    def in_training(self) -> bool:
        """Whether `fit` is running."""
        return self.session.is_running

    def refuse_while_training(self, method: str) -> None:
        """Raise ArgumentError if `fit` is running, which needs the model as it is."""
        if self.in_training:
            raise ArgumentError(
                f"{method} was called while fit of {self.name} is running (from a callback or from "
                "another thread); set model.stop_training = True and call it afterwards"
            )

    @property
    def lock(self) -> threading.Lock:
        """Held while a program is planned or runs: threads may share a model, one at a time."""
        return self._executions.lock

    def take_graph(self, graph: Graph) -> None:
        """Become the network of this graph; the programs of the earlier one are dropped."""
        super().take_graph(graph)
        self._forget()

    def _forget(self) -> None:
        """Drop what followed from the graph, the losses and the metrics."""
        self._executions.clear()
        self._step_metrics = self.step_measures = self._targets = None

    def set_training(
        self,
        optimizer: Optimizer,
        loss: Loss | Sequence[Loss | None] | None,
        reported: list[Reported],
        *,
        fuse: bool,
        loss_weights: Sequence[float] | None = None,
    ) -> None:
        """Take a new optimizer with fresh state, losses, their weights, and metrics."""
        self.optimizer, self.loss, self.compiled_metrics = optimizer, loss, reported
        self.loss_weights = loss_weights
        self.fuse = fuse
        self._slots = Slots()
        self._forget()

    @property
    def targets(self) -> list[Target]:
        """The losses of the outputs that have one."""
        if self._targets is None:
            self._targets = self._found_targets()
        return self._targets

    def _found_targets(self) -> list[Target]:
        count = len(self.graph.outputs)
        losses = [self.loss] * count if isinstance(self.loss, Loss) else self.loss or []
        weights = self.loss_weights or [1.0] * count
        if len(losses) != count or len(weights) != count:
            raise ArgumentError(
                f"{self.name} has {count} outputs, but {len(losses)} losses and {len(weights)} "
                "loss_weights; give one for each"
            )
        pairs = enumerate(zip(losses, weights, strict=True))
        return [Target(i, loss, w) for i, (loss, w) in pairs if isinstance(loss, Loss)]

    def program(self, batch_size: int = 32, *, training: bool | None = None) -> Program:
        """Return the list of kernel calls for such a batch; `print` it to see the algorithm.

        By default it is a training step if the model is compiled, else a prediction.
        """
        if training is None:
            training = self.optimizer is not None
        specs = [Spec((batch_size, *t.shape[1:])) for t in self.graph.inputs]
        if any(None in spec.shape for spec in specs):
            raise ArgumentError(
                f"{self.name} takes images of any size, and has a program for each: call fit or "
                "predict"
            )
        labels = self._label_specs(self.targets, specs, None) if training else []
        return self._plan("train" if training else "predict", specs, labels).program

    def prepare_batch(self, batch: Batch) -> Batch:
        """Build the network if needed; return the batch, checked, with labels as kernels read them.

        Raises
        ------
        ArgumentError, ShapeError, DTypeError : the network is not compiled, or inputs or labels do
            not fit it
        """
        self.check_compiled()
        self.build_for(batch.inputs)
        if batch.labels is None:
            raise ArgumentError("training and evaluation need labels y")
        if len(batch.inputs[0]) == 0:
            raise ArgumentError("a batch needs at least one sample; x has 0")
        return batch._replace(labels=self._prepared(batch))

    def _prepared(self, batch: Batch) -> Any:
        """Return the labels of each target as its loss reads them; of a single one, its labels."""
        targets, given = self.targets, batch.each_labels
        shapes = self.output_shapes(batch.inputs)
        if len(given) != len(targets):
            raise ArgumentError(
                f"{self.name} has {len(targets)} losses, so y must be labels for each; got "
                f"{len(given)}"
            )
        pairs = zip(targets, given, strict=True)
        labels = [target.loss.prepare(y, shapes[target.output]) for target, y in pairs]
        return labels[0] if len(labels) == 1 else tuple(labels)

    def train_step(self, batch: Batch, interrupt: Interrupt | None = None) -> BatchResult:
        """Take a training step on a prepared batch; the result is from before the update.

        Ctrl-C abandons a step before the model changes, or waits until it has changed.

        Raises
        ------
        NumericError : the loss is NaN or infinite; the model is as before
        """
        strategy = current_strategy()
        if strategy is None:
            result = self._own_step(batch, interrupt)
        else:
            result = strategy.train_step(self, batch)
        if not math.isfinite(result.loss):
            raise self._not_finite(batch, result.loss)
        return result

    def _own_step(self, batch: Batch, interrupt: Interrupt | None) -> BatchResult:
        """Take a training step in this process, unless its loss is not finite."""
        optimizer, _ = self.need_compiled()
        interruptible = nullcontext() if interrupt is None else interrupt.interruptible
        uninterruptible = Uninterruptible() if interrupt is None else interrupt.uninterruptible
        with self.lock:
            step = optimizer.steps  # read under the lock: threads may train one model in turn
            execution = self.execution("train", batch.inputs, batch.each_labels)
            with interruptible:
                rates, rng_key = optimizer.rates(step), random.rng_key(step)
                result = execution.forward_backward(batch, rates, rng_key)
            if math.isfinite(result.loss):
                with uninterruptible:
                    execution.commit()
                    optimizer.steps = step + 1
            return result.copied()

    def _not_finite(self, batch: Batch, loss: float) -> NumericError:
        """Return the error for a step whose loss is NaN or infinite."""
        optimizer, _ = self.need_compiled()
        cause = first_not_finite(self.graph, batch.inputs, self.targets, optimizer.steps)
        return NumericError(
            f"the loss became {loss} at step {optimizer.steps + 1}: {cause}. The weights are still "
            f"those before this step (learning_rate {optimizer.learning_rate:g})"
        )

    def test_step(self, batch: Batch) -> BatchResult:
        """Return predictions and loss of a prepared batch, at inference: without dropout."""
        with self.lock:
            return self.execution("test", batch.inputs, batch.each_labels).test(batch).copied()

    def predict_step(self, inputs: tuple[np.ndarray, ...]) -> list[np.ndarray]:
        """Return the outputs for inputs that `build_for` has checked."""
        with self.lock:
            return [y.copy() for y in self.execution("predict", inputs).predict(inputs)]

    def new_metrics(self) -> list[Metric]:
        """Return a new set of the compiled metrics."""
        each = {target.output: target.loss for target in self.targets}
        shapes = [tensor.shape for tensor in self.graph.outputs]
        return [
            metrics.get(one.metric, each.get(one.output), shapes[one.output])
            for one in self.compiled_metrics
        ]

    def step_metrics(self, *, keep: bool = False) -> list[Metric]:
        """Return the compiled metrics, reset unless `keep`; each call returns the same objects."""
        if self._step_metrics is None:
            self._step_metrics = self.new_metrics()
        for metric in () if keep else self._step_metrics:
            metric.reset()
        return self._step_metrics

    def slot(self, parameter: Parameter, name: str) -> np.ndarray:
        """Return the optimizer's array of that name for a parameter; a new one is initialized."""
        optimizer, _ = self.need_compiled()
        return self._slots.get(parameter, name, optimizer.all_slots[name])

    def overwrite_with_averages(self) -> None:
        """Replace the weights by their moving averages, if the optimizer keeps these."""
        for parameter, average in self._slots.all_named("average"):
            parameter.assign(average)

    @property
    def slots(self) -> dict[tuple[str, str], np.ndarray]:
        """All the optimizer's arrays, by (parameter's name, slot's name)."""
        return self._slots.named(self.named_parameters())

    def keep_slot_rows(self, weights: np.ndarray, rows: slice) -> None:
        """Keep only some rows of the optimizer's arrays of a parameter, whose array is `weights`.

        Another process has the other rows. The programs that use the arrays are dropped.
        """
        self._slots.keep_rows(weights, rows)
        self._executions.clear()

    def check_compiled(self) -> None:
        """Raise ArgumentError if there is no optimizer or no loss."""
        if self.optimizer is None or self.loss is None:
            raise ArgumentError(
                "say how to train first: model.compile(optimizer='adam', "
                "loss='sparse_categorical_crossentropy', metrics=['accuracy'])"
            )

    def need_compiled(self) -> tuple[Optimizer, Loss]:
        """Return the optimizer and the loss, of several the first one.

        Raises
        ------
        ArgumentError : they are not set
        """
        self.check_compiled()
        loss = self.loss if isinstance(self.loss, Loss) else self.targets[0].loss
        return cast(Optimizer, self.optimizer), loss

    def output_shapes(self, inputs: Sequence[Any]) -> list[tuple[int, ...]]:
        """Return the shapes of the outputs for a batch of these inputs, arrays or Specs."""
        if self._derived.has_sizes:
            samples = inputs[0].shape[0]
            return [(samples, *t.shape[1:]) for t in self.graph.outputs]
        specs = [Spec(tuple(x.shape)) for x in inputs]
        return [spec.shape for spec in self.graph.forward(infer_spec, *specs, training=False)]

    def execution(
        self, kind: str, inputs: tuple[np.ndarray, ...], labels: tuple[Any, ...] | None = None
    ) -> Execution:
        """Return the Execution of a "predict", "test" or "train" step on the current engine.

        `labels` are prepared ones; by default they are as each loss usually has them.

        The caller holds the lock: all executions share memory, so the next one that runs
        overwrites the arrays of this one.
        """
        specs = self.input_specs(inputs)
        key = self._key(kind, specs, labels)

        def make(memory: Memory) -> Execution:
            targets = [] if kind == "predict" else self.targets
            label_specs = self._label_specs(targets, specs, labels)
            plan = self._plan(kind, specs, label_specs, memory.shared)
            check_activations(plan.program.arena_bytes, len(inputs[0]))
            return Execution(plan, memory.arena, targets)

        return self._executions.get(key, make)

    def part_of_step(
        self,
        kind: str,
        inputs: tuple[np.ndarray, ...],
        labels: tuple[Any, ...],
        samples: int,
        make: Callable[[TrainingRequest, list[Spec], list[Spec], Memory], T],
    ) -> T:
        """Return a program of a step that several programs share, made by `make` if it is new.

        Parameters
        ----------
        kind : names the program among those for the same inputs and labels
        inputs, labels : what it is given, or arrays of the same shapes and dtypes
        samples : of the whole batch
        make : called with what a step is planned from, the Specs of inputs and labels, and the
            memory that all programs of this network use in turn. The caller holds the lock
        """
        optimizer, _ = self.need_compiled()
        specs, label_specs = self.input_specs(inputs), self._label_specs([], [], labels)
        request = TrainingRequest(
            self.graph, self.targets, optimizer, self.slot, self.fuse, self._step_kind, samples
        )
        key = (self._key(kind, specs, labels), samples)
        return self._executions.get(key, lambda memory: make(request, specs, label_specs, memory))

    def _key(self, kind: str, specs: list[Spec], labels: tuple[Any, ...] | None) -> Hashable:
        """Return what distinguishes a program from others of this network."""
        training = kind not in ("predict", "test")
        trained = [layer.trainable for layer in self._derived.layers] if training else []
        settings = (conv_algorithm.get(), precision.get(), layers_version())
        label_kinds = [(y.shape, y.dtype) for y in labels or ()]
        step_kind = self._step_kind if training else None
        return (kind, *specs, *label_kinds, *settings, *trained, step_kind)

    @property
    def _step_kind(self) -> StepKind | None:
        """What the optimizer's next step does, if its steps are of several kinds."""
        return None if self.optimizer is None else self.optimizer.step_kind(self.optimizer.steps)

    def input_specs(self, inputs: tuple[np.ndarray, ...]) -> list[Spec]:
        """Return the shapes of inputs, and the dtypes in which programs read them."""
        return [Spec(x.shape, self._input_dtype(i, x)) for i, x in enumerate(inputs)]

    def _input_dtype(self, i: int, x: np.ndarray) -> str:
        """Return the dtype in which an input is read: uint8 stays if all its readers rescale it."""
        return "uint8" if x.dtype == np.uint8 and self.rescales(i) else "float32"

    def _label_specs(
        self, targets: list[Target], specs: list[Spec], labels: tuple[Any, ...] | None
    ) -> list[Spec]:
        """Return the Specs of the labels of each target, given or as its loss usually has them."""
        if labels is not None:
            return [Spec(y.shape, str(y.dtype)) for y in labels]
        shapes = self.output_shapes(specs) if targets else []
        return [target.loss.label_spec(shapes[target.output]) for target in targets]

    def _plan(
        self,
        kind: str,
        specs: list[Spec],
        labels: list[Spec],
        shared: SharedArrays | None = None,
    ) -> Plan:
        if kind == "predict":
            return plan_prediction(self.graph, specs, shared, fuse=self.fuse)
        optimizer, _ = self.need_compiled()
        if kind == "test":
            return plan_test(self.graph, specs, self.targets, labels, shared, fuse=self.fuse)
        return plan_training(
            self.graph,
            specs,
            self.targets,
            labels,
            optimizer,
            self.slot,
            shared,
            fuse=self.fuse,
            kind=self._step_kind,
        )
