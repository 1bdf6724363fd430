"""Training: epochs of steps, with validation, callbacks and progress."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

from minicnn import random
from minicnn.backends import max_steps_per_call
from minicnn.callbacks import CallbackList, History, TerminateOnNaN
from minicnn.checks import check_int, check_number, warn_caller
from minicnn.data.own_rows import each_with_own_rows
from minicnn.errors import ArgumentError, NumericError
from minicnn.models.batches import ArrayBatches, Batch, Batches, EpochStart
from minicnn.models.compiled_network import CompiledNetwork
from minicnn.models.strategy import (
    begin_together,
    current_strategy,
    is_shared,
    rows_of_this_process,
)
from minicnn.models.training.advice import warn_before_training
from minicnn.models.training.class_weights import weighted
from minicnn.models.training.evaluation import measure
from minicnn.models.training.interrupt import BetweenSteps, Interrupt
from minicnn.models.training.measuring import new_measures
from minicnn.models.training.nonfinite import first_bad_sample
from minicnn.models.training.preparation import (
    prepare_training_data,
    prepare_validation_data,
    split_off,
    validation_batches,
)
from minicnn.models.training.running import progress_for
from minicnn.models.training.session import TrainingSession
from minicnn.models.training.state import TrainingState
from minicnn.models.training.step_groups import (
    StepGroup,
    TrainedGroup,
    groups_of_arrays,
    groups_of_batches,
    max_steps_for,
    train_groups,
)
from minicnn.models.training.totals import Totals


class Fit:
    """One call of `fit`."""

    def __init__(
        self,
        model: CompiledNetwork,
        callbacks: CallbackList,
        verbose: int | str,
    ) -> None:
        self.model, self.callbacks, self.verbose = model, callbacks, verbose
        self.history = callbacks.history or History()
        self.progress = progress_for(callbacks, verbose)
        self.validation: Batches | None = None
        self.validation_freq: int | list[int] = 1
        self.epoch_logs: dict[str, float] = {}  # of the last epoch
        self.class_weight: dict[int, float] | None = None
        # Whether a warning has said that the batches of the data, or of the validation, ended.
        self.data_ended = self.validation_ended = False

    def set_data(self, data: Batches, class_weight: dict[int, float] | None) -> None:
        """Set what to train on."""
        if isinstance(data, ArrayBatches) and data.samples == 0:
            raise ArgumentError("fit needs at least one sample; x has 0")
        if isinstance(data, ArrayBatches) and data.labels is None:
            raise ArgumentError("fit needs labels: model.fit(x, y)")
        self.data, self.class_weight = data, class_weight

    def set_validation(
        self,
        data: object,
        split: float,
        batch_size: int | None,
        steps: int | None = None,
        freq: int | Sequence[int] = 1,
    ) -> None:
        """Set what to evaluate, and after which epochs: every `freq` ones, or those in `freq`."""
        check_number(split, "validation_split", 0.0, 1.0)
        self.validation_freq = _checked_freq(freq)
        if data is not None:
            self.validation = validation_batches(self.model, data, batch_size, steps)
        elif split > 0.0:
            self.data, self.validation = split_off(self.model, self.data, split)

    def run(self, initial_epoch: int, epochs: int) -> History:
        """Train from epoch `initial_epoch` to `epochs`, or from where a checkpoint is resumed."""
        check_int(epochs, "epochs", 0)
        self.state = state = self._new_state(check_int(initial_epoch, "initial_epoch", 0))
        prepared = state.epoch < epochs
        if prepared:
            self._prepare(epochs)
        self.model.stop_training = False
        steps = len(self.data) or None
        self.callbacks.set_params({"verbose": self.verbose, "epochs": epochs, "steps": steps})
        thread = threading.current_thread()
        session = TrainingSession(state, self.history, list(self.callbacks), thread)
        with Interrupt() as self.interrupt:
            try:
                self.model.session = session
                self.callbacks.on_train_begin()
                begin_together(self.model)
                if not prepared and state.epoch < epochs:  # a checkpoint of an earlier epoch
                    self._prepare(epochs)
                while self._begin_next_epoch(epochs):
                    self._epoch(epochs)
                self.model.overwrite_with_averages()
                self.callbacks.on_train_end(self.epoch_logs)
            except BetweenSteps:  # a second Ctrl-C may interrupt a step: then nothing is saved
                self.callbacks.on_interrupt()
                raise
            finally:
                session.thread = None
                self.progress.close()
                self.callbacks.on_exit()
        return self.history

    def _new_state(self, epoch: int) -> TrainingState:
        """Return a state that begins a pass over the data, with another number than all before."""
        before = self.model.session
        return TrainingState(
            epoch=epoch,
            start=EpochStart(max(epoch, before.state.passes)),
            seed=random.seed(),
            layout=self.data.layout,
            past=before.curves,
        )

    def _prepare(self, epochs: int) -> None:
        """Build the network and raise what errors there are, before a callback writes anything."""
        self.model.forget_measurements()
        state, left = self.state, epochs - self.state.epoch
        with random.seeded(state.seed):
            prepare_training_data(self.model, self.data, self.class_weight, state.start, left)
            if self.validation is not None:
                prepare_validation_data(self.model, self.validation, left)
            self._agree(epochs)
        names = sorted(new_measures(self.model).names)
        measured = [f"val_{name}" for name in names] if self.validation is not None else []
        rate = ["learning_rate"] if self._reports_rate else []
        self.callbacks.check_logs([*sorted([*names, *measured]), *rate], names)
        warn_before_training(self.model, self.data)

    def _agree(self, epochs: int) -> None:
        """Raise DistributedError if processes that train together were given different things."""
        if (strategy := current_strategy()) is not None:
            settings = {
                "epochs": epochs,
                "class_weight": self.class_weight,
                "callbacks": [type(one).__name__ for one in self.callbacks],
            }
            strategy.agree(self.model, self.data, self.validation, settings)

    def _begin_next_epoch(self, epochs: int) -> bool:
        """Return whether another epoch begins; fetch its first batch unless data is arrays."""
        state = self.state
        if state.epoch >= epochs or self.model.stop_training:
            return False
        if isinstance(self.data, ArrayBatches):
            return True
        with random.seeded(state.seed), self.interrupt.interruptible:
            batch, state.start = self.data.begin(state.start)
        if batch is None and not self.data_ended:
            self._warn_that_data_ended(f"after epoch {state.epoch} of {epochs}")
        return batch is not None

    def _epoch(self, epochs: int) -> None:
        state = self.state
        self.totals = state.totals = Totals(new_measures(self.model))
        if state.resumed is not None:
            self.totals.set_state(state.resumed)
            state.resumed = None
        self.progress.begin_epoch(state.epoch, epochs, len(self.data) or None)
        self.callbacks.on_epoch_begin(state.epoch)
        self._train()
        self._warn_if_batches_are_missing(epochs)
        self._end_epoch(self.totals.logs() | self._validate())

    def _train(self) -> None:
        """Take the steps of one epoch, in groups of as many as the engine takes per call."""
        rows_of = rows_of_this_process() if self.data.prepares_own_rows else None
        fetched = self.interrupt.each(each_with_own_rows(self._groups(), rows_of))
        with closing(train_groups(self.model, fetched)) as groups:
            for trained in random.each_seeded(groups, self.state.seed):
                if trained.losses:
                    self._count(trained)
                # The engine leaves the step of a group of one, and those from a non-finite loss on.
                for step in range(len(trained.losses), len(trained.group)):
                    self._step(trained.group[step])
                    if self.model.stop_training:
                        return
        self.interrupt.check()

    def _groups(self) -> Iterator[StepGroup]:
        """Return the rest of the epoch's batches in groups, prepared for the steps."""
        model, state, data = self.model, self.state, self.data
        batches = data.for_epoch(state.start, state.batch)
        single = max_steps_per_call() == 1 or self.callbacks.every_batch or is_shared()
        single = single or len(model.graph.outputs) > 1
        if not isinstance(data, ArrayBatches):
            batches = (model.prepare_batch(weighted(b, self.class_weight)) for b in batches)
        elif not single:
            most = max_steps_for(model, tuple(x[: data.batch_size] for x in data.inputs))
            return groups_of_arrays(data, state.start, state.batch, most)
        return groups_of_batches(
            batches, lambda batch: 1 if single else max_steps_for(model, batch.inputs)
        )

    def _count(self, trained: TrainedGroup) -> None:
        """Count the steps of a group. Callbacks are called for the last of them."""
        state, steps = self.state, len(trained.losses)
        self.totals.add_steps(
            trained.losses,
            len(trained.group.example[0]),
            trained.predictions,
            trained.labels,
            trained.weights,
        )
        state.batch += steps
        logs = self.totals.logs()
        self.progress.update(state.batch, logs, steps)
        self.callbacks.on_train_batch_end(state.batch - 1, logs)

    def _step(self, batch: Batch) -> None:
        """Train on one batch; count it, and call the callbacks."""
        state = self.state
        number = state.batch
        self.callbacks.on_train_batch_begin(number)
        try:
            with random.seeded(state.seed):
                result = self.model.train_step(batch, self.interrupt)
            self.totals.add(result, batch)
        except NumericError:
            if not any(isinstance(c, TerminateOnNaN) and not c.raise_error for c in self.callbacks):
                self._blame_samples()
                raise
            self.totals.fail()
        state.batch = number + 1
        logs = self.totals.logs()
        self.progress.update(state.batch, logs)
        self.callbacks.on_train_batch_end(number, logs)
        self.interrupt.check()

    def _blame_samples(self) -> None:
        """Raise NumericError with the sample's number if the arrays have a NaN or infinity."""
        found = first_bad_sample(self.data.inputs) if isinstance(self.data, ArrayBatches) else None
        if found is not None:
            step = self.model.need_compiled()[0].steps + 1
            raise NumericError(
                f"{found}, so the loss of step {step} is not finite; remove such samples. The "
                "weights are still those before this step"
            )

    def _validate(self) -> dict[str, float]:
        """Return the val_ values of the logs; NaN if the epoch has failed."""
        if self.validation is None or not self._validates_now():
            return {}
        if self.totals.failed or self._validation_ended():
            results = dict.fromkeys(self.totals.logs(), math.nan)
        else:
            results = measure(
                self.model,
                self.validation,
                self.callbacks,
                interrupt=self.interrupt,
                seed=self.state.seed,
            ).logs()
        return {f"val_{name}": value for name, value in results.items()}

    def _validates_now(self) -> bool:
        """Return whether this epoch ends with a validation."""
        number, freq = self.state.epoch + 1, self.validation_freq
        return number % freq == 0 if isinstance(freq, int) else number in freq

    def _validation_ended(self) -> bool:
        """Return whether a generator for the validation has no batches left; warn once if so."""
        if isinstance(self.validation, ArrayBatches) or self.validation is None:
            return False
        with random.seeded(self.state.seed):
            batch, _ = self.validation.begin()
        if batch is None and not self.validation_ended:
            self.validation_ended = True
            warn_caller(
                f"validation_data ended before epoch {self.state.epoch + 1}, so val_ values are "
                "NaN from there on: let the generator give validation_steps * epochs batches, or "
                "pass an object whose __iter__ starts anew"
            )
        return batch is None

    def _warn_if_batches_are_missing(self, epochs: int) -> None:
        """Warn if the data has fewer batches than the epoch should have steps."""
        state, data = self.state, self.data
        if isinstance(data, ArrayBatches) or data.steps is None or self.model.stop_training:
            return
        if state.batch < data.steps:
            self._warn_that_data_ended(
                f"in epoch {state.epoch + 1} of {epochs}, after {state.batch} of its {data.steps} "
                "steps"
            )
        elif data.shortest is not None and data.steps > data.shortest and not self.data_ended:
            self.data_ended = True
            warn_caller(
                f"steps_per_epoch={data.steps}, but the data has {data.shortest} batches: an epoch "
                "goes through it more than once"
            )

    def _warn_that_data_ended(self, where: str) -> None:
        self.data_ended = True
        warn_caller(
            f"the data ended {where}, and so does the training. A generator gives its batches "
            "once: let it give steps_per_epoch * epochs of them, or pass an object whose __iter__ "
            "starts anew"
        )

    @property
    def _reports_rate(self) -> bool:
        return any(callback.moves_learning_rate for callback in self.callbacks)

    def _end_epoch(self, logs: dict[str, float]) -> None:
        state, logs = self.state, dict(sorted(logs.items()))
        if self._reports_rate:
            logs["learning_rate"] = float(self.model.need_compiled()[0].learning_rate)
        epoch = state.epoch
        state.epoch, state.batch, state.totals = epoch + 1, 0, None
        state.start = self.data.after(state.start)
        self.progress.end_epoch(logs)
        self.epoch_logs = logs
        self.callbacks.on_epoch_end(epoch, logs)


def _checked_freq(freq: Any) -> int | list[int]:
    if isinstance(freq, (list, tuple, set)):
        return [check_int(epoch, "validation_freq") for epoch in freq]
    return check_int(freq, "validation_freq")
