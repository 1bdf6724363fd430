"""Training: epochs of steps, with validation, callbacks and progress."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, nullcontext
from typing import TYPE_CHECKING, Any

from minicnn import random
from minicnn.backends import max_steps_per_call
from minicnn.callbacks import BackupAndRestore, Callback, CallbackList, TerminateOnNaN
from minicnn.checks import check_int, check_number, warn_caller
from minicnn.errors import ArgumentError, NumericError
from minicnn.history import History, joined
from minicnn.models.batches import ArrayBatches, Batch, Batches, Place
from minicnn.models.groups import Group, groups_of_arrays, groups_of_batches
from minicnn.models.training.advice import warn_before_training
from minicnn.models.training.class_weights import weighted
from minicnn.models.training.evaluation import Totals, measure
from minicnn.models.training.interrupt import BetweenSteps, Interrupt, Whole
from minicnn.models.training.nonfinite import first_bad_sample
from minicnn.models.training.preparation import (
    check_training_data,
    check_validation_data,
    split_off,
    validation_batches,
)
from minicnn.models.training.state import TrainingState
from minicnn.models.training.together import Trained, train_groups
from minicnn.support.progress import Progress

if TYPE_CHECKING:
    from minicnn.models.model import Model


class Fit:
    """One call of `fit`."""

    def __init__(
        self, model: Model, verbose: int | str, callbacks: Iterable[Callback] | Callback | None
    ) -> None:
        self.model = model
        self.history = History()
        # What saves the others' states comes after them, and after the history.
        several = callbacks or ()
        given = list(several) if isinstance(several, Iterable) else [several]
        ordered = sorted([self.history, *given], key=_saves_others)
        self.callbacks = CallbackList(ordered, model)
        model.running_callbacks = ordered
        self.progress = Progress(verbose)
        self.validation: Batches | None = None
        self.class_weight: dict[int, float] | None = None
        self.data_ended = self.validation_ended = False  # and somebody was told

    def set_data(self, data: Batches, class_weight: dict[int, float] | None) -> None:
        """What to train on."""
        if isinstance(data, ArrayBatches) and data.samples == 0:
            raise ArgumentError("fit needs at least one sample; x has 0")
        if isinstance(data, ArrayBatches) and data.labels is None:
            raise ArgumentError("fit needs labels: model.fit(x, y)")
        self.data, self.class_weight = data, class_weight

    def set_validation(
        self, data: Any, split: float, batch_size: int | None, steps: int | None = None
    ) -> None:
        """What to measure after each epoch."""
        check_number(split, "validation_split", 0.0, 1.0)
        if data is not None:
            self.validation = validation_batches(data, batch_size, steps)
        elif split > 0.0:
            self.data, self.validation = split_off(self.model, self.data, split)

    def run(self, initial_epoch: int, epochs: int) -> History:
        """Train from epoch `initial_epoch` to `epochs`, or on from a checkpoint."""
        model = self.model
        check_int(epochs, "epochs", 0)
        state = self._new_state(check_int(initial_epoch, "initial_epoch", 0))
        if state.epoch < epochs:
            with random.seeded(state.seed):
                self._check_before_first_step(state.place, epochs - state.epoch)
        model.stop_training = False
        model.history, model.training_state, model.saved_history = self.history, state, state.past
        self.history.params = {"epochs": epochs, "steps": len(self.data)}
        with Interrupt() as interrupt:
            self.interrupt = interrupt
            try:
                model.training_thread = threading.current_thread()
                model.interruptible, model.uninterruptible = interrupt.at_once, interrupt.whole
                self.callbacks.on_train_begin()
                model.saved_history = model.training_state.past  # as a checkpoint knew it
                while self._goes_on(epochs):
                    self._epoch(epochs)
                self.callbacks.on_train_end()
            except BetweenSteps:  # a second Ctrl-C may tear a step: then nothing is saved
                self.callbacks.on_interrupt()
                raise
            finally:
                model.interruptible, model.uninterruptible = nullcontext(), Whole()
                model.training_thread = None
                self.progress.close()
                self.callbacks.on_exit()
        return self.history

    def _new_state(self, epoch: int) -> TrainingState:
        """Another pass over the data than all before, and one number of it for each epoch."""
        before = self.model.training_state
        return TrainingState(
            epoch=epoch,
            place=Place(max(epoch, before.passes)),
            seed=random.seed(),
            layout=self.data.layout,
            past=joined(self.model.saved_history, self.model.history),
        )

    def _check_before_first_step(self, place: Place, epochs: int) -> None:
        """Build the network, and refuse what could not go on, before a callback writes anything."""
        check_training_data(self.model, self.data, self.class_weight, place, epochs)
        if self.validation is not None:
            check_validation_data(self.model, self.validation, epochs)
        names = ["loss", *(metric.name for metric in self.model.new_metrics())]
        measured = [f"val_{name}" for name in names] if self.validation is not None else []
        rate = ["learning_rate"] if self._reports_rate else []
        self.callbacks.check_logs([*names, *measured, *rate], names)
        warn_before_training(self.model, self.data)

    def _goes_on(self, epochs: int) -> bool:
        """Is there another epoch, and data for it?"""
        model, state = self.model, self.model.training_state
        if state.epoch >= epochs or model.stop_training:
            return False
        if isinstance(self.data, ArrayBatches):
            return True
        with random.seeded(state.seed), self.interrupt.at_once:
            batch, state.place = self.data.begin(state.place)
        if batch is None and not self.data_ended:
            self._say_that_data_ended(f"after epoch {state.epoch} of {epochs}")
        return batch is not None

    def _epoch(self, epochs: int) -> None:
        model, state = self.model, self.model.training_state
        self.totals = state.totals = Totals(model.new_metrics())
        if state.resumed is not None:
            self.totals.set_state(state.resumed)
            state.resumed = None
        self.progress.begin_epoch(state.epoch, epochs, len(self.data) or None)
        self.callbacks.on_epoch_begin(state.epoch)
        if max_steps_per_call() == 1 or any(c.every_batch for c in self.callbacks):
            self._train_one_by_one()
        else:
            self._train_together()
        self._look_at_steps(epochs)
        self._end_epoch(self.totals.logs() | self._validate())

    def _validate(self) -> dict[str, float]:
        """The logs' val_ part; NaN if the epoch has failed, for its weights are no epoch's."""
        if self.validation is None:
            return {}
        if self.totals.failed or self._validation_ended():
            results = dict.fromkeys(self.totals.logs(), math.nan)
        else:
            self.callbacks.on_test_begin()
            results = measure(
                self.model,
                self.validation,
                interrupt=self.interrupt,
                callbacks=self.callbacks,
                seed=self.model.training_state.seed,
            )
            self.callbacks.on_test_end(results)
        return {f"val_{name}": value for name, value in results.items()}

    def _validation_ended(self) -> bool:
        """Has a generator for the validation no more batches? Then that is said, once."""
        if isinstance(self.validation, ArrayBatches) or self.validation is None:
            return False
        with random.seeded(self.model.training_state.seed):
            batch, _ = self.validation.begin()
        if batch is None and not self.validation_ended:
            self.validation_ended = True
            warn_caller(
                f"validation_data ended before epoch {self.model.training_state.epoch + 1}, so "
                "nothing is measured from there on: let the generator give validation_steps * "
                "epochs batches, or pass an object whose __iter__ starts anew"
            )
        return batch is None

    def _train_one_by_one(self) -> None:
        state = self.model.training_state
        batches = random.each_seeded(self.data.for_epoch(state.place, state.batch), state.seed)
        for batch in self.interrupt.each(batches):
            self._step(self._weighted(batch))
            if self.model.stop_training:
                return

    def _train_together(self) -> None:
        seed = self.model.training_state.seed
        with closing(train_groups(self.model, self._groups())) as groups:
            for trained in random.each_seeded(groups, seed):
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
            return groups_of_arrays(data, state.place, state.batch, most)
        batches = data.for_epoch(state.place, state.batch)
        ready = (model.prepared(self._weighted(batch)) for batch in batches)
        return groups_of_batches(ready, lambda batch: model.together(batch.inputs))

    def _weighted(self, batch: Batch) -> Batch:
        """With the classes' weights, which those of arrays have already."""
        arrays = isinstance(self.data, ArrayBatches)
        return batch if arrays else weighted(batch, self.class_weight)

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
            with random.seeded(state.seed):
                outcome = self.model.train_step(batch)
            self.totals.add(outcome, batch)
        except NumericError:
            if not any(isinstance(callback, TerminateOnNaN) for callback in self.callbacks):
                self._blame_samples()
                raise
            self.totals.fail()
        state.batch = number + 1
        logs = self.totals.logs()
        self.progress.update(state.batch, logs)
        self.callbacks.on_train_batch_end(number, logs)
        self.interrupt.check()

    def _blame_samples(self) -> None:
        """If the arrays themselves have a NaN or infinity, say so by their samples' numbers."""
        found = first_bad_sample(self.data.inputs) if isinstance(self.data, ArrayBatches) else None
        if found is not None:
            step = self.model.optimizer.iterations + 1  # type: ignore[union-attr]
            raise NumericError(
                f"{found}, so the loss of step {step} is not finite; take such samples out. The "
                "weights are still those before this step"
            )

    def _look_at_steps(self, epochs: int) -> None:
        """Say so if the data has fewer batches than there are to be steps."""
        state, data = self.model.training_state, self.data
        if isinstance(data, ArrayBatches) or data.steps is None or self.model.stop_training:
            return
        if state.batch < data.steps:
            self._say_that_data_ended(
                f"in epoch {state.epoch + 1} of {epochs}, after {state.batch} of its {data.steps} "
                "steps"
            )
        elif data.shortest is not None and data.steps > data.shortest and not self.data_ended:
            self.data_ended = True
            warn_caller(
                f"steps_per_epoch={data.steps}, but the data has {data.shortest} batches: an epoch "
                "goes through it more than once"
            )

    def _say_that_data_ended(self, where: str) -> None:
        self.data_ended = True
        warn_caller(
            f"the data ended {where}, and so does the training. A generator gives its batches "
            "once: let it give steps_per_epoch * epochs of them, or pass an object whose __iter__ "
            "starts anew"
        )

    @property
    def _reports_rate(self) -> bool:
        optimizer = self.model.optimizer
        moves = any(callback.moves_learning_rate for callback in self.callbacks)
        return optimizer is not None and (optimizer.has_schedule or moves)

    def _end_epoch(self, logs: dict[str, float]) -> None:
        state = self.model.training_state
        if self._reports_rate:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)  # type: ignore[union-attr]
        epoch = state.epoch
        state.epoch, state.batch, state.totals = epoch + 1, 0, None
        state.place = self.data.after(state.place)
        self.progress.end_epoch(logs)
        self.callbacks.on_epoch_end(epoch, logs)


def _saves_others(callback: Callback) -> bool:
    return isinstance(callback, BackupAndRestore)
