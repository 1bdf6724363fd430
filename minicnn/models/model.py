"""Model: a network with the methods that users call to train, evaluate, predict and save."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from minicnn import optimizers
from minicnn.errors import ArgumentError
from minicnn.history import History
from minicnn.layers.symbolic import SymbolicTensor
from minicnn.metrics import Metric
from minicnn.models import images
from minicnn.models.compiled_network import CompiledNetwork
from minicnn.models.graph import Graph, graph_between
from minicnn.models.saving import checkpoints, formats, model_files
from minicnn.models.saving.graph_config import graph_from_config
from minicnn.models.structures import numbered
from minicnn.models.training import evaluation
from minicnn.models.training.arranging import batch_for, batches_for, inputs_for
from minicnn.models.training.class_weights import weighted
from minicnn.models.training.compilation import Compiled, Resolved, compiled, resolved
from minicnn.models.training.fit import Fit
from minicnn.models.training.measuring import new_measures, step_measures
from minicnn.models.training.own_steps import refuse_own_steps
from minicnn.models.training.running import callbacks_of_fit
from minicnn.models.training.state import TrainingState
from minicnn.models.training.totals import Totals
from minicnn.optimizers import Optimizer
from minicnn.support import registry
from minicnn.support.main_process import is_main
from minicnn.support.structures import flat

Tensors = SymbolicTensor | Sequence[SymbolicTensor]


class Model(CompiledNetwork):
    """A network from `inputs` to `outputs`, which `Input(...)` and layers return.

    A subclass that makes its graph later, as Sequential does, leaves both out.

    >>> from minicnn.layers import Add, Conv2D, Dense, Flatten, Input
    >>> x = Input((8, 8, 1))
    >>> left, right = Conv2D(4, 3)(x), Conv2D(4, 3)(x)
    >>> model = Model(x, Dense(2, activation="softmax")(Flatten()(Add()([left, right]))))
    >>> model.predict(np.zeros((5, 8, 8, 1), np.float32), verbose=0).shape
    (5, 2)
    """

    def __init__(
        self,
        inputs: Tensors | dict[str, Any] = (),
        outputs: Tensors | dict[str, Any] = (),
        name: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(name, **options)
        self._compiled: Compiled | None = None
        given = [not (isinstance(one, tuple) and not one) for one in (inputs, outputs)]
        if all(given):
            self._connect(inputs, outputs)
        elif any(given):
            raise ArgumentError("a Model needs inputs and outputs: Model(inputs, outputs)")

    def _connect(self, inputs: Any, outputs: Any) -> None:
        """Become the network from these inputs to these outputs."""
        self.input_structure, self.output_structure = (
            numbered(given) if isinstance(given, (list, tuple, dict)) else None
            for given in (inputs, outputs)
        )
        self.take_graph(graph_between(tuple(flat(inputs)), tuple(flat(outputs))))

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Model:
        """Return a network like the one whose `get_config` this was, with initial weights.

        `custom_objects` are classes of yours that it names, {"Scale": Scale}.
        """
        if "tensors" not in config:
            return cls(**config)
        with registry.custom_objects(custom_objects):
            graph, inputs, outputs = graph_from_config(config)
        return cls._of_graph(graph, inputs, outputs, config["name"])

    @classmethod
    def _of_graph(cls, graph: Graph, inputs: Any, outputs: Any, name: str) -> Model:
        return cls(inputs, outputs, name=name)

    def to_json(self, **options: Any) -> str:
        """Return the network without its weights as JSON, for `mc.models.model_from_json`.

        `options` are those of `json.dumps`.
        """
        document = {"class": type(self).__name__, "config": self.get_config()}
        return json.dumps(document, **options)

    def compile(
        self,
        optimizer: str | Optimizer = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: bool | str = "auto",
        auto_scale_loss: bool = True,
        *,
        fuse: bool = True,
    ) -> None:
        """Set the optimizer, the loss and the metrics of the training.

        Parameters
        ----------
        optimizer, loss, metrics : objects, or their names such as "adam",
            "sparse_categorical_crossentropy" and "accuracy". For several outputs `loss` is one for
            all, a list in their order, or a dict by their names; `metrics` too is a list with one
            entry or list for each, or a dict. Without a loss an output is not trained
        loss_weights : how much each loss counts in the whole one: a list or a dict; default 1
        weighted_metrics : metrics to which the sample weights apply; to `metrics` they do not
        run_eagerly, steps_per_execution, jit_compile, auto_scale_loss : without effect: they say
            how Keras computes a step, not what it computes
        fuse : False runs every operation by its own kernel, without the planner's fused ones

        Raises
        ------
        ArgumentError : a name is unknown, or `fit` is running
        """
        self.refuse_while_training("compile")
        refuse_own_steps(self)
        wanted = compiled(loss, loss_weights, metrics, weighted_metrics)
        chosen = optimizers.get(optimizer)
        known = self._resolved(wanted) if self.is_built else Resolved(wanted.loss, None, [], [])
        self._compiled = wanted
        self.set_training(
            chosen, known.losses, known.reported, fuse=fuse, loss_weights=known.weights
        )
        self.loss_order = known.loss_order
        self.session = replace(self.session, state=TrainingState(past=self.saved_history))

    def take_graph(self, graph: Graph) -> None:
        """Become the network of this graph; losses and metrics are given to its outputs."""
        super().take_graph(graph)
        if self._compiled is not None:
            known = self._resolved(self._compiled)
            self.loss, self.loss_weights = known.losses, known.weights
            self.compiled_metrics, self.loss_order = known.reported, known.loss_order

    def _resolved(self, given: Compiled) -> Resolved:
        return resolved(given, self.output_names, named=isinstance(self.output_structure, dict))

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int | str = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool | str = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Sequence[int] = 1,
    ) -> History:
        """Train for `epochs` passes over the samples; return the curves of loss and metrics.

        Every pass has another order of the samples, also in later calls. The orders start over
        after `compile`. The training uses the random seed that is set when `fit` is called.

        Parameters
        ----------
        x, y : arrays (N, ...) of inputs and labels, for several inputs or outputs in lists or in
            dicts by name; or x alone: an iterable of batches (x, y) or (x, y, weights). uint8
            images stay uint8 in memory if the model rescales them. A GPU trains on a copy, so
            changes of the arrays before `fit` returns may have no effect
        batch_size : samples per step; default 32
        verbose : 0 prints nothing, 1 a progress bar, 2 one line per epoch; "auto" prints a bar on
            a terminal and lines elsewhere
        callbacks : one callback or several
        validation_split : the fraction of the samples, taken from the arrays' end before any
            shuffling, that is evaluated after each epoch instead of being trained on
        validation_data : (x, y), (x, y, weights) or an iterable of batches to evaluate after each
            epoch
        shuffle : True and "batch" give each pass another order of the samples; False keeps the
            arrays' order
        class_weight : {class: weight of its samples' losses}; 1 for a class that is missing
        sample_weight : (N,) weights of the samples' losses; for several outputs one for all, or a
            list or dict with one for each
        initial_epoch : number of the first epoch, to continue an earlier training
        steps_per_epoch : batches per epoch; the next epoch continues where the one before ended, in
            arrays and iterables alike, and goes on with the next pass where one ends
        validation_steps : batches of `validation_data` to evaluate, the same first ones each time;
            a generator cannot start over, so it gives its next ones
        validation_batch_size : samples per batch of the validation; default: `batch_size`
        validation_freq : 2 evaluates after each second epoch, [1, 5] after the first and the fifth

        Raises
        ------
        NumericError : the loss is NaN or infinite; the weights are still those before that step
        ArgumentError, ShapeError, DTypeError : arrays or arguments do not fit; nothing was changed
        """
        self.check_compiled()
        refuse_own_steps(self)
        self.refuse_while_training("fit")
        job = Fit(self, callbacks_of_fit(callbacks, self), verbose)
        shuffled: Any = True if isinstance(shuffle, str) and shuffle == "batch" else shuffle
        options = {"batch_size": batch_size, "shuffle": shuffled, "steps": steps_per_epoch}
        data = batches_for(self, x, y, sample_weight, **options)
        job.set_data(data, class_weight)
        size = validation_batch_size or batch_size
        job.set_validation(
            validation_data, validation_split, size, validation_steps, validation_freq
        )
        return job.run(initial_epoch, epochs)

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Return loss and metrics over all samples: [loss, metric, ...].

        For several outputs the loss of each comes after the whole loss, in their order.

        Parameters
        ----------
        x, y, sample_weight : arrays, or x alone: an iterable of batches, as for `fit`
        steps : batches to evaluate, the first ones; default: all
        callbacks : one callback or several, whose `on_test_...` are called
        return_dict : True returns {"loss": ..., metric: ...}, sorted by name

        Returns
        -------
        a list, a dict if `return_dict`, or the loss alone if there are no metrics
        """
        self.check_compiled()
        options = {"batch_size": batch_size, "steps": steps, "steps_name": "steps"}
        batches = batches_for(self, x, y, sample_weight, **options)
        totals = evaluation.evaluate(self, batches, callbacks, verbose)
        return totals.returned(as_dict=return_dict)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """Return the outputs for every sample, float32 (N, ...), as the outputs were given.

        Parameters
        ----------
        x : one array per input, or an iterable of batches
        steps : batches to predict, the first ones; default: all
        callbacks : one callback or several, whose `on_predict_...` are called

        Returns
        -------
        an array, or a list or a dict of arrays if the outputs were given in one
        """
        refuse_own_steps(self)
        options = {"batch_size": batch_size, "steps": steps, "steps_name": "steps"}
        batches = batches_for(self, x, **options)
        return evaluation.predict(self, batches, callbacks, verbose)

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Take one training step; return [loss, metric, ...] of the batch from before the step.

        Without metrics it returns the loss alone, as a number; with `return_dict` a dict.
        """
        refuse_own_steps(self)
        batch = self.prepare_batch(weighted(batch_for(self, x, y, sample_weight), class_weight))
        self.forget_measurements()
        totals = Totals(step_measures(self))
        totals.add(self.train_step(batch), batch)
        return totals.returned(as_dict=return_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Return [loss, metric, ...] of one batch; without metrics the loss alone, as a number.

        With `return_dict` it returns a dict.
        """
        batch = self.prepare_batch(batch_for(self, x, y, sample_weight))
        totals = Totals(new_measures(self))
        totals.add(self.test_step(batch), batch)
        return totals.returned(as_dict=return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """Return the outputs for one batch."""
        inputs = inputs_for(self, x)
        self.build_for(inputs)
        return self.packed(self.predict_step(inputs))

    @property
    def metrics(self) -> list[Metric]:
        """The compiled metrics, with the values of the last `train_on_batch`.

        The list is empty until the input's shape is known.
        """
        if self.optimizer is None or not self.is_built:
            return []
        return list(self.step_metrics(keep=True))

    @property
    def metrics_names(self) -> list[str]:
        """The names of what `evaluate` returns, in its order; only the loss until it is built."""
        if self.optimizer is None:
            return []
        return new_measures(self).names if self.is_built else ["loss"]

    def reset_metrics(self) -> None:
        """Set the compiled metrics to their initial values."""
        for metric in self.metrics:
            metric.reset()

    def predict_images(
        self, paths: Any, top: int = 5, batch_size: int = 32
    ) -> images.ImagePredictions:
        """Predict what is on image files: a (path, label, probability, top) per file.

        Parameters
        ----------
        paths : a file, or several
        top : how many (probability, class name) to return per image, the most probable first
        batch_size : files that are in memory at a time

        Returns
        -------
        list of ImagePrediction, in the order of `paths`; a file that cannot be read is left out,
        named in a warning and in the list's `failures`

        Raises
        ------
        ArgumentError : the model has no `preprocess`, which says how a file becomes its input
        """
        return images.predict_images(self, paths, top, batch_size)

    def save(
        self, filepath: Any, overwrite: bool = True, *, include_optimizer: bool = True
    ) -> None:
        """Write layers, weights, optimizer and history to one file, atomically.

        The name's ending chooses the format: `.keras`, `.h5` and what else `minicnn.interop` writes
        for other programs; all other names get minicnn's own, which is called `.mcnn`.

        Without the optimizer and its state the file is smaller (with Adam a third of the size), and
        the model that `load_model` returns is not compiled.

        Raises
        ------
        FileExistsError : the file exists, and `overwrite` is False
        ArgumentError : `load_model` could not rebuild the model: the get_config() of a class of
            yours lacks an argument, or two layers have the same name. Nothing is written
        """
        refuse_overwriting(filepath, overwrite)
        write = formats.writer("write_model", filepath, model_files.save_model)
        write(self, filepath, include_optimizer=include_optimizer)

    def check_savable(self) -> None:
        """Raise the ArgumentError that `save` would raise, without writing anything.

        A network that does not know its input's shape yet is not checked.
        """
        if self.is_built:
            model_files.check_savable(self)

    def save_weights(self, filepath: Any, overwrite: bool = True) -> None:
        """Write the weights for `load_weights`, of any network, and all else but the optimizer."""
        refuse_overwriting(filepath, overwrite)
        write = formats.writer("write_weights", filepath, model_files.save_weights)
        write(self, filepath)

    def load_weights(self, filepath: Any) -> None:
        """Load the weights of a file of the same network; nothing else changes.

        It may be a `.mcnn` file or one of another program that `minicnn.interop` reads.

        Raises
        ------
        CheckpointError : the file is of another network; the message says what differs
        FormatError, OSError : the file cannot be read; nothing was changed
        """
        self.refuse_while_training("load_weights")
        read = formats.reader("read_weights", filepath, model_files.load_weights)
        read(self, filepath)
        self.forget_measurements()

    def save_checkpoint(self, path: Any) -> None:
        """Write everything that an interrupted training needs to resume, bit for bit."""
        checkpoints.save_checkpoint(self, path)

    def load_checkpoint(self, path: Any) -> None:
        """Load weights, optimizer and progress from a checkpoint of the same network and training.

        Raises
        ------
        CheckpointError : it is of another network or training; nothing was changed
        FormatError, OSError : the file cannot be read; nothing was changed
        """
        checkpoints.load_checkpoint(self, path)


def refuse_overwriting(path: Any, overwrite: bool) -> None:
    """Raise FileExistsError if the file exists and must not be replaced."""
    if not overwrite and is_main() and Path(path).exists():
        raise FileExistsError(f"{path} exists already; overwrite=True replaces it")
