"""Training: epochs of steps, with validation, callbacks and progress."""

from __future__ import annotations

import math
import threading
import warnings
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from minicnn.backends import steps_together
from minicnn.callbacks import BackupAndRestore, Callback, CallbackList, TerminateOnNaN
from minicnn.checks import check_int, check_number, shape_text
from minicnn.errors import ArgumentError, NumericError
from minicnn.history import History
from minicnn.losses import Crossentropy
from minicnn.models.batches import ArrayBatches, Batch, Batches, batches_of, is_arrays
from minicnn.models.groups import Group, groups_of_arrays, groups_of_batches
from minicnn.models.interrupt import BetweenSteps, Interrupt
from minicnn.models.measuring import Totals, measure
from minicnn.models.together import Trained, train_groups
from minicnn.progress import Progress

if TYPE_CHECKING:
    from minicnn.models.model import Model


@dataclass
class TrainingState:
    """How far a training has come: what a checkpoint holds besides weights and slots."""

    epoch: int = 0  # being trained, counted from 0
    batch: int = 0  # batches of it that are done
    totals: Totals | None = None  # of these batches
    resumed: dict[str, Any] | None = None  # `totals` as a checkpoint knew them

    def get_state(self) -> dict[str, Any]:
        """Everything, JSON-able."""
        totals = None if self.totals is None else self.totals.get_state()
        return {"epoch": self.epoch, "batch": self.batch, "totals": totals}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what `get_state` gave."""
        self.epoch = check_int(state["epoch"], "epoch", 0)
        self.batch = check_int(state["batch"], "batch", 0)
        self.resumed = state["totals"]


class Fit:
    """One call of `fit`."""

    def __init__(
        self, model: Model, verbose: int | str, callbacks: Iterable[Callback] | Callback | None
    ) -> None:
        self.model = model
        self.history = History()
        # What saves the others' states comes after them, and after the history.
        given = [callbacks] if isinstance(callbacks, Callback) else list(callbacks or [])
        ordered = sorted([self.history, *given], key=_saves_others)
        self.callbacks = CallbackList(ordered, model)
        model.running_callbacks = ordered
        self.progress = Progress(verbose)
        self.validation: Batches | None = None
        self.class_weight: dict[int, float] | None = None

    def set_data(self, data: Batches, class_weight: dict[int, float] | None) -> None:
        """What to train on."""
        if isinstance(data, ArrayBatches) and data.samples == 0:
            raise ArgumentError("fit needs at least one sample; x has 0")
        if isinstance(data, ArrayBatches) and data.labels is None:
            raise ArgumentError("fit needs labels: model.fit(x, y)")
        self.data, self.class_weight = data, class_weight

    def set_validation(self, data: Any, split: float, batch_size: int | None) -> None:
        """What to measure after each epoch."""
        check_number(split, "validation_split", 0.0, 1.0)
        if data is not None:
            # A list of arrays alone would be inputs without labels, so it means the same.
            together = isinstance(data, tuple) or (isinstance(data, list) and is_arrays(data))
            parts = tuple(data) if together else (data,)
            if isinstance(data, np.ndarray) or (together and len(parts) not in (2, 3)):
                got = f"{len(parts)} parts" if together else f"one array {shape_text(data.shape)}"
                raise ArgumentError(
                    "validation_data must be (x, y), (x, y, weights) or an iterable of batches; "
                    f"got {got}"
                )
            self.validation = batches_of(*parts, batch_size=batch_size)
        elif split > 0.0:
            self._split(split)

    def _split(self, fraction: float) -> None:
        data = self.data
        if not isinstance(data, ArrayBatches) or data.labels is None:
            raise ArgumentError("validation_split needs arrays; pass validation_data instead")
        kept = data.samples - int(data.samples * fraction)
        if kept in (0, data.samples):
            raise ArgumentError(
                f"validation_split={fraction} of {data.samples} samples leaves one part empty"
            )
        by_class = isinstance(self.model.loss, Crossentropy) and data.labels.dtype.kind in "iubf"
        classes = _classes(data.labels) if by_class else ()
        if set(classes[kept:]) - set(classes[:kept]):
            warnings.warn(
                "validation_split takes the arrays' end, and it has classes that the rest has not: "
                "the samples seem to be sorted by class. Shuffle x and y first",
                stacklevel=4,
            )
        self.validation = _part(data, slice(kept, None), shuffle=False)
        self.data = _part(data, slice(0, kept), shuffle=data.shuffle)

    def run(self, initial_epoch: int, epochs: int) -> History:
        """Train from epoch `initial_epoch` to `epochs`, or on from a checkpoint."""
        model = self.model
        check_int(epochs, "epochs", 0)
        model.stop_training = False
        model.history = self.history
        model.training_state = TrainingState(check_int(initial_epoch, "initial_epoch", 0))
        self.history.params = {"epochs": epochs, "steps": len(self.data)}
        self._check_first_batch()
        with Interrupt() as interrupt:
            self.interrupt = interrupt
            try:
                model.training_thread = threading.current_thread()
                self.callbacks.on_train_begin()
                while model.training_state.epoch < epochs and not model.stop_training:
                    self._epoch(epochs)
                self.callbacks.on_train_end()
            except BetweenSteps:  # a second Ctrl-C may tear a step: then nothing is saved
                self.callbacks.on_interrupt()
                raise
            finally:
                model.training_thread = None
                self.progress.close()
        return self.history

    def _check_first_batch(self) -> None:
        """Build the network and refuse wrong labels before a callback writes anything."""
        data = self.data
        if isinstance(data, ArrayBatches):
            _check_labelled(self.model, data)
            _warn_of_large_pixels(self.model, data)
            whole = Batch(data.inputs, data.labels, data.weights)
            data.weights, self.class_weight = weighted(whole, self.class_weight).weights, None
            if isinstance(self.validation, ArrayBatches):
                _check_labelled(self.model, self.validation)
            self.model.new_metrics()

    def _epoch(self, epochs: int) -> None:
        model, state = self.model, self.model.training_state
        self.totals = state.totals = Totals(model.new_metrics())
        if state.resumed is not None:
            self.totals.set_state(state.resumed)
            state.resumed = None
        self.progress.begin_epoch(state.epoch, epochs, len(self.data) or None)
        self.callbacks.on_epoch_begin(state.epoch)
        if steps_together() == 1 or any(c.every_batch for c in self.callbacks):
            self._train_one_by_one()
        else:
            self._train_together()
        if self.totals.samples == 0 and not model.stop_training:
            raise ArgumentError("the data gave no batch; fit needs at least one")
        logs = self.totals.logs()
        if self.validation is not None:
            self.callbacks.on_test_begin()
            results = measure(model, self.validation, interrupt=self.interrupt)
            self.callbacks.on_test_end(results)
            logs |= {f"val_{name}": value for name, value in results.items()}
        self._end_epoch(logs)

    def _train_one_by_one(self) -> None:
        state = self.model.training_state
        for batch in self.interrupt.each(self.data.for_epoch(state.epoch, state.batch)):
            self._step(weighted(batch, self.class_weight))
            if self.model.stop_training:
                return

    def _train_together(self) -> None:
        with closing(train_groups(self.model, self._groups())) as groups:
            for trained in groups:
                if trained.losses:
                    self._count(trained)
                for number in trained.rest:
                    self._step(trained.group.batch(number))
                    if self.model.stop_training:
                        return
        self.interrupt.check()

    def _groups(self) -> Iterator[Group]:
        """Until somebody wants to stop: the engine may still have a group then, which counts."""
        for group in self._all_groups():
            yield group
            if self.model.stop_training or self.interrupt.asked:
                return

    def _all_groups(self) -> Iterator[Group]:
        model, state, data = self.model, self.model.training_state, self.data
        if isinstance(data, ArrayBatches):
            most = model.together(tuple(x[: data.batch_size] for x in data.inputs))
            return groups_of_arrays(data, state.epoch, state.batch, most)
        batches = data.for_epoch(state.epoch, state.batch)
        ready = (model.prepared(weighted(batch, self.class_weight)) for batch in batches)
        return groups_of_batches(ready, lambda batch: model.together(batch.inputs))

    def _count(self, trained: Trained) -> None:
        """Several steps at once. Callbacks see the last."""
        state, steps = self.model.training_state, len(trained.losses)
        self.totals.add_steps(trained.losses, trained.predictions, trained.labels)
        state.batch += steps
        logs = self.totals.logs()
        self.progress.update(state.batch, logs, steps)
        self.callbacks.on_train_batch_end(state.batch - 1, logs)

    def _step(self, batch: Batch) -> None:
        state = self.model.training_state
        number = state.batch
        self.callbacks.on_train_batch_begin(number)
        try:
            self.totals.add(self.model.train_step(batch, self.interrupt.at_once), batch)
            logs = self.totals.logs()
        except NumericError:
            if not any(isinstance(callback, TerminateOnNaN) for callback in self.callbacks):
                raise
            logs = {"loss": math.nan}
        state.batch = number + 1
        self.progress.update(state.batch, logs)
        self.callbacks.on_train_batch_end(number, logs)
        self.interrupt.check()

    def _end_epoch(self, logs: dict[str, float]) -> None:
        optimizer, state = self.model.optimizer, self.model.training_state
        moves = any(callback.moves_learning_rate for callback in self.callbacks)
        if optimizer is not None and (optimizer.has_schedule or moves):
            logs["learning_rate"] = float(optimizer.learning_rate)
        epoch = state.epoch
        state.epoch, state.batch, state.totals = epoch + 1, 0, None
        self.progress.end_epoch(logs)
        self.callbacks.on_epoch_end(epoch, logs)


def _saves_others(callback: Callback) -> bool:
    return isinstance(callback, BackupAndRestore)


def _check_labelled(model: Model, data: ArrayBatches) -> None:
    """Refuse arrays as a whole, and their labels."""
    model.check_inputs(data.inputs)
    if data.labels is None:
        raise ArgumentError("training and evaluation need labels y")
    shape = (data.samples, *model.graph.outputs[0].shape[1:])
    data.labels = model.loss.prepare(data.labels, shape)  # type: ignore[union-attr]


def weighted(batch: Batch, class_weight: dict[int, float] | None) -> Batch:
    """The batch with each sample's weight multiplied by its class's."""
    if class_weight is None:
        return batch
    if not isinstance(class_weight, dict):
        raise ArgumentError(
            f"class_weight must be a dict like {{0: 1.0, 1: 2.5}}; got {class_weight!r:.80}"
        )
    for number, weight in class_weight.items():
        check_number(weight, f"the class_weight of {number!r}", 0.0)
    classes = _classes(np.asarray(batch.labels))
    unknown = set(classes.astype(int).tolist()) - set(class_weight)
    if unknown:
        raise ArgumentError(f"class_weight has no weight for the classes {sorted(unknown)}")
    rows = np.array([class_weight[int(c)] for c in classes], np.float64)
    return batch._replace(weights=rows if batch.weights is None else rows * batch.weights)


def _classes(labels: np.ndarray) -> np.ndarray:
    """(N,): class numbers, also of one-hot rows."""
    return labels.argmax(-1) if labels.ndim > 1 and labels.shape[-1] > 1 else labels.ravel()


def _part(data: ArrayBatches, rows: slice, *, shuffle: bool) -> ArrayBatches:
    labels, weights = data.labels, data.weights
    return ArrayBatches(
        tuple(x[rows] for x in data.inputs),
        None if labels is None else labels[rows],
        None if weights is None else weights[rows],
        data.batch_size,
        shuffle=shuffle,
    )


def _warn_of_large_pixels(model: Model, data: ArrayBatches) -> None:
    """Nets train badly on 0...255: a hint where nothing in the model rescales."""
    for i, x in enumerate(data.inputs):
        if x.dtype == np.uint8 and x.ndim == 4 and not model.rescales(i):
            warnings.warn(
                f"pixels run {x[:100].min()}...{x[:100].max()} (dtype is uint8); nets train better "
                "on 0...1. Add rescale: mc.Input(shape, rescale=1/255)",
                stacklevel=5,
            )
