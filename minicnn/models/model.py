"""Model: a network with everything that is done with one."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import Any

from minicnn import losses, optimizers
from minicnn.callbacks import Callback
from minicnn.errors import ArgumentError
from minicnn.history import History
from minicnn.layers.base import SymbolicTensor
from minicnn.losses import Loss
from minicnn.metrics import Metric, as_metrics
from minicnn.models import images
from minicnn.models.batches import as_arrays, batch_of, batches_of
from minicnn.models.graph import Graph, graph_between
from minicnn.models.network import single
from minicnn.models.saving import checkpoints, model_files
from minicnn.models.saving.graph_config import graph_from_config, graph_to_config
from minicnn.models.stepper import Stepper
from minicnn.models.training import evaluation
from minicnn.models.training.class_weights import weighted
from minicnn.models.training.fit import Fit
from minicnn.models.training.state import TrainingState
from minicnn.optimizers import Optimizer

Tensors = SymbolicTensor | Sequence[SymbolicTensor]


class Model(Stepper):
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

    def get_config(self) -> dict[str, Any]:
        """What `from_config` builds this network again from, JSON-able, without the weights.

        A subclass whose constructor takes other arguments returns those.
        """
        return {"name": self.name, **graph_to_config(self.graph)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Model:
        """A network like the one whose `get_config` this was, with first weights."""
        if "tensors" not in config:
            return cls(**config)
        return cls._of_graph(graph_from_config(config), config["name"])

    @classmethod
    def _of_graph(cls, graph: Graph, name: str) -> Model:
        return cls(graph.inputs, graph.outputs, name=name)

    def _start(self, name: str | None) -> None:
        super().__init__(name)
        self.stop_training = False
        self.history: History | None = None
        self.saved_history: dict[str, list[float]] = {}
        self.training_state = TrainingState()
        self.running_callbacks: list[Callback] = []
        self.training_thread: threading.Thread | None = None  # that `fit` runs in

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
        self.refuse_while_training("compile")
        wanted = losses.get(loss) if loss is not None else None
        self.set_training(optimizers.get(optimizer), wanted, as_metrics(metrics), fuse=fuse)
        self.training_state = TrainingState()

    def fit(
        self,
        x: Any,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int | str = "auto",
        callbacks: Iterable[Callback] | Callback | None = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_batch_size: int | None = None,
        validation_steps: int | None = None,
    ) -> History:
        """Train for `epochs` passes over the samples; returns what was measured on the way.

        Every pass has another order, also those of later calls; after `compile` or in a new model
        they begin again. The seed is the one that is in use when `fit` is called.

        Parameters
        ----------
        x, y : arrays (N, ...) of inputs and labels; or x alone: an iterable of batches (x, y) or
            (x, y, weights). uint8 images stay uint8 in memory if the model rescales them. A GPU
            trains on a copy, so changes of the arrays before `fit` returns may not be seen
        batch_size : samples a step; default 32
        verbose : 0 nothing, 1 a progress bar, 2 a line an epoch, "auto" by where the output goes
        validation_split : this fraction, taken from the arrays' end before any shuffling, is not
            trained on but measured after each epoch
        validation_data : (x, y), (x, y, weights) or an iterable of batches, measured likewise
        class_weight : {class: weight of its samples' losses}; 1 for a class that is not there
        sample_weight : (N,) weights of the samples' losses
        initial_epoch : number of the first epoch, to go on with an earlier training
        steps_per_epoch : batches an epoch; the next epoch goes on where the one before ended
        validation_steps : so many batches of `validation_data`, the first ones each time; those of
            a generator, which cannot begin again, follow each other

        Raises
        ------
        NumericError : the loss is NaN or infinite; the weights are still those before that step
        ArgumentError, ShapeError, DTypeError : arrays or arguments do not fit; nothing was changed
        """
        self.need_compiled()
        self.refuse_while_training("fit")
        job = Fit(self, verbose, callbacks)
        data = batches_of(
            x, y, sample_weight, batch_size=batch_size, shuffle=shuffle, steps=steps_per_epoch
        )
        job.set_data(data, class_weight)
        size = validation_batch_size or batch_size
        job.set_validation(validation_data, validation_split, size, validation_steps)
        return job.run(initial_epoch, epochs)

    def __getstate__(self) -> dict[str, Any]:
        """For copies and pickles, which are not in the middle of anything."""
        return {**super().__getstate__(), "running_callbacks": [], "training_thread": None}

    @property
    def in_training(self) -> bool:
        """Is `fit` running? Not in a child that was forked while another thread trained."""
        return self.training_thread is not None and self.training_thread.is_alive()

    def refuse_while_training(self, what: str) -> None:
        """Raise ArgumentError inside `fit`: a callback must not pull its training away."""
        if self.in_training:
            raise ArgumentError(
                f"{what} was called while fit of {self.name} is running (from a callback or from "
                "another thread); set model.stop_training = True and call it afterwards"
            )

    def evaluate(
        self,
        x: Any,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        sample_weight: Any = None,
        return_dict: bool = False,
        steps: int | None = None,
    ) -> Any:
        """[loss, metric, ...] over all samples, or a dict of them; without metrics the loss.

        Of an iterable of batches so many `steps`, all by default.
        """
        self.need_compiled()
        batches = batches_of(
            x, y, sample_weight, batch_size=batch_size, steps=steps, steps_name="steps"
        )
        logs = evaluation.evaluate(self, batches, verbose)
        return logs if return_dict else evaluation.loss_or_list(logs)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        steps: int | None = None,
    ) -> Any:
        """The outputs for every sample, float32; of an iterable for so many batches, or all."""
        batches = batches_of(x, batch_size=batch_size, steps=steps, steps_name="steps")
        return evaluation.predict(self, batches, verbose)

    def train_on_batch(
        self, x: Any, y: Any, sample_weight: Any = None, class_weight: Any = None
    ) -> Any:
        """One step on one batch; [loss, metric, ...] of this batch before the step.

        Without metrics the loss alone, a number.
        """
        batch = weighted(batch_of(x, y, sample_weight), class_weight)
        outcome = self.train_step(batch)
        return evaluation.measured(self.step_metrics(), outcome, batch)

    def test_on_batch(self, x: Any, y: Any, sample_weight: Any = None) -> Any:
        """[loss, metric, ...] of one batch; without metrics the loss alone, a number."""
        batch = batch_of(x, y, sample_weight)
        return evaluation.measured(self.new_metrics(), self.test_step(batch), batch)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch."""
        return single(self.predict_step(as_arrays(x)))

    def predict_images(
        self, paths: Any, top: int = 5, batch_size: int = 32
    ) -> images.ImagePredictions:
        """What is on these pictures: a row (path, label, probability, top) a file.

        Parameters
        ----------
        paths : a file, or several
        top : so many (probability, class name), best first
        batch_size : files that are in memory at a time

        Returns
        -------
        list of ImagePrediction, in the order of `paths`; a file that cannot be read is left out,
        named in a warning and in the list's `failures`

        Raises
        ------
        ArgumentError : the model has no `preprocess`, so nobody knows how a file becomes its input
        """
        return images.predict_images(self, paths, top, batch_size)

    def save(self, path: Any, *, include_optimizer: bool = True) -> None:
        """Write layers, weights, optimizer and history to one `.mcnn` file, atomically.

        Without the optimizer and its state the file is smaller, with Adam a third as large, and
        the model that it gives is not compiled.

        Raises
        ------
        ArgumentError : `load_model` could not build it again: the get_config() of a class of
            yours lacks an argument, or two layers have one name. Nothing is written then
        """
        model_files.save_model(self, path, include_optimizer=include_optimizer)

    def check_savable(self) -> None:
        """Raise the ArgumentError that `save` would raise, without writing anything.

        A network that waits for its input's shape is not looked at.
        """
        if self.is_built:
            model_files.check_savable(self)

    def save_weights(self, path: Any) -> None:
        """`save` without the optimizer; for `load_weights`, of any network."""
        model_files.save_weights(self, path)

    def load_weights(self, path: Any) -> None:
        """Take over the weights of a `.mcnn` file of the same network; all else stays.

        Raises
        ------
        CheckpointError : the file is of another network; it says what differs
        FormatError, OSError : the file cannot be read; nothing was changed
        """
        self.refuse_while_training("load_weights")
        model_files.load_weights(self, path)

    def save_checkpoint(self, path: Any) -> None:
        """Write all that an interrupted training needs to go on, bit for bit."""
        checkpoints.save_checkpoint(self, path)

    def load_checkpoint(self, path: Any) -> None:
        """Take over weights, optimizer and progress from a checkpoint of this same network.

        Raises
        ------
        CheckpointError : it is of another network or training; nothing was changed
        FormatError, OSError : the file cannot be read; nothing was changed
        """
        checkpoints.load_checkpoint(self, path)


def _tuple(tensors: Tensors) -> tuple[SymbolicTensor, ...]:
    if isinstance(tensors, (list, tuple)) and tensors:
        return tuple(tensors)
    return (tensors,)  # type: ignore[return-value]  # graph_between refuses what is no tensor
