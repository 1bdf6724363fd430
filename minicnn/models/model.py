"""Model: a network with everything that is done with one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from minicnn import losses, metrics, optimizers, random
from minicnn.backends import current_backend
from minicnn.callbacks import Callback
from minicnn.checks import shape_text
from minicnn.contracts import Spec
from minicnn.errors import ArgumentError, NumericError, ShapeError
from minicnn.history import History
from minicnn.layers import Rescaling
from minicnn.layers.base import Layer, Parameter, SymbolicTensor, aligned
from minicnn.losses import Loss
from minicnn.metrics import Metric
from minicnn.naming import unique_name
from minicnn.models import saving, training
from minicnn.models.batches import Batch, Batches, as_arrays, batches_of
from minicnn.models.diagnosis import first_not_finite
from minicnn.models.execution import Execution, Outcome
from minicnn.models.graph import Graph, graph_between
from minicnn.models.plan import Plan, plan_prediction, plan_test, plan_training
from minicnn.models.summary import summary_text
from minicnn.optimizers import Optimizer
from minicnn.program import Program

Tensors = SymbolicTensor | Sequence[SymbolicTensor]


class Model:
    """A network from `inputs` to `outputs`, both made by `Input(...)` and layers.

    >>> from minicnn.layers import Add, Conv2D, Dense, Flatten, Input
    >>> x = Input((8, 8, 1))
    >>> left, right = Conv2D(4, 3)(x), Conv2D(4, 3)(x)
    >>> model = Model(x, Dense(2, activation="softmax")(Flatten()(Add()([left, right]))))
    >>> model.predict(np.zeros((5, 8, 8, 1), np.float32), verbose=0).shape
    (5, 2)
    """

    def __init__(self, inputs: Tensors, outputs: Tensors, name: str | None = None) -> None:
        self._start(name)
        self.take_graph(graph_between(_tuple(inputs), _tuple(outputs)))

    def _start(self, name: str | None) -> None:
        self.name = name or unique_name(type(self).__name__)
        self.optimizer: Optimizer | None = None
        self.loss: Loss | None = None
        self.compiled_metrics: list[str | Metric] = []
        self.fuse = True
        self.stop_training = False
        self.history: History | None = None
        self.training_state = training.TrainingState()
        self.slots: dict[str, dict[str, np.ndarray]] = {}
        self.class_names: list[str] = []
        self.preprocessing: dict[str, Any] = {}
        self.saved_history: dict[str, list[float]] = {}
        self.running_callbacks: list[Callback] = []
        self._graph: Graph | None = None
        self._executions: dict[Any, Execution] = {}

    def take_graph(self, graph: Graph) -> None:
        """Become the network of this graph; programs made before are forgotten."""
        self._graph = graph
        self._executions.clear()

    def slot(self, parameter: str, name: str) -> np.ndarray:
        """The optimizer's array of that name for that parameter; zeros when it is new."""
        arrays = self.slots.setdefault(parameter, {})
        if name not in arrays:
            shape = next(p.shape for p in self.parameters if p.name == parameter)
            arrays[name] = aligned(shape, "float32")
            arrays[name].fill(0)
        return arrays[name]

    def reset_slots(self) -> None:
        """Set the optimizer's arrays to zero. They stay where they are: programs know them."""
        for arrays in self.slots.values():
            for array in arrays.values():
                array.fill(0)

    # --- what it is made of -------------------------------------------------------------------

    @property
    def graph(self) -> Graph:
        """The layers and how they are connected."""
        if self._graph is None:
            raise ArgumentError(
                f"{self.name} does not know its input's shape yet; add mc.Input((28, 28, 1)) as "
                "its first element, or fit it"
            )
        return self._graph

    @property
    def layers(self) -> list[Layer]:
        """Every layer, in order."""
        return self.graph.layers

    @property
    def parameters(self) -> list[Parameter]:
        """Every layer's parameters, in order."""
        return self.graph.parameters

    @property
    def input_shape(self) -> Any:
        """(None, H, W, C), or a list of shapes."""
        return _single([t.shape for t in self.graph.inputs])

    @property
    def output_shape(self) -> Any:
        """(None, classes), or a list of shapes."""
        return _single([t.shape for t in self.graph.outputs])

    def get_layer(self, name: str) -> Layer:
        """The layer of that name."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise ArgumentError(f"no layer {name!r}; there are {[one.name for one in self.layers]}")

    def count_params(self) -> int:
        """Number of weights, trainable or not."""
        return sum(p.value.size for p in self.parameters)

    def get_weights(self) -> list[np.ndarray]:
        """Copies of all parameters, in the order of the layers."""
        return [p.value.copy() for p in self.parameters]

    def set_weights(self, weights: Sequence[np.ndarray]) -> None:
        """Replace all parameters; nothing changes unless every shape fits."""
        if len(weights) != len(self.parameters):
            raise ArgumentError(
                f"the model has {len(self.parameters)} parameters; got {len(weights)}"
            )
        for parameter, value in zip(self.parameters, weights, strict=True):
            if np.shape(value) != parameter.shape:
                raise ShapeError(
                    f"{parameter.name} has shape {parameter.shape}; got {np.shape(value)}"
                )
        for parameter, value in zip(self.parameters, weights, strict=True):
            parameter.assign(value)

    def summary(
        self, *, style: str = "plain", flops: bool = False, memory: bool = False
    ) -> None:
        """Print a row a layer: name, output shape, parameters; on request work and memory.

        `style="keras2"` prints the 65-column table of Keras 2, names cut to its columns.
        """
        print(summary_text(self, style=style, flops=flops, memory=memory))

    def program(self, batch_size: int = 32, *, training: bool | None = None) -> Program:
        """The list of kernel calls for such a batch; of a training step if the model is compiled."""
        if training is None:
            training = self.optimizer is not None
        kind = "train" if training else "predict"
        return self._plan(kind, batch_size, ["float32"] * len(self.graph.inputs)).program

    # --- training -----------------------------------------------------------------------------

    def compile(
        self,
        optimizer: str | Optimizer = "rmsprop",
        loss: str | Loss | None = None,
        metrics: Sequence[str | Metric] | None = None,
        *,
        fuse: bool = True,
    ) -> None:
        """Say how to train: the optimizer, the loss, what to report.

        `fuse=False` runs every operation on its own, without the planner's patterns.
        """
        self.optimizer = optimizers.get(optimizer)
        self.loss = losses.get(loss) if loss is not None else None
        self.compiled_metrics = list(metrics or [])
        self.fuse = fuse
        self.slots = {}
        self.training_state = training.TrainingState()
        self._executions.clear()

    def fit(
        self,
        x: Any,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int | str = "auto",
        callbacks: Iterable[Callback] | None = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_batch_size: int | None = None,
    ) -> History:
        """Train for `epochs` passes over the samples; returns what was measured on the way.

        Parameters
        ----------
        x, y : arrays (N, ...) of inputs and labels; or x alone: an iterable of batches (x, y) or
            (x, y, weights). uint8 images stay uint8 in memory if the model rescales them
        batch_size : samples a step; default 32
        validation_split : this fraction, taken from the arrays' end before any shuffling, is not
            trained on but measured after each epoch
        validation_data : (x, y), (x, y, weights) or an iterable of batches, measured likewise
        class_weight : {class: weight of its samples' losses}
        initial_epoch : number of the first epoch, to go on with an earlier training
        steps_per_epoch : batches an epoch, for endless iterables

        Raises
        ------
        NumericError : the loss is NaN or infinite; the weights are still those before that step
        """
        self._need_compiled()
        job = training.Fit(self, verbose, callbacks)
        job.set_data(
            x, y, sample_weight, batch_size, shuffle, steps_per_epoch, class_weight,
        )
        job.set_validation(validation_data, validation_split, validation_batch_size or batch_size)
        return job.run(initial_epoch, epochs)

    def evaluate(
        self,
        x: Any,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        sample_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """[loss, metric, ...] over all samples, or a dict of them."""
        self._need_compiled()
        batches = batches_of(x, y, sample_weight, batch_size=batch_size)
        logs = training.evaluate(self, batches, verbose)
        return logs if return_dict else list(logs.values())

    def predict(self, x: Any, batch_size: int | None = None, verbose: int | str = "auto") -> Any:
        """The outputs for every sample, float32."""
        batches = batches_of(x, batch_size=batch_size)
        return training.predict(self, batches, verbose)

    def train_on_batch(
        self, x: Any, y: Any, sample_weight: Any = None, class_weight: Any = None
    ) -> list[float]:
        """One step on one batch; [loss, metric, ...] of this batch before the step."""
        self._need_compiled()
        batch = training.weighted(Batch(as_arrays(x), np.asarray(y), sample_weight), class_weight)
        return training.measured(self, self.train_step(batch), batch)

    def test_on_batch(self, x: Any, y: Any, sample_weight: Any = None) -> list[float]:
        """[loss, metric, ...] of one batch."""
        self._need_compiled()
        batch = Batch(as_arrays(x), np.asarray(y), sample_weight)
        return training.measured(self, self.test_step(batch), batch)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch."""
        return _single([y.copy() for y in self.predict_step(as_arrays(x))])

    # --- saving -------------------------------------------------------------------------------

    def save(self, path: Any) -> None:
        """Write layers, weights, optimizer and history to one `.mcnn` file, atomically."""
        saving.save_model(self, path)

    def save_checkpoint(self, path: Any) -> None:
        """Write all that an interrupted training needs to go on, bit for bit."""
        saving.save_checkpoint(self, path)

    def load_checkpoint(self, path: Any) -> None:
        """Take over weights, optimizer and progress from a checkpoint of this same network."""
        saving.load_checkpoint(self, path)

    # --- one batch ----------------------------------------------------------------------------

    def train_step(self, batch: Batch) -> Outcome:
        """Forward, backward and update; the outcome is that before the update."""
        optimizer = self._need_compiled()
        batch = self._prepared(batch)
        step = optimizer.iterations
        run = self._execution("train", batch.inputs)
        outcome = run.forward_backward(batch, optimizer.rates(step), random.stream(step))
        if not np.isfinite(outcome.loss):
            raise NumericError(
                f"the loss became {outcome.loss} at step {step + 1}: "
                f"{first_not_finite(self.graph, batch.inputs)}. The weights are still those "
                f"before this step; a smaller learning_rate than {optimizer.learning_rate:g} or "
                "clipnorm=1.0 often helps"
            )
        run.commit()
        optimizer.iterations = step + 1
        return outcome

    def test_step(self, batch: Batch) -> Outcome:
        """Predictions and loss, as in use: no dropout, running statistics."""
        self._need_compiled()
        batch = self._prepared(batch)
        return self._execution("test", batch.inputs).test(batch)

    def predict_step(self, inputs: tuple[np.ndarray, ...]) -> list[np.ndarray]:
        """The outputs; arrays of the program, overwritten by its next run."""
        self.check_inputs(inputs)
        return self._execution("predict", inputs).predict(inputs)

    def _prepared(self, batch: Batch) -> Batch:
        self.check_inputs(batch.inputs)
        if batch.labels is None:
            raise ArgumentError("training and evaluation need labels y")
        shape = (len(batch.inputs[0]), *self.graph.outputs[0].shape[1:])
        labels = self.loss.prepare(batch.labels, shape)  # type: ignore[union-attr]
        return batch._replace(labels=labels)

    def check_inputs(self, inputs: tuple[np.ndarray, ...]) -> None:
        """The right number of arrays, each of the right shape."""
        self.build_for(inputs)
        if len(inputs) != len(self.graph.inputs):
            raise ArgumentError(f"{self.name} has {len(self.graph.inputs)} inputs; got {len(inputs)}")
        for tensor, x in zip(self.graph.inputs, inputs, strict=True):
            if x.shape[1:] != tensor.shape[1:]:
                raise ShapeError(_wrong_input(tensor, x.shape))

    def build_for(self, inputs: tuple[np.ndarray, ...]) -> None:
        """Make the graph if it waited for an input's shape; `Sequential` does."""

    def _execution(self, kind: str, inputs: tuple[np.ndarray, ...]) -> Execution:
        dtypes = [self._input_dtype(i, x) for i, x in enumerate(inputs)]
        frozen = tuple(layer.trainable for layer in self.layers)
        key = (kind, len(inputs[0]), *dtypes, current_backend(), frozen)
        if key not in self._executions:
            self._executions[key] = Execution(self._plan(kind, len(inputs[0]), dtypes))
        return self._executions[key]

    def _input_dtype(self, i: int, x: np.ndarray) -> str:
        """uint8 pixels stay uint8 where every layer that reads them rescales them."""
        return "uint8" if x.dtype == np.uint8 and self.rescales(i) else "float32"

    def rescales(self, i: int) -> bool:
        """Is a Rescaling layer the first thing that happens to input i?"""
        tensor = self.graph.inputs[i]
        readers = [t.layer for t in self.graph.tensors if any(u is tensor for u in t.inputs)]
        return bool(readers) and all(isinstance(layer, Rescaling) for layer in readers)

    def new_metrics(self) -> list[Metric]:
        """A fresh set of the compiled metrics."""
        shape = self.graph.outputs[0].shape
        return [metrics.get(metric, self.loss, shape) for metric in self.compiled_metrics]

    def _plan(self, kind: str, batch_size: int, dtypes: list[str]) -> Plan:
        pairs = zip(self.graph.inputs, dtypes, strict=True)
        specs = [Spec((batch_size, *t.shape[1:]), dtype) for t, dtype in pairs]
        if kind == "predict":
            return plan_prediction(self.graph, specs, fuse=self.fuse)
        optimizer, loss = self._need_compiled(), self.loss
        labels = loss.label_spec((batch_size, *self.graph.outputs[0].shape[1:]))  # type: ignore[union-attr]
        if kind == "test":
            return plan_test(self.graph, specs, loss, labels, fuse=self.fuse)  # type: ignore[arg-type]
        return plan_training(
            self.graph, specs, loss, labels, optimizer, self.slot, fuse=self.fuse  # type: ignore[arg-type]
        )

    def _need_compiled(self) -> Optimizer:
        if self.optimizer is None or self.loss is None:
            raise ArgumentError(
                "say how to train first: model.compile(optimizer='adam', "
                "loss='sparse_categorical_crossentropy', metrics=['accuracy'])"
            )
        if self._graph is not None and len(self._graph.outputs) != 1:
            raise ArgumentError(
                f"training needs one output; {self.name} has {len(self._graph.outputs)}"
            )
        return self.optimizer


def _tuple(tensors: Tensors) -> tuple[SymbolicTensor, ...]:
    return tuple(tensors) if isinstance(tensors, (list, tuple)) else (tensors,)  # type: ignore[arg-type]


def _single(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


def _wrong_input(tensor: SymbolicTensor, shape: tuple[int, ...]) -> str:
    name, needed = tensor.layer.name, tensor.shape
    text = f"{name}: the input has shape {shape_text(shape)}, needed is {shape_text(needed)}"
    if shape == needed[1:]:
        return f"{text}; for one sample pass x[None]"
    if len(needed) == 4 and shape[1:] == needed[1:3] and needed[3] == 1:
        return f"{text}; grey images need a channel axis: x[..., None]"
    return text
